"""Switch (Fedus et al. 2021): the input of the router jittered in training, softmax before top-1, capacity."""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "switch"
CASES = [
    layer.Case("jitter", router={"balance_coefficient": 0.5, "jitter": 0.1}),
    layer.Case("inserted", router={"balance_coefficient": 0.01, "jitter": 0.01}, placement="inserted", D=4, E=3, F=2),
    layer.Case("eval", router={"balance_coefficient": 0.5, "jitter": 0.1}, mode="eval"),
    layer.Case(
        "capacity", router={"balance_coefficient": 0.2, "jitter": 0, "min_capacity": 1}, capacity_factor=1.25, E=3
    ),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    if case.training and case.router["jitter"] > 0:
        made.given["draw.jitter"] = rng.random((case.T, case.D))
    return made


def capacity(case):
    """Slots per expert in the one group of all tokens (groups hold up to 1,024)."""
    return max(case.router["min_capacity"], min(case.T, int(case.T * case.capacity_factor / case.E)))


def arrival(expert_T):
    """How many tokens came to the same expert before."""
    return np.array([(expert_T[:t] == expert_T[t]).sum() for t in range(len(expert_T))])


def route(case, hidden_TD, t):
    jitter = 1
    if "draw.jitter" in t:
        jitter = 1 + case.router["jitter"] * (2 * t["draw.jitter"] - 1)
    scores_TE = linear.scores(hidden_TD * jitter, t)
    probs_TE = nm.softmax(scores_TE)
    expert_TK = nm.top_k(scores_TE, 1)
    routing = layer.token_choice(expert_TK, nm.take(probs_TE, expert_TK), scores_TE=scores_TE, probs_TE=probs_TE)
    if case.capacity_factor > 0:
        routing.kept_N = arrival(routing.expert_N) < capacity(case)
    if case.training:
        value = layer.balance_loss(probs_TE, expert_TK)
        routing.losses.append(layer.Loss("balance", value, case.router["balance_coefficient"]))
    return routing


def interesting(case, routing, _t):
    return case.capacity_factor == 0 or not routing.kept_N.all()
