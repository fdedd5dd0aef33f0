"""X-MoE (Chi et al. 2022): cosine scores of a reduced token with the rows, a learned temperature in the gate only.

The balance loss has a fixed temperature. Top-2: softmax over the two selected.
"""
import numpy as np

import layer
import numerics as nm

ID = "xmoe"


def router(gate, top_k, router_dim, coefficient, temperature):
    keys = {"router_dim": router_dim, "gate": gate, "top_k": top_k}
    return keys | {"balance_coefficient": coefficient, "balance_temperature": temperature}


CASES = [
    layer.Case("softmax", router=router("softmax", 1, 3, 0.5, 0.3)),
    layer.Case(
        "sigmoid",
        router=router("sigmoid", 1, 2, 0.1, 0.07),
        sizes={"temperature": 0.5},
        placement="inserted",
        E=4,
        D=4,
        F=2,
    ),
    layer.Case("top2", router=router("softmax", 2, 3, 0.2, 0.3), sizes={"row_norm": None}),
]


def inputs(case, rng):
    rows_ER = rng.standard_normal((case.E, case.router["router_dim"]))
    row_norm = case.sizes.get("row_norm", 0.1)
    if row_norm:
        rows_ER *= row_norm / nm.norm(rows_ER)
    return layer.Inputs(
        learned={
            "router.reduce": rng.standard_normal((case.router["router_dim"], case.D)),
            "router.rows": rows_ER,
            "router.log_temperature": np.log([case.sizes.get("temperature", 0.3)]) + 0.1 * rng.standard_normal(1),
        }
    )


def cosines(hidden_TD, t):
    vectors_TR = hidden_TD @ t["router.reduce"].T
    rows_ER = t["router.rows"]
    return (vectors_TR / nm.norm(vectors_TR)) @ (rows_ER / nm.norm(rows_ER)).T


def gates(case, scores_TE, expert_TK, temperature):
    if case.router["top_k"] > 1:
        return nm.softmax(nm.take(scores_TE, expert_TK) / temperature)
    if case.router["gate"] == "sigmoid":
        return nm.sigmoid(nm.take(scores_TE, expert_TK) / temperature)
    return nm.take(nm.softmax(scores_TE / temperature), expert_TK)


def route(case, hidden_TD, t):
    scores_TE = cosines(hidden_TD, t)
    temperature = np.exp(t["router.log_temperature"])
    expert_TK = nm.top_k(scores_TE, case.router["top_k"])
    gate_TK = gates(case, scores_TE, expert_TK, temperature)
    probs_TE = nm.softmax(scores_TE / temperature)
    routing = layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=probs_TE)
    value = layer.balance_loss(nm.softmax(scores_TE / case.router["balance_temperature"]), expert_TK)
    routing.losses.append(layer.Loss("balance", value, case.router["balance_coefficient"]))
    return routing
