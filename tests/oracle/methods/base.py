"""BASE layer (Lewis et al. 2021): in training the balanced assignment of the largest score sum, else the best expert.

Every expert gets ⌊T/E⌋ or ⌈T/E⌉ tokens. The optimum is found exactly, by going through the tokens and keeping, for
every vector of expert loads, the best two ways to reach it.
"""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "base"
CASES = [
    layer.Case("even", placement="inserted", B=2, L=3, D=4, E=3, F=2),
    layer.Case("uneven", B=1, L=7, D=5, E=3, F=3),
    layer.Case("eval", mode="eval"),
]


def inputs(case, rng):
    return linear.rows(case, rng)


def best_assignments(scores_TE):
    """The two balanced assignments of the largest sums, best first, as (sum, experts)."""
    num_tokens, num_experts = scores_TE.shape
    least, most = num_tokens // num_experts, -(-num_tokens // num_experts)
    ways = {(0,) * num_experts: [(0.0, ())]}
    for score_E in scores_TE:
        reached = {}
        for load, kept in ways.items():
            for e in range(num_experts):
                if load[e] < most:
                    onward = load[:e] + (load[e] + 1,) + load[e + 1 :]
                    reached.setdefault(onward, []).extend((total + score_E[e], way + (e,)) for total, way in kept)
        ways = {load: sorted(kept, reverse=True)[:2] for load, kept in reached.items()}
    return sorted((way for load, kept in ways.items() if min(load) >= least for way in kept), reverse=True)[:2]


def balanced(scores_TE):
    best, second = best_assignments(scores_TE)
    # An auction that ends within ε per token of the optimum, ε = a fiftieth of the scores' range, must find it too.
    nm.decided_by(max(0.0, best[0] - second[0] - len(scores_TE) * np.ptp(scores_TE) / 50))
    return np.array(best[1])[:, None]


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    expert_TK = balanced(scores_TE.real) if case.training else nm.top_k(scores_TE, 1)
    gate_TK = nm.sigmoid(nm.take(scores_TE, expert_TK))
    return layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=nm.softmax(scores_TE))


def interesting(case, routing, _t):
    """Balance changes at least one choice."""
    return not case.training or (routing.expert_N != routing.scores_TE.argmax(1)).any()
