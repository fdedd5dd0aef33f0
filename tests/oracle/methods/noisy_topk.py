"""Noisy top-k (Shazeer et al. 2017), the original: noise of a learned width, softmax over the k kept noisy scores.

Losses CV² of importance and of the smooth load, CV² with the sample variance (n − 1). Gradient reaches the load loss
through clean scores, thresholds and noise widths alike.
"""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "noisy_topk"
NOISE_FLOOR = 1e-2
CASES = [
    layer.Case("top2", router={"top_k": 2, "importance_coefficient": 0.3, "load_coefficient": 0.2}),
    layer.Case("top1", router={"top_k": 1, "importance_coefficient": 0.1, "load_coefficient": 0.4}, D=4),
    layer.Case("top3", router={"top_k": 3, "importance_coefficient": 0.2, "load_coefficient": 0.1}, E=5, D=4, F=2),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    made.learned["router.noise_rows"] = rng.standard_normal((case.E, case.D))
    made.given["draw.noise"] = rng.standard_normal((case.T, case.E))
    return made


def cv_squared(values_E):
    deviation_E = values_E - values_E.mean()
    return (deviation_E * deviation_E).sum() / (len(values_E) - 1) / values_E.mean() ** 2


def in_top_k(clean_TE, noisy_TE, width_TE, k):
    """P(expert i would be in the top k under fresh noise of its own, the others' as drawn): Φ of the distance to the
    k-th largest of the others."""
    order_TK1 = nm.top_k(noisy_TE, k + 1)
    ranked_TK1 = nm.take(noisy_TE, order_TK1)
    inside_TE = (order_TK1[:, :k, None] == np.arange(noisy_TE.shape[1])).any(axis=1)
    threshold_TE = np.where(inside_TE, ranked_TK1[:, k : k + 1], ranked_TK1[:, k - 1 : k])
    return nm.normal_cdf((clean_TE - threshold_TE) / width_TE)


def route(case, hidden_TD, t):
    k = case.router["top_k"]
    clean_TE = linear.scores(hidden_TD, t)
    width_TE = nm.softplus(hidden_TD @ t["router.noise_rows"].T) + NOISE_FLOOR
    noisy_TE = clean_TE + t["draw.noise"] * width_TE
    expert_TK = nm.top_k(noisy_TE, k)
    gate_TK = nm.softmax(nm.take(noisy_TE, expert_TK))
    routing = layer.token_choice(expert_TK, gate_TK)
    importance_E = np.array([routing.gate_N[routing.expert_N == e].sum() for e in range(case.E)])
    load_E = in_top_k(clean_TE, noisy_TE, width_TE, k).sum(axis=0)
    for name, values_E in (("importance", importance_E), ("load", load_E)):
        routing.losses.append(layer.Loss(name, cv_squared(values_E), case.router[name + "_coefficient"]))
    return routing


def interesting(case, routing, t):
    """Noise changes a first choice."""
    clean_TE = linear.scores(t["hidden"].reshape(case.T, case.D), t)
    return (routing.expert_N[: case.T] != clean_TE.argmax(1)).any()
