"""Expert choice (Zhou et al. 2022), whole batch: each expert takes its C best tokens by softmax over experts."""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "expert_choice"
CASES = [
    layer.Case("two", router={"capacity": 2, "scope": "batch"}, B=2, L=5, D=4, E=5, F=2),
    layer.Case("one", router={"capacity": 1, "scope": "batch"}, placement="inserted", B=2, D=4, E=3, F=2),
    layer.Case("least", router={"capacity": 1, "scope": "batch"}, B=1, L=3, E=5, D=4, F=2),
]


def inputs(case, rng):
    return linear.rows(case, rng)


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    probs_TE = nm.softmax(scores_TE)
    slots = max(1, int(case.T * case.router["capacity"] / case.E))
    token_SE = nm.top_k(probs_TE, slots, axis=0)
    expert_N = np.repeat(np.arange(case.E), slots)
    token_N = token_SE.T.ravel()
    return layer.Sparse(token_N, expert_N, probs_TE[token_N, expert_N], scores_TE=scores_TE, probs_TE=probs_TE)


def interesting(case, routing, _t):
    """Some token goes unserved, another has two experts or more."""
    return len(set(routing.token_N)) < min(case.T, len(routing.token_N))
