#!/usr/bin/env python3
"""Breaks the storage code in small ways, one at a time, and says whether its tests notice.

Usage: run.py [--only WORD] [--tests A,B] [--list FILE] [--work FOLDER]. By hand, before a release: half an hour on two cores. The
tree is copied, so that nothing of yours is touched. Exit code 1 when a mutant survives.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ["record_test", "run_reader_test", "recorder_test", "recorder_faults_test", "recorder_kill_test"]
TIMEOUT_S = 180


def read_list(path):
    """Blocks of `# what it breaks`, `file: …`, `line: …`, `with: …`, with empty lines between."""
    mutants = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        mutant = {"name": "", "file": "", "line": "", "with": ""}
        for line in block.splitlines():
            if line.startswith("#"):
                mutant["name"] = line[1:].strip()
            else:
                key, _, value = line.partition(":")
                mutant[key] = value[1:]
        if mutant["file"]:
            mutants.append(mutant)
    return mutants


def copy_tree(work):
    """Only what differs is written, with the time of now: a run that was interrupted may have left a mutant built."""
    wanted = set()
    for top in ["CMakeLists.txt", "CMakePresets.json", "ARCHITECTURE.md", "lab", "cmake", "core", "kernels", "views", "app",
                "tests", "resources", "sample_configs"]:
        files = [ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*")
        wanted.update(path.relative_to(ROOT) for path in files if path.is_file() and "__pycache__" not in path.parts)
    for old in work.rglob("*"):
        name = old.relative_to(work)
        if old.is_file() and name.parts[0] != "build" and name not in wanted:
            old.unlink()
    for name in wanted:
        target, content = work / name, (ROOT / name).read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def build(folder, tests):
    return run(["ninja", "-C", str(folder), *tests, "recorder_victim"])


def failing_test(folder, tests):
    """The first test that notices, or None."""
    for test in tests:
        try:
            if run([str(folder / "bin" / test)], timeout=TIMEOUT_S, cwd=folder).returncode != 0:
                return test
        except subprocess.TimeoutExpired:
            return f"{test} (it hangs)"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only mutants whose name or file holds this word")
    parser.add_argument("--list", type=Path, default=Path(__file__).parent / "storage_mutants.txt")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--tests", type=lambda text: text.split(","), default=TESTS, help="test programs, in this order")
    arguments = parser.parse_args()
    mutants = [one for one in read_list(arguments.list) if arguments.only in one["name"] + one["file"]]
    copy_tree(arguments.work)
    # As deep as the real one and with paths made relative, so that ccache finds what was compiled there.
    folder = arguments.work / "build" / "release"
    os.environ.update(CCACHE_BASEDIR=str(arguments.work), CCACHE_NOHASHDIR="1")
    configured = run(["cmake", "-S", str(arguments.work), "-B", str(folder), "-G", "Ninja",
                      "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=ON"])
    built = configured if configured.returncode else build(folder, arguments.tests)
    if built.returncode:
        sys.exit("the tree does not build as it is:\n" + built.stdout[-4000:])
    if test := failing_test(folder, arguments.tests):
        sys.exit(f"{test} fails without any mutant")
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        path = arguments.work / mutant["file"]
        text = path.read_text(encoding="utf-8")
        if text.count(mutant["line"]) != 1:
            print(f"{number:2}. STALE     {mutant['name']}: its line is not exactly once in {mutant['file']}", flush=True)
            survivors.append(mutant["name"])
            continue
        start = time.monotonic()
        path.write_text(text.replace(mutant["line"], mutant["with"]), encoding="utf-8")
        built = build(folder, arguments.tests)
        test = "the compiler" if built.returncode else failing_test(folder, arguments.tests)
        path.write_text(text, encoding="utf-8")
        if not test:
            survivors.append(mutant["name"])
        print(f"{number:2}. {'killed  ' if test else 'SURVIVED'}  {mutant['name']}"
              f"{' — ' + test if test else ''} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants killed")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
