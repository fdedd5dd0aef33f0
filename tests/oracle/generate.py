#!/usr/bin/env python3
"""Writes fixtures/: for every method a few small MoE layers with inputs, outputs and gradients in fp64.

Usage: generate.py [FOLDER]. Needs NumPy only. Gradients come from the complex step and are held against central
differences before anything is written; cases near a tie or kink are drawn anew.
"""
import copy
import sys
import zlib
from pathlib import Path

import numpy as np

import gradients
import layer
import numerics as nm
import safetensors_file
from methods import base, dselect_k, expert_choice, gshard, hyperrouter, loss_free, mot, noisy_topk, remoe
from methods import sigmoid_topk, smoe, soft_moe, st_moe, stablemoe, switch, thor, xmoe

METHODS = [switch, gshard, smoe, stablemoe, xmoe, hyperrouter, mot, base, soft_moe, remoe, loss_free, noisy_topk]
METHODS += [expert_choice, dselect_k, st_moe, sigmoid_topk]

MIN_DISTANCE = 2e-3  # of every decision to a tie, far beyond the difference step
MAX_DISAGREEMENT = 1e-6
ATTEMPTS = 100_000


def generator(name, attempt=0):
    return np.random.default_rng([zlib.crc32(name.encode()), attempt])


class Problem:
    """One case with its tensors."""

    def __init__(self, method, case, rng):
        self.method, self.case = method, copy.deepcopy(case)
        self.case.draw_shapes(rng)
        case = self.case
        inputs = method.inputs(case, rng)
        self.frozen, self.given = inputs.frozen, inputs.given
        self.learned = {"hidden": rng.standard_normal((case.B, case.L, case.D)), **inputs.learned}
        self.learned |= layer.expert_parameters(case, rng, biases=getattr(method, "EXPERT_BIASES", True))
        self.given["grad_output"] = rng.standard_normal((case.B, case.L, case.D))

    def tensors(self):
        return {**self.learned, **self.frozen, **self.given}

    def forward(self, learned):
        t = {**learned, **self.frozen, **self.given}
        hidden_TD = t["hidden"].reshape(self.case.T, self.case.D)
        routing = self.method.route(self.case, hidden_TD, t)
        return routing, routing.combine(hidden_TD, layer.expert_of(self.case, t))

    def objective(self, learned):
        routing, output_TD = self.forward(learned)
        total = (output_TD * self.given["grad_output"].reshape(output_TD.shape)).sum()
        return total + sum(loss.coefficient * loss.value for loss in routing.losses)

    def usable(self):
        nm.start_watching()
        routing, _ = self.forward(self.learned)
        interesting = getattr(self.method, "interesting", None)
        return nm.nearest_decision() > MIN_DISTANCE and (
            interesting is None or interesting(self.case, routing, self.tensors())
        )


def find_problem(method, case):
    for attempt in range(ATTEMPTS):
        problem = Problem(method, case, generator(f"{method.ID}_{case.name}", attempt))
        if problem.usable():
            return problem
    raise SystemExit(f"{method.ID}_{case.name}: no case away from ties")


def routing_outputs(routing):
    if isinstance(routing, layer.Dense):
        return {
            "routing.member": routing.member_GI,
            "routing.dispatch": routing.dispatch_GIES.real,
            "routing.combine": routing.combine_GIES.real,
        }
    made = {
        "routing.token": routing.token_N.astype(np.int64),
        "routing.expert": routing.expert_N.astype(np.int64),
        "routing.gate": routing.gate_N.real,
        "routing.kept": routing.kept_N.astype(np.uint8),
    }
    if routing.scores_TE is not None:
        made |= {"scores": routing.scores_TE.real, "probs": routing.probs_TE.real}
    return made


def checked_gradients(name, objective, arrays):
    made = gradients.complex_step(objective, arrays)
    disagreement = gradients.largest_disagreement(objective, arrays, made)
    if disagreement > MAX_DISAGREEMENT:
        raise SystemExit(f"{name}: complex step and central differences disagree by {disagreement:.1e}")
    return {"grad." + key: value for key, value in made.items()}, disagreement


def outputs(problem):
    case = problem.case
    routing, output_TD = problem.forward(problem.learned)
    made = {"output": output_TD.real.reshape(case.B, case.L, case.D), "load": routing.load(case.E)}
    made |= routing_outputs(routing)
    for loss in routing.losses:
        made["loss." + loss.name] = np.float64(np.real(loss.value))
        made[f"loss.{loss.name}.coefficient"] = np.float64(loss.coefficient)
    made |= {"grad." + name: np.zeros(array.shape) for name, array in problem.frozen.items()}
    return made


def toml_value(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def toml(method, case):
    sections = {
        "data": {"corpus": "synthetic", "tokenizer": "bytes"},
        "model": {"num_layers": 2, "d_model": case.D, "num_heads": 1, "context": max(8, case.L)},
        "moe": {
            "method": method.ID,
            "placement": case.placement,
            "layers": "1",
            "num_experts": case.E,
            "expert_hidden": case.F,
            "capacity_factor": case.capacity_factor,
        },
        "moe.router": case.router,
        "train": {"batch_size": case.B},
    }
    lines = [f'name = "{method.ID}_{case.name}"\n']
    for section, keys in sections.items():
        if keys:
            lines.append(f"[{section}]\n" + "".join(f"{key} = {toml_value(value)}\n" for key, value in keys.items()))
    return "\n".join(lines)


def write_case(folder, method, case):
    problem = find_problem(method, case)
    case = problem.case
    name = f"{method.ID}_{case.name}"
    arguments = f"--mode {case.mode} --stage {case.stage} --step 0 --backward"
    made_gradients, disagreement = checked_gradients(name, problem.objective, problem.learned)
    (folder / f"{name}.toml").write_text(toml(method, case))
    safetensors_file.write(folder / f"{name}.in.safetensors", problem.tensors(), {"arguments": arguments})
    safetensors_file.write(folder / f"{name}.out.safetensors", {**outputs(problem), **made_gradients})
    shape = " ".join(f"{letter}={getattr(case, letter)}" for letter in "BLDEF")
    print(f"{name:24} {shape:22} differences {disagreement:.0e}")


def write_thor_loss(folder, name, num_tokens, vocabulary, alpha, num_padding, spread):
    rng = generator(name)
    logits = {f"logits_{p}": spread * rng.standard_normal((num_tokens, vocabulary)) for p in (1, 2)}
    target_T = rng.integers(0, vocabulary, num_tokens)
    target_T[rng.choice(num_tokens, num_padding, replace=False)] = thor.PADDING
    smoothing = 0.1

    def objective(arrays):
        task, consistency = thor.losses(arrays["logits_1"], arrays["logits_2"], target_T, smoothing)
        return task + alpha * consistency

    task, consistency = thor.losses(logits["logits_1"], logits["logits_2"], target_T, smoothing)
    made_gradients, disagreement = checked_gradients(name, objective, logits)
    scalars = {"alpha": np.float64(alpha), "label_smoothing": np.float64(smoothing)}
    safetensors_file.write(folder / f"{name}.in.safetensors", {**logits, "target": target_T, **scalars})
    made = {"total": objective(logits), "loss.task": task, "loss.consistency": consistency, **made_gradients}
    safetensors_file.write(folder / f"{name}.out.safetensors", made)
    print(f"{name:24} T={num_tokens} V={vocabulary:<14} differences {disagreement:.0e}")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "fixtures"
    folder.mkdir(exist_ok=True)
    for method in METHODS:
        for case in method.CASES:
            write_case(folder, method, case)
    write_thor_loss(folder, "thor_loss_small", 5, 7, alpha=5.0, num_padding=1, spread=1.0)
    write_thor_loss(folder, "thor_loss_confident", 8, 11, alpha=1.0, num_padding=3, spread=6.0)
    write_thor_loss(folder, "thor_loss_full", 6, 4, alpha=0.5, num_padding=0, spread=2.0)
    print(f"{sum(file.stat().st_size for file in folder.iterdir()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
