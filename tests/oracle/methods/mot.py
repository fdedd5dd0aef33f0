"""Mixture of Tokens (Antoniak et al. 2023): a group is g consecutive sequences at one position.

Softmax over the tokens of the group, separately for each expert; the same weights mix and emit. Experts have no biases.
"""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "mot"
EXPERT_BIASES = False
CASES = [
    layer.Case("pair", router={"group_size": 2, "temperature": 1, "learn_temperature": False}, B=4, L=2),
    layer.Case("triple", router={"group_size": 3, "temperature": 0.5, "learn_temperature": False}, B=6, L=2, D=4),
    layer.Case("learned", router={"group_size": 4, "temperature": 1, "learn_temperature": True}, B=4, L=3, D=4),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    if case.router["learn_temperature"]:
        made.learned["router.log_temperature"] = 0.4 * rng.standard_normal(1)
    return made


def groups(case):
    """Position by position, and there g rows at a time."""
    token_LB = np.arange(case.T).reshape(case.B, case.L).T
    return token_LB.reshape(-1, case.router["group_size"])


def route(case, hidden_TD, t):
    temperature = case.router["temperature"]
    if "router.log_temperature" in t:
        temperature = np.exp(t["router.log_temperature"])
    member_GI = groups(case)
    weight_GIE = nm.softmax(linear.scores(hidden_TD, t)[member_GI] / temperature, axis=1)
    return layer.Dense(member_GI, weight_GIE[..., None], weight_GIE[..., None])
