"""Sigmoid gates: the k best, each gate its share of the chosen sigmoids."""
import layer
import numerics as nm
from methods import linear

ID = "sigmoid_topk"
CASES = [
    layer.Case("top2", router={"top_k": 2}),
    layer.Case("top3", router={"top_k": 3}, E=5, D=4, F=2),
    layer.Case("inserted", router={"top_k": 2}, placement="inserted", E=3, D=4, F=2),
]


def inputs(case, rng):
    return linear.rows(case, rng)


def shares(gate_TE, expert_TK):
    chosen_TK = nm.take(gate_TE, expert_TK)
    return chosen_TK / chosen_TK.sum(axis=1, keepdims=True)


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    expert_TK = nm.top_k(scores_TE, case.router["top_k"])
    gate_TK = shares(nm.sigmoid(scores_TE), expert_TK)
    return layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=nm.softmax(scores_TE))
