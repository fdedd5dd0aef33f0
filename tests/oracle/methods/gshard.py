"""GShard (Lepikhin et al. 2020): the two best by softmax, renormalised; the second choice kept at random in training.

A second choice that is not kept is not in the list. The balance loss counts first choices only.
"""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "gshard"
CASES = [
    layer.Case("random", router={"balance_coefficient": 0.3, "second_policy": "random"}),
    layer.Case("all", router={"balance_coefficient": 0.01, "second_policy": "all"}),
    layer.Case("reduced", router={"balance_coefficient": 0.1, "second_policy": "random", "router_dim": 3}, D=6),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    if case.router["second_policy"] == "random":
        made.given["draw.second"] = rng.random(case.T)
    return made


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    probs_TE = nm.softmax(scores_TE)
    expert_TK = nm.top_k(scores_TE, 2)
    gate_TK = nm.take(probs_TE, expert_TK)
    gate_TK = gate_TK / gate_TK.sum(axis=1, keepdims=True)
    routing = layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=probs_TE)
    if "draw.second" in t:
        chance_T = np.minimum(1, 2 * gate_TK[:, 1].real)
        nm.decided_by(t["draw.second"] - chance_T)
        wanted_N = np.concatenate([np.ones(len(chance_T), bool), t["draw.second"] < chance_T])
        for name in ("token_N", "expert_N", "gate_N", "kept_N"):
            setattr(routing, name, getattr(routing, name)[wanted_N])
    value = layer.balance_loss(probs_TE, expert_TK[:, :1])
    routing.losses.append(layer.Loss("balance", value, case.router["balance_coefficient"]))
    return routing


def interesting(case, routing, _t):
    kept_seconds = len(routing.token_N) - case.T
    return case.router["second_policy"] == "all" or 0 < kept_seconds < case.T
