"""HyperRouter (Do et al. 2023): a frozen network makes the router's weights from a learned embedding; then as SMoE.

Row i of the network's output, reshaped to [E, D + 1], holds the weights of expert i and, last, its bias.
"""
import layer
import numerics as nm
from methods import smoe

ID = "hyperrouter"
CASES = [
    layer.Case("top2", router={"top_k": 2, "hyper_dim": 4}),
    layer.Case("top3", router={"top_k": 3, "hyper_dim": 3}, E=4, D=4, F=2),
    layer.Case("eval", router={"top_k": 2, "hyper_dim": 3}, mode="eval", E=3),
]


def inputs(case, rng):
    H, outputs = case.router["hyper_dim"], case.E * (case.D + 1)
    return layer.Inputs(
        learned={"router.embedding": rng.standard_normal(case.D)},
        frozen={
            "router.hyper.w1": rng.standard_normal((H, case.D)),
            "router.hyper.b1": 0.3 * rng.standard_normal(H),
            "router.hyper.w2": 0.5 * rng.standard_normal((outputs, H)),
            "router.hyper.b2": 0.3 * rng.standard_normal(outputs),
        },
    )


def scores(hidden_TD, t):
    inner_H = nm.relu(t["router.hyper.w1"] @ t["router.embedding"] + t["router.hyper.b1"])
    made_ED1 = (t["router.hyper.w2"] @ inner_H + t["router.hyper.b2"]).reshape(-1, hidden_TD.shape[1] + 1)
    return hidden_TD @ made_ED1[:, :-1].T + made_ED1[:, -1]


def route(case, hidden_TD, t):
    return smoe.route_scores(scores(hidden_TD, t), case.router["top_k"])[0]
