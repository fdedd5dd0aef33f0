"""StableMoE (Dai et al. 2022), losses as per-token means.

Stage 0 in training: the backbone chooses and the student learns the choices. Stage 1, and evaluation in any stage:
the student chooses; the gate is the backbone's σ(E·h). The student sees token ids only.
"""
import numpy as np

import layer
import numerics as nm
from methods import linear

ID = "stablemoe"
COEFFICIENTS = {"balance_coefficient": 0.3, "distillation_coefficient": 0.4}
ROUTER = {**COEFFICIENTS, "student": "word", "student_dim": 1}
CASES = [
    layer.Case("learn", router={**ROUTER, "student_dim": 2}, placement="inserted", E=3, D=4, F=2),
    layer.Case("frozen", router=ROUTER, placement="inserted", stage=1, E=3, D=5, F=2),
    layer.Case("learn_eval", router=ROUTER, mode="eval", E=4, D=4, F=2),
]


def inputs(case, rng):
    made = linear.rows(case, rng)
    student = {
        "router.student.embedding": rng.standard_normal((layer.VOCABULARY, case.router["student_dim"])),
        "router.student.rows": rng.standard_normal((case.E, case.router["student_dim"])),
    }
    (made.frozen if case.stage == 1 else made.learned).update(student)
    # Few different ids, so that some repeat and their rows add up gradients.
    made.given["token_id"] = rng.choice(rng.integers(0, layer.VOCABULARY, case.T), (case.B, case.L))
    return made


def student_scores(t):
    return t["router.student.embedding"][t["token_id"].ravel()] @ t["router.student.rows"].T


def balance_loss(gate_T, expert_T, num_experts):
    """mean_t ((n_a − n̄)/n̄)·σ(s_{t,a}); the factor is constant."""
    fair_share = len(expert_T) / num_experts
    excess_E = np.bincount(expert_T, minlength=num_experts) / fair_share - 1
    return (excess_E[expert_T] * gate_T).mean()


def distillation_loss(student_TE, expert_T):
    return -nm.take(nm.log_softmax(student_TE), expert_T[:, None]).mean()


def route(case, hidden_TD, t):
    backbone_TE = linear.scores(hidden_TD, t)
    student_TE = student_scores(t)
    learning = case.training and case.stage == 0
    scores_TE = backbone_TE if learning else student_TE.real
    expert_TK = nm.top_k(scores_TE, 1)
    gate_TK = nm.sigmoid(nm.take(backbone_TE, expert_TK))
    routing = layer.token_choice(expert_TK, gate_TK, scores_TE=scores_TE, probs_TE=nm.softmax(scores_TE))
    if learning:
        balance = balance_loss(gate_TK[:, 0], expert_TK[:, 0], case.E)
        distillation = distillation_loss(student_TE, expert_TK[:, 0])
        routing.losses.append(layer.Loss("balance", balance, case.router["balance_coefficient"]))
        routing.losses.append(layer.Loss("distillation", distillation, case.router["distillation_coefficient"]))
    return routing


def interesting(case, routing, t):
    """Student and backbone disagree somewhere."""
    hidden_TD = t["hidden"].reshape(case.T, case.D)
    return (linear.scores(hidden_TD, t).argmax(1) != student_scores(t).argmax(1)).any()
