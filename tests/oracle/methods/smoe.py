"""SMoE: the k best of biased scores, weighted by a softmax over their scores (after top-k)."""
import layer
import numerics as nm
from methods import linear

ID = "smoe"
CASES = [
    layer.Case("top2", router={"top_k": 2, "balance_coefficient": 0.2}),
    layer.Case("top3", router={"top_k": 3, "balance_coefficient": 0.01}, E=5, D=4, F=2),
    layer.Case("inserted", router={"top_k": 2, "balance_coefficient": 0}, placement="inserted", E=3, D=5, F=2),
]


def inputs(case, rng):
    return linear.rows(case, rng, bias=True)


def route_scores(scores_TE, top_k):
    expert_TK = nm.top_k(scores_TE, top_k)
    gate_TK = nm.softmax(nm.take(scores_TE, expert_TK))
    probs_TE = nm.softmax(scores_TE)
    return layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=probs_TE), expert_TK


def route(case, hidden_TD, t):
    routing, expert_TK = route_scores(linear.scores(hidden_TD, t), case.router["top_k"])
    value = layer.balance_loss(routing.probs_TE, expert_TK)
    routing.losses.append(layer.Loss("balance", value, case.router["balance_coefficient"]))
    return routing
