"""One MoE layer: what a case is, what routing is, the experts, and how their outputs add up.

Shape letters: T tokens (t = b·L + position), B sequences, L positions, D width, E experts, F expert width, K choices,
N assignments, S slots, G groups of I members, R router width, H hypernetwork width, V vocabulary.
"""
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

import numerics as nm

VOCABULARY = 256  # of the byte tokenizer


@dataclass
class Case:
    """The shapes left out are drawn at random."""

    name: str
    B: Optional[int] = None
    L: Optional[int] = None
    D: Optional[int] = None
    E: Optional[int] = None
    F: Optional[int] = None
    router: dict = field(default_factory=dict)  # the keys of [moe.router]
    sizes: dict = field(default_factory=dict)  # of the router's tensors, where no key tells
    placement: str = "ffn"
    capacity_factor: float = 0
    mode: str = "train"
    stage: int = 0

    @property
    def T(self):
        return self.B * self.L

    @property
    def training(self):
        return self.mode == "train"

    def draw_shapes(self, rng):
        ranges = {"B": (1, 2), "L": (3, 5), "D": (4, 6), "E": (3, 4), "F": (2, 3)}
        for name, (low, high) in ranges.items():
            value = int(rng.integers(low, high, endpoint=True))
            if getattr(self, name) is None:
                setattr(self, name, value)


@dataclass
class Inputs:
    """A method's tensors by name: learned ones get gradients, frozen ones get none, the rest are state and draws."""

    learned: dict = field(default_factory=dict)
    frozen: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)


@dataclass
class Loss:
    name: str
    value: complex
    coefficient: float


@dataclass
class Sparse:
    """A list of (token, expert, gate) in order of arrival. kept: found a slot."""

    token_N: np.ndarray
    expert_N: np.ndarray
    gate_N: np.ndarray
    kept_N: Optional[np.ndarray] = None
    scores_TE: Optional[np.ndarray] = None
    probs_TE: Optional[np.ndarray] = None
    losses: list = field(default_factory=list)

    def __post_init__(self):
        if self.kept_N is None:
            self.kept_N = np.ones(len(self.token_N), bool)

    def combine(self, hidden_TD, expert):
        """expert(e, x_MD) → the outputs of expert e."""
        output_TD = np.zeros(hidden_TD.shape, complex)
        for e in np.unique(self.expert_N):
            here = (self.expert_N == e) & self.kept_N
            token = self.token_N[here]
            np.add.at(output_TD, token, self.gate_N[here, None] * expert(e, hidden_TD[token]))
        return output_TD

    def load(self, num_experts):
        return np.bincount(self.expert_N, minlength=num_experts)


@dataclass
class Dense:
    """Soft mixtures of the I member tokens of a group into the S slots of each expert, and back."""

    member_GI: np.ndarray
    dispatch_GIES: np.ndarray
    combine_GIES: np.ndarray
    losses: list = field(default_factory=list)

    def combine(self, hidden_TD, expert):
        output_TD = np.zeros(hidden_TD.shape, complex)
        for g, member in enumerate(self.member_GI):
            for e in range(self.dispatch_GIES.shape[2]):
                mixed_SD = self.dispatch_GIES[g, :, e].T @ hidden_TD[member]
                output_TD[member] += self.combine_GIES[g, :, e] @ expert(e, mixed_SD)
        return output_TD

    def load(self, _num_experts):
        return self.combine_GIES.real.sum(axis=(0, 1, 3))


def token_choice(expert_TK, gate_TK, **rest):
    """All first choices in token order, then all second choices, and so on."""
    num_tokens, num_choices = expert_TK.shape
    return Sparse(np.tile(np.arange(num_tokens), num_choices), expert_TK.T.ravel(), gate_TK.T.ravel(), **rest)


def every_pair(wanted_TE, weight_TE, **rest):
    """Methods whose choices have no rank: by token, then by expert."""
    token_N, expert_N = np.nonzero(wanted_TE)
    return Sparse(token_N, expert_N, weight_TE[token_N, expert_N], **rest)


def balance_loss(probs_TE, expert_TK):
    """E · Σ_i f_i P_i (Fedus et al. 2021): f share of the choices (constant), P mean probability."""
    num_experts = probs_TE.shape[1]
    share_E = np.bincount(expert_TK.ravel(), minlength=num_experts) / expert_TK.size
    return num_experts * (share_E * probs_TE.mean(axis=0)).sum()


def expert_parameters(case, rng, biases):
    shapes = {"w1": (case.F, case.D), "w2": (case.D, case.F)}
    if biases:
        shapes |= {"b1": (case.F,), "b2": (case.D,)}
    if case.placement == "inserted":
        shapes |= {"norm.weight": (case.D,), "norm.bias": (case.D,)}
    made = {}
    for e in range(case.E):
        for name, shape in sorted(shapes.items()):
            made[f"expert.{e}.{name}"] = 0.7 * rng.standard_normal(shape) + (name == "norm.weight")
    return made


def expert_of(case, parameters):
    """In place of an FFN: W2·relu(W1·h + b1) + b2. Inserted: the same of LN(h), one sublayer's increment."""

    def output(e, x_MD):
        prefix = f"expert.{e}."
        bias = lambda name: parameters.get(prefix + name, 0)
        if case.placement == "inserted":
            x_MD = nm.layer_norm(x_MD, parameters[prefix + "norm.weight"], parameters[prefix + "norm.bias"])
        inner_MF = nm.relu(x_MD @ parameters[prefix + "w1"].T + bias("b1"))
        return inner_MF @ parameters[prefix + "w2"].T + bias("b2")

    return output
