"""ST-MoE (Zoph et al. 2022): the two best by softmax, renormalised, with the balance loss and the z-loss.

The balance loss counts first choices only, as in GShard.
"""
import layer
import numerics as nm
from methods import linear

ID = "st_moe"
CASES = [
    layer.Case("plain", router={"balance_coefficient": 0.01, "z_coefficient": 0.1}),
    layer.Case("wide", router={"balance_coefficient": 0.3, "z_coefficient": 0.001}, E=5, D=4, F=2),
    layer.Case(
        "inserted", router={"balance_coefficient": 0.2, "z_coefficient": 0.5}, placement="inserted", E=3, D=4, F=2
    ),
]


def inputs(case, rng):
    return linear.rows(case, rng)


def z_loss(scores_TE):
    return (nm.logsumexp(scores_TE) ** 2).mean()


def route(case, hidden_TD, t):
    scores_TE = linear.scores(hidden_TD, t)
    probs_TE = nm.softmax(scores_TE)
    expert_TK = nm.top_k(scores_TE, 2)
    gate_TK = nm.take(probs_TE, expert_TK)
    gate_TK = gate_TK / gate_TK.sum(axis=1, keepdims=True)
    routing = layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=probs_TE)
    balance = layer.balance_loss(probs_TE, expert_TK[:, :1])
    for name, value in (("balance", balance), ("z", z_loss(scores_TE))):
        routing.losses.append(layer.Loss(name, value, case.router[name + "_coefficient"]))
    return routing
