"""DSelect-k (Hazimeh et al. 2021), static: selectors of smooth-step bits, the same gates for every token.

Entropy loss Σ_j H(r_j). The number of experts is a power of two.
"""
import numpy as np

import layer

ID = "dselect_k"
GAMMA = 1.0
CASES = [
    layer.Case("two_of_four", router={"top_k": 2, "entropy_coefficient": 0.3}, E=4, D=4, F=2, B=2, L=3),
    layer.Case("one_of_two", router={"top_k": 1, "entropy_coefficient": 0.1}, E=2, D=5, F=3),
    # Bits beyond ±γ/2 are exactly 0 or 1, so some experts have no gate.
    layer.Case("settled", router={"top_k": 2, "entropy_coefficient": 0.2}, sizes={"spread": 0.6}, E=4, D=4, F=2),
]


def inputs(case, rng):
    bits = case.E.bit_length() - 1
    spread = case.sizes.get("spread", 0.2)
    code_KB = spread * rng.standard_normal((case.router["top_k"], bits))
    return layer.Inputs(learned={"router.code": code_KB, "router.selector": rng.standard_normal(case.router["top_k"])})


def smooth_step(x):
    inside = -2 * x**3 / GAMMA**3 + 3 * x / (2 * GAMMA) + 0.5
    return np.where(x.real <= -GAMMA / 2, 0, np.where(x.real >= GAMMA / 2, 1, inside))


def selections(code_KB, num_experts):
    """r_j(i): the product over bits, most significant first, of S or 1 − S."""
    step_KB = smooth_step(code_KB)
    bits = step_KB.shape[1]
    select_KE = np.ones((len(step_KB), num_experts), dtype=step_KB.dtype)
    for b in range(bits):
        set_E = (np.arange(num_experts) >> (bits - 1 - b)) & 1 == 1
        select_KE = select_KE * np.where(set_E, step_KB[:, b : b + 1], 1 - step_KB[:, b : b + 1])
    return select_KE


def entropy(select_KE):
    positive = select_KE[select_KE.real > 0]
    return -(positive * np.log(positive)).sum()


def gates(code_KB, selector_K, num_experts):
    raised_K = np.exp(selector_K - selector_K.real.max())
    select_KE = selections(code_KB, num_experts)
    return (raised_K / raised_K.sum()) @ select_KE, select_KE


def route(case, hidden_TD, t):
    gate_E, select_KE = gates(t["router.code"], t["router.selector"], case.E)
    gate_TE = np.tile(gate_E, (case.T, 1))
    routing = layer.every_pair(gate_TE.real > 0, gate_TE)
    routing.losses.append(layer.Loss("entropy", entropy(select_KE), case.router["entropy_coefficient"]))
    return routing


def interesting(case, routing, t):
    used = len(set(routing.expert_N))
    away = np.abs(np.abs(t["router.code"]) - GAMMA / 2).min() > 0.05
    return away and (1 < used < case.E if "spread" in case.sizes else used == case.E)
