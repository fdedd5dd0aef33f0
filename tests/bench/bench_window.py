#!/usr/bin/python3
"""What the window costs: steps per second with it open (all views) and without, in turn, in one run.

./lab bench window [CONFIG] [--steps N] [--rounds N]      needs a display, or xvfb-run

Watching cost is the trainer thread's time in probe and publish over its step time, as recorded in the run; the first
30 steps of every run are left out. Ratios within one call are what counts: machines are shared.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import tempfile

WARM_UP_STEPS = 30
BIN = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(BIN, "..", "..", "..", "sample_configs")


def figures(folder):
    lines = os.path.join(folder, "export")
    subprocess.run([os.path.join(BIN, "moescope-cli"), "export", folder, "--jsonl", "--out", lines],
                   check=True, stdout=subprocess.DEVNULL)
    steps = [json.loads(line) for line in open(os.path.join(lines, "metrics.jsonl"))]
    steps = [step for step in steps if "step_ms" in step][WARM_UP_STEPS:]
    step_ms = sum(step["step_ms"] for step in steps)
    watch_ms = sum(step["watch_ms"] for step in steps)
    return 1000 * len(steps) / (step_ms + watch_ms), watch_ms / step_ms


def headless(config, steps, scratch):
    folder = os.path.join(scratch, "headless")
    subprocess.run([os.path.join(BIN, "moescope-cli"), "train", config, "--steps", str(steps), "--out", folder, "--json", "--no-probe"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def with_window(config, steps, scratch):
    screen = [] if os.environ.get("DISPLAY") else ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    subprocess.run(screen + [os.path.join(BIN, "moescope"), "--size", "1600x1000", "--screenshot", "window.png",
                             "--after-steps", str(steps), config],
                   check=True, cwd=scratch, env={**os.environ, "LIBGL_ALWAYS_SOFTWARE": "1"},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return max(glob.glob(os.path.join(scratch, "runs", "*")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default=os.path.join(SAMPLES, "two_stage_workshop.toml"))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.steps <= WARM_UP_STEPS:
        parser.error(f"--steps must be above {WARM_UP_STEPS}, the steps left out as warm-up")
    config = os.path.abspath(arguments.config)
    ratios = []
    for number in range(arguments.rounds):
        rates = {}
        for name, run in (("headless", headless), ("window", with_window)):
            scratch = tempfile.mkdtemp(prefix="moescope-bench-")
            try:
                rates[name], watching = figures(run(config, arguments.steps, scratch))
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            print(f"round {number + 1}  {name:9s} {rates[name]:6.2f} steps/s   watching cost {100 * watching:.2f} %", flush=True)
        ratios.append(rates["window"] / rates["headless"])
    print(f"window open / headless: {statistics.median(ratios):.3f} of the steps per second "
          f"(median of {len(ratios)}, {min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
