#!/usr/bin/env python3
"""Recomputes printed numbers of the methods on the fixture F1 and small cases. Exit code 1 when one does not reproduce.

A printed number counts as reproduced within half a unit of its last digit. F1: six tokens of width 2, three router
rows, experts f_i(h) = (i + 1)·h.
"""
import itertools
import math
import re
import sys

import numpy as np

import gradients
import layer
import numerics as nm
from methods import base, dselect_k, expert_choice, hyperrouter, linear, loss_free, mot, noisy_topk, remoe
from methods import smoe, soft_moe, st_moe, stablemoe, switch, thor, xmoe

HIDDEN_TD = np.array([(1, 0), (0, 1), (1, 0.5), (-1, 2), (2, 0), (-2, 0.5)])
ROWS_ED = np.array([(1, 0), (0, 1), (-1, 0.25)])
F1 = {"router.rows": ROWS_ED, "hidden": HIDDEN_TD[None]}
SCORES_TE = linear.scores(HIDDEN_TD, F1)
PROBS_TE = nm.softmax(SCORES_TE)
BEST_T = np.array([0, 1, 0, 1, 0, 2])

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Report:
    def __init__(self):
        self.wrong, self.count = [], 0

    def numbers(self, name, got, printed):
        """printed: numbers in text, each compared to its printed precision."""
        wanted = re.findall(r"[-−]?(?:\d+\.?\d*|\.\d+)", printed)
        got = np.ravel(np.real(got))
        if len(wanted) != len(got):
            self.wrong.append(f"{name}: {len(got)} numbers, printed are {len(wanted)}")
            return
        for value, text in zip(got, wanted):
            self.count += 1
            decimals = len(text.partition(".")[2])
            if abs(value - float(text.replace("−", "-"))) > 0.5 * 10**-decimals + 1e-12:
                self.wrong.append(f"{name}: printed {text}, computed {value:.{decimals + 3}f}")

    def true(self, name, holds):
        self.count += 1
        if not holds:
            self.wrong.append(f"{name}: does not hold")


def f1_case(mode="train", **router):
    return layer.Case("f1", B=1, L=6, D=2, E=3, router=router, mode=mode)


def scaling_expert(e, x_MD):
    return (e + 1) * x_MD


def output(routing, hidden_TD=HIDDEN_TD):
    return routing.combine(hidden_TD, scaling_expert).real


@check
def fixture_f1(report):
    printed = "1 0 -1  0 1 .25  1 .5 -.875  -1 2 1.5  2 0 -2  -2 .5 2.125"
    report.numbers("F1 scores", SCORES_TE, printed)
    printed = """.665241 .244728 .090031 .199908 .543406 .256687 .568219 .344642 .087139
                 .030059 .603749 .366192 .866813 .117310 .015876 .013324 .162324 .824351"""
    report.numbers("F1 softmax", PROBS_TE, printed)
    report.true("F1 argmax", (SCORES_TE.argmax(1) == BEST_T).all())
    report.numbers("F1 loads", np.bincount(BEST_T), "3 2 1")
    report.numbers("F1 mean probabilities", PROBS_TE.mean(0), ".390594,.336027,.273379")


@check
def stablemoe_oracle(report):
    case = f1_case(balance_coefficient=1, distillation_coefficient=1)
    student = {"router.student.rows": 0.5 * ROWS_ED, "router.student.embedding": HIDDEN_TD, "token_id": np.arange(6)}
    routing = stablemoe.route(case, HIDDEN_TD, F1 | student)
    balance, distillation = (loss.value for loss in routing.losses)
    report.numbers("StableMoE gates", routing.gate_N, ".731059,.731059,.731059,.880797,.880797,.893309")
    printed = """(1.731059,0) (0,2.462117) (1.731059,.865529) (−2.761594,5.523188) (3.761594,0) (−7.359856,1.839964)"""
    report.numbers("StableMoE output with h", HIDDEN_TD + output(routing), printed)
    report.numbers("StableMoE balance, sum", 6 * balance, "0.724802")
    report.numbers("StableMoE balance × 0.3, sum", 0.3 * 6 * balance, "0.217441")
    report.numbers("StableMoE distillation, sum", 6 * distillation, "3.838759")
    zero = stablemoe.distillation_loss(np.zeros((6, 3)), BEST_T)
    report.numbers("StableMoE distillation of zero scores", 6 * zero, "6.591674")
    stablemoe_gradient(report)


def stablemoe_gradient(report):
    def balance(arrays):
        gate_T = nm.sigmoid(nm.take(arrays["scores"], BEST_T[:, None]))[:, 0]
        return 6 * stablemoe.balance_loss(gate_T, BEST_T, 3)

    got_TE = gradients.complex_step(balance, {"scores": SCORES_TE})["scores"]
    gate_T = nm.sigmoid(SCORES_TE[range(6), BEST_T])
    wanted_TE = np.zeros((6, 3))
    wanted_TE[range(6), BEST_T] = (np.bincount(BEST_T)[BEST_T] - 2) / 2 * gate_T * (1 - gate_T)
    report.true("StableMoE balance gradient", np.allclose(got_TE, wanted_TE, rtol=1e-14, atol=0))


@check
def hyperrouter_sizes(report):
    d, H, N = 256, 256, 16
    report.numbers("HyperRouter frozen numbers", [H * (d + 1), N * (d + 1) * (H + 1)], "65792 1056784")
    large = 8 * (256 * (352 + 1) + 16 * (352 + 1) * (256 + 1)) / 1e6
    report.numbers("HyperRouter frozen numbers at d = 352, millions", large, "12.34")
    report.numbers("HyperRouter deviation at the start", math.sqrt(H * 0.02**2 * (d * 0.02**2) / 2), "0.072")


@check
def k_staircase(report):
    first_step = {}
    for step in range(400_001):
        first_step.setdefault(min(max(round(8 * step / 400_000) + 8, 8), 16), step)
    steps = [first_step[k] for k in range(9, 17)]
    report.numbers("SMoE-Dropout steps", steps, "25001 75000 125001 175000 225001 275000 325001 375000")


@check
def hyperrouter_oracle(report):
    first_column = np.array([(0.1,), (0.2,), (0.3,), (-0.4,), (0.5,), (-0.6,)])
    t = {"router.embedding": np.array([1.0, -1]), "router.hyper.w1": np.eye(2), "router.hyper.b1": np.zeros(2)}
    t |= {"router.hyper.w2": np.hstack([first_column, 0 * first_column]), "router.hyper.b2": np.zeros(6)}
    scores_TE = hyperrouter.scores(np.array([[1.0, 2]]), t)
    report.numbers("HyperRouter scores", scores_TE, ".8,0")
    report.numbers("HyperRouter gates", smoe.route_scores(scores_TE, 2)[0].gate_N, ".689974,.310026")


@check
def top_two(report):
    routing, expert_TK = smoe.route_scores(SCORES_TE, 2)
    report.true("top-2 pairs", (expert_TK == [(0, 1), (1, 2), (0, 1), (1, 2), (0, 1), (2, 1)]).all())
    printed = ".731059 .268941 .679179 .320821 .622459 .377541 .622459 .377541 .880797 .119203 .835484 .164516"
    report.numbers("top-2 gates", routing.gate_N.reshape(2, 6).T, printed)
    printed = "(1.268941,0),(0,2.320821),(1.377541,.688770),(−2.377541,4.755081),(2.238406,0),(−5.670967,1.417742)"
    report.numbers("top-2 output", output(routing), printed)
    balance = layer.balance_loss(PROBS_TE, expert_TK)
    report.numbers("top-2 balance, usual and halved", [balance, balance / 2], "1.002020 0.501010")


@check
def mixture_of_tokens(report):
    hidden_TD = np.eye(2)
    for temperature, outputs, entropies in (
        (1, ".538945,.286965 .286965,1.887124", ".839942,.275360"),
        (0.1, ".999909,.000045 .000045,2.000000", ".000720, 0"),
    ):
        case = layer.Case("pair", B=2, L=1, D=2, E=2, router={"group_size": 2, "temperature": temperature})
        routing = mot.route(case, hidden_TD, {"router.rows": np.array([(1.0, -1), (0, 2)]).T})
        weight_IE = routing.combine_GIES[0, :, :, 0]
        if temperature == 1:
            report.numbers("MoT weights", weight_IE, ".731059,.047426 .268941,.952574")
            report.numbers("MoT mixes", weight_IE.T @ hidden_TD, ".731059,.268941 .047426,.952574")
        report.numbers(f"MoT output, temperature {temperature}", output(routing, hidden_TD), outputs)
        entropy_E = -(weight_IE * np.log(weight_IE)).sum(0) / math.log(2)
        report.numbers(f"MoT entropies, temperature {temperature}", entropy_E, entropies)


@check
def thor_oracle(report):
    p, q = np.array([0.7, 0.2, 0.1]), np.array([0.5, 0.3, 0.2])
    divergences = [(p * np.log(p / q)).sum(), (q * np.log(q / p)).sum()]
    report.numbers("THOR divergences", divergences, ".085123 .092033")
    report.numbers("THOR half-sum", thor.consistency(np.log(p)[None], np.log(q)[None]), ".088578")


@check
def xmoe_oracle(report):
    t = F1 | {"router.reduce": np.eye(2), "router.log_temperature": np.log([0.3])}
    scores_TE = xmoe.cosines(HIDDEN_TD, t)
    printed = """1,0,−.970143 0,1,.242536 .894427,.447214,−.759257
                 −.447214,.894427,.650791 1,0,−.970143 −.970143,.242536,1"""
    report.numbers("X-MoE cosines", scores_TE, printed)
    case = f1_case(top_k=1, gate="softmax", balance_coefficient=1, balance_temperature=0.3)
    routing = xmoe.route(case, HIDDEN_TD, t)
    report.numbers("X-MoE softmax gates", routing.gate_N, ".964246,.896265,.813505,.687125,.964246,.924664")
    report.numbers("X-MoE balance", routing.losses[0].value, "1.122973")
    gate_TK = xmoe.gates(f1_case(top_k=1, gate="sigmoid"), scores_TE, scores_TE.argmax(1)[:, None], 0.07)
    report.true("X-MoE sigmoid gates above .99999", (gate_TK > 0.99999).all())


@check
def switch_oracle(report):
    case = f1_case(jitter=0, balance_coefficient=1, min_capacity=1)
    routing = switch.route(case, HIDDEN_TD, F1)
    report.numbers("Switch balance", routing.losses[0].value, "1.058607")
    printed = """(.665241,0),(0,1.086811),(.568219,.284109),(−1.207498,2.414996),(1.733627,0),(−4.946107,1.236527)"""
    report.numbers("Switch output", output(routing), printed)
    case.capacity_factor = 1
    dropped_T = ~switch.route(case, HIDDEN_TD, F1).kept_N
    report.true("Switch drops t4", np.flatnonzero(dropped_T).tolist() == [4])
    order_T = np.argsort(-PROBS_TE.max(1))
    dropped_T = order_T[switch.arrival(BEST_T[order_T]) >= switch.capacity(case)]
    report.true("Switch by priority drops t2", dropped_T.tolist() == [2])


@check
def noisy_top_k_oracle(report):
    clean_TE, width_TE = np.array([[1.0, 0, -1]]), np.full((1, 3), 0.5)
    chances_TE = noisy_topk.in_top_k(clean_TE, clean_TE, width_TE, 1)
    report.numbers("noisy top-k chances", chances_TE, ".977250 .022750 .0000317")
    kth_for_all = nm.normal_cdf((clean_TE - clean_TE.max()) / width_TE)
    report.numbers("noisy top-k, one threshold for all", kth_for_all[0, 0], ".5")
    routing, _ = smoe.route_scores(SCORES_TE, 2)
    importance_E = np.bincount(routing.expert_N, routing.gate_N)
    report.numbers("importance", importance_E, "2.234315,2.231840,1.533846")
    report.numbers("importance CV², sample", noisy_topk.cv_squared(importance_E), ".040744")


@check
def base_oracle(report):
    best, second = base.best_assignments(SCORES_TE)
    report.true("BASE assignment, unique", best[1] == (0, 1, 1, 2, 0, 2) and second[0] < best[0])
    report.numbers("BASE sums, optimal and greedy", [best[0], SCORES_TE.max(1).sum()], "8.125 9.125")
    balanced = [way for way in itertools.product(range(3), repeat=6) if sorted(way) == [0, 0, 1, 1, 2, 2]]
    report.true("BASE by enumeration", max(balanced, key=lambda way: SCORES_TE[range(6), way].sum()) == best[1])
    best, _ = base.best_assignments(np.array([(5, 1), (4, 2), (3, 2.5), (2, 1)]))
    report.true("BASE 4×2 assignment", best[1] == (0, 0, 1, 1))
    report.numbers("BASE 4×2 sum", best[0], "12.5")


@check
def balanced_hash(report):
    load_E, expert = [0, 0, 0], []
    for frequency in (50, 30, 20, 15, 10, 5):
        expert.append(load_E.index(min(load_E)))
        load_E[expert[-1]] += frequency
    report.numbers("hash experts and loads", expert + load_E, "0,1,2,2,1,2 50,40,40")


@check
def expert_choice_oracle(report):
    routing = expert_choice.route(f1_case(capacity=1), HIDDEN_TD, F1)
    report.numbers("expert choice tokens", routing.token_N, "4 0 3 1 5 3")
    report.numbers("expert choice gates", routing.gate_N, ".866813 .665241 .603749 .543406 .824351 .366192")


@check
def soft_moe_oracle(report):
    dispatch, combine = soft_moe.weights(np.eye(2).reshape(1, 2, 2, 1))
    report.numbers("Soft MoE dispatch", dispatch, ".731059,.268941 .268941,.731059")
    report.numbers("Soft MoE combine", combine, ".731059,.268941 .268941,.731059")
    routing = layer.Dense(np.arange(2)[None], dispatch, combine)
    report.numbers("Soft MoE output", output(routing, np.eye(2)), ".679106,.589836 .589836,1.141223")


@check
def z_loss_oracle(report):
    report.numbers("z-loss", st_moe.z_loss(SCORES_TE), "3.877026")
    report.true("z-loss of zero scores", math.isclose(st_moe.z_loss(np.zeros((4, 5))), math.log(5) ** 2))


@check
def loss_free_oracle(report):
    case = f1_case("eval", top_k=2, route_scale=1)
    load_E = loss_free.route(case, HIDDEN_TD, F1 | {"router.balance_bias": np.zeros(3)}).load(3)
    report.numbers("loss-free counts and signs", [*load_E, *np.sign(4 - load_E)], "3,6,3 1,-1,1")
    routing = loss_free.route(case, HIDDEN_TD, F1 | {"router.balance_bias": np.array([-0.3, 0, 0.3])})
    report.numbers("loss-free counts with bias", routing.load(3), "1,6,5")
    sets = [tuple(sorted(pair)) for pair in routing.expert_N.reshape(2, 6).T.tolist()]
    report.true("loss-free sets with bias", sets == [(1, 2), (1, 2), (1, 2), (1, 2), (0, 1), (1, 2)])
    gate_of = {int(e): g for t, e, g in zip(routing.token_N, routing.expert_N, routing.gate_N) if t == 0}
    report.numbers("loss-free gates of t0, experts 2 and 1", [gate_of[2], gate_of[1]], ".349755 .650245")


@check
def remoe_oracle(report):
    gate_TE = nm.relu(SCORES_TE)
    report.numbers("ReMoE gates", gate_TE, "1,0,0 0,1,.25 1,.5,0 0,2,1.5 2,0,0 0,.5,2.125")
    report.numbers("ReMoE load factors", (gate_TE > 0).sum(0) * 3 / 6, "1.5,2,1.5")
    values = [remoe.l1_loss(gate_TE, 1), remoe.l1_loss(gate_TE, 1, balanced=False)]
    report.numbers("ReMoE loss, balanced and plain", values, "3.302083 1.979167")
    report.numbers("ReMoE sparsity", (gate_TE == 0).mean(), ".444444")


@check
def dselect_k_oracle(report):
    code_KB = np.array([(0.1, -0.2), (0.6, 0)])
    gate_E, _ = dselect_k.gates(code_KB, np.zeros(2), 4)
    report.numbers("DSelect-k steps", dselect_k.smooth_step(code_KB), ".648,.216 1,.5")
    report.numbers("DSelect-k gates", gate_E, ".137984,.038016,.504016,.319984")


def main():
    report = Report()
    for one in CHECKS:
        one(report)
    print("\n".join(report.wrong + [f"{report.count} numbers and statements checked, {len(report.wrong)} wrong"]))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
