"""Soft MoE (Puigcerver et al. 2023), each sequence a group: softmax over tokens into slots, over all slots back.

Both sides of a logit are normalised as x/√(Σx² + 1e-6), the official code's form; the mixed tokens are not.
"""
import numpy as np

import layer
import numerics as nm

ID = "soft_moe"
CASES = [
    layer.Case("one_slot", router={"slots": 1}),
    layer.Case("two_slots", router={"slots": 2}, B=2, L=5, D=4, E=3, F=2),
    layer.Case("eval", router={"slots": 3}, mode="eval", B=2, D=4, E=2),
]


def inputs(case, rng):
    slots_ESD = rng.standard_normal((case.E, case.router["slots"], case.D))
    return layer.Inputs(learned={"router.slots": slots_ESD, "router.scale": 1.5 + 0.5 * rng.standard_normal(1)})


def normalised(x):
    return x / np.sqrt((x * x).sum(axis=-1, keepdims=True) + 1e-6)


def weights(logits_GIES):
    groups, members, experts, slots = logits_GIES.shape
    combine = nm.softmax(logits_GIES.reshape(groups, members, -1)).reshape(logits_GIES.shape)
    return nm.softmax(logits_GIES, axis=1), combine


def route(case, hidden_TD, t):
    member_GI = np.arange(case.T).reshape(case.B, case.L)
    slots_ESD = t["router.scale"] * normalised(t["router.slots"])
    logits_GIES = np.einsum("gid,esd->gies", normalised(hidden_TD)[member_GI], slots_ESD)
    return layer.Dense(member_GI, *weights(logits_GIES))
