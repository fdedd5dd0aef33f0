"""Loss-free balancing (Wang et al. 2024; DeepSeek-V3): a bias, a state, moves the choice and never the gate."""
import numpy as np

import layer
import numerics as nm
from methods import linear, sigmoid_topk

ID = "loss_free"
CASES = [
    layer.Case("top2", router={"top_k": 2, "route_scale": 1}),
    layer.Case("scaled", router={"top_k": 3, "route_scale": 2.5}, E=5, D=4, F=2),
    layer.Case("eval", router={"top_k": 2, "route_scale": 1.5}, mode="eval"),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    made.given["router.balance_bias"] = 0.3 * rng.standard_normal(case.E)
    return made


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    gate_TE = nm.sigmoid(scores_TE)
    expert_TK = nm.top_k(gate_TE + t["router.balance_bias"], case.router["top_k"])
    gate_TK = case.router["route_scale"] * sigmoid_topk.shares(gate_TE, expert_TK)
    return layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=nm.softmax(scores_TE))


def interesting(case, routing, _t):
    """The bias changes a set of choices."""
    unbiased_TK = np.sort(nm.top_k(routing.scores_TE, case.router["top_k"]), axis=1)
    return (np.sort(routing.expert_N.reshape(-1, case.T).T, axis=1) != unbiased_TK).any()
