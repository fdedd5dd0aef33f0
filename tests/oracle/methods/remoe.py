"""ReMoE (Wang et al. 2025): relu of the scores is the gate; an L1 loss weighted by loads, its coefficient a state λ."""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "remoe"
CASES = [
    layer.Case("top1", router={"target_top_k": 1}, sizes={"lambda": 0.25}),
    layer.Case("top2", router={"target_top_k": 2}, sizes={"lambda": 0.03125}, E=5, D=4, F=2),
    layer.Case("inserted", router={"target_top_k": 1}, sizes={"lambda": 0.125}, placement="inserted", E=3, D=4, F=2),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    made.given["router.lambda"] = np.array([case.sizes["lambda"]])
    return made


def l1_loss(gate_TE, target_top_k, balanced=True):
    """(1/T) Σ_t Σ_e f_e R_{t,e}, f_e = E/(kT)·#{t: R_{t,e} > 0} (constant), without balance 1."""
    num_tokens, num_experts = gate_TE.shape
    load_E = (gate_TE.real > 0).sum(axis=0) * num_experts / (target_top_k * num_tokens)
    return ((load_E if balanced else 1) * gate_TE).sum() / num_tokens


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    gate_TE = nm.relu(scores_TE)
    routing = layer.every_pair(gate_TE.real > 0, gate_TE, scores_TE=scores_TE, probs_TE=nm.softmax(scores_TE))
    value = l1_loss(gate_TE, case.router["target_top_k"])
    routing.losses.append(layer.Loss("sparsity", value, float(t["router.lambda"][0])))
    return routing


def interesting(case, routing, _t):
    """A token without experts, or one with two."""
    return len(set(routing.token_N)) < case.T or len(routing.token_N) > case.T
