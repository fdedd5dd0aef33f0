"""What the routers with rows share."""
import numpy as np

from layer import Inputs


def rows(case, rng, bias=False):
    """score = h·rowsᵀ (+ bias); with router_dim R, of the reduced h·reduceᵀ."""
    width = case.router.get("router_dim") or case.D
    learned = {"router.rows": rng.standard_normal((case.E, width))}
    if width != case.D:
        learned["router.reduce"] = rng.standard_normal((width, case.D)) / np.sqrt(case.D)
    if bias:
        learned["router.bias"] = 0.5 * rng.standard_normal(case.E)
    return Inputs(learned=learned)


def scores(hidden_TD, t):
    vectors_TR = hidden_TD @ t["router.reduce"].T if "router.reduce" in t else hidden_TD
    return vectors_TR @ t["router.rows"].T + t.get("router.bias", 0)
