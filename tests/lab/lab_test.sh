#!/usr/bin/env bash
# Tests of ./lab: what it says when it cannot go on, and how it continues after an interruption. No network, no build:
# what would fetch or compile is replaced by a function that writes a few files.
# Usage: lab_test.sh PATH-TO-LAB
set -euo pipefail

LAB=$(readlink -f "$1")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
PASSED=0
FAILED=0

expect() { # WHAT ACTUAL EXPECTED
  if [[ $2 == "$3" ]]; then
    PASSED=$((PASSED + 1))
  else
    FAILED=$((FAILED + 1))
    printf 'FAILED %s\n  expected: %s\n  actual:   %s\n' "$1" "$3" "$2"
  fi
}

expect_contains() { # WHAT TEXT PART
  if [[ $2 == *"$3"* ]]; then expect "$1" yes yes; else expect "$1" "$2" "…$3…"; fi
}

# Runs ./lab as on a machine with nothing set but what the test names; leaves OUTPUT and STATUS.
lab() {
  STATUS=0
  OUTPUT=$(env -u DISPLAY -u WAYLAND_DISPLAY MOESCOPE_CACHE="$WORK/cache" "$@" </dev/null 2>&1) || STATUS=$?
}

# Runs a snippet with the functions of ./lab at hand and the cache in $WORK/cache.
with_functions() { # SNIPPET
  STATUS=0
  OUTPUT=$(MOESCOPE_CACHE="$WORK/cache" bash -c "source '$LAB'; set_cache; $1" </dev/null 2>&1) || STATUS=$?
}

# --- Words -----------------------------------------------------------------------------------------------------------

lab "$LAB" --help
expect '--help succeeds' "$STATUS" 0
expect_contains '--help names the commands' "$OUTPUT" 'test [--long]'

lab "$LAB" --version
expect '--version' "$STATUS $OUTPUT" "0 MoEScope $(sed -n 's/^project(MoEScope VERSION \([0-9.]*\).*/\1/p' "${LAB%/*}/CMakeLists.txt")"

lab "$LAB" tset
expect 'an unknown command' "$STATUS $OUTPUT" \
  "2 lab: there is no command 'tset'; there are run, test, cli, bench, setup, format and tidy."

lab "$LAB" test --lnog
expect 'an unknown option' "$STATUS $OUTPUT" "2 lab: test takes only --long, not '--lnog'."

# --- Where it cannot go on -------------------------------------------------------------------------------------------

printf 'PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nVERSION_ID="24.04"\n' >"$WORK/os-release"
lab MOESCOPE_OS_RELEASE="$WORK/os-release" "$LAB" run
expect 'another system' "$STATUS $OUTPUT" "1 lab: MoEScope needs Debian 12 on x86_64 for its packages (g++ 12, Qt 6.4, \
Python 3.11); this is Ubuntu 24.04 LTS on x86_64."

lab MOESCOPE_OS_RELEASE="$WORK/none" "$LAB" setup
expect_contains 'a system that does not say what it is' "$OUTPUT" 'this is an unknown system on'

lab "$LAB" run
expect 'no display' "$STATUS $OUTPUT" "2 lab: there is no display to open a window on (neither DISPLAY nor \
WAYLAND_DISPLAY is set); without one, use: ./lab cli train sample_configs/two_stage_workshop.toml"

touch "$WORK/file"
lab MOESCOPE_CACHE="$WORK/file/cache" "$LAB" setup
expect 'a cache that cannot be written' "$STATUS $OUTPUT" "1 lab: cannot write to $WORK/file/cache; make it writable, or \
name another folder with MOESCOPE_CACHE=/some/folder."

lab HOME= MOESCOPE_CACHE= "$LAB" setup
expect 'no home' "$STATUS $OUTPUT" '1 lab: neither HOME nor MOESCOPE_CACHE is set, so there is no place for the cache.'

with_functions 'free_kb() { echo 2097152; }; set_up'
expect 'too little space' "$STATUS $OUTPUT" "1 lab: setting up needs about 6 GB in $WORK/cache, and 2 GB are free; free \
some space, or name a roomier folder with MOESCOPE_CACHE=/some/folder."

with_functions 'can_be_root() { false; }; missing_packages() { echo mold; echo ccache; }; ensure_packages mold ccache'
expect 'missing packages and no way to install them' "$STATUS $OUTPUT" "1 lab: Debian packages are missing and neither \
root nor sudo is at hand to install them; as root, run: apt-get install -y --no-install-recommends mold ccache"

with_functions 'missing_packages bash no-such-package'
expect 'missing packages are told from installed ones' "$STATUS $OUTPUT" '0 no-such-package'

with_functions 'run_logged noisy bash -c "echo the reason; exit 3" || fail "it did not work."'
expect 'a failed step shows the end of its log and where it is' "$STATUS $OUTPUT" "1 the reason
lab: the log of this step is $WORK/cache/log/noisy.log
lab: it did not work."

# --- Interruptions ---------------------------------------------------------------------------------------------------

# An archive like the real one, and a "download" that copies it.
top=imgui_bundle-1.0
mkdir -p "$WORK/$top/external/"{imgui/imgui/backends,imgui/bindings,imgui_test_engine/imgui_test_engine/imgui_test_engine}
touch "$WORK/$top/external/"{imgui/imgui/imgui.cpp,imgui/imgui/backends/gl.cpp,imgui/bindings/no.py} \
  "$WORK/$top/external/imgui_test_engine/imgui_test_engine/imgui_test_engine/imgui_te_engine.cpp"
tar -C "$WORK" -czf "$WORK/$top.tar.gz" "$top"
fake_download="download_imgui() { mkdir -p \"\$1\"; cp '$WORK/$top.tar.gz' \"\$1\"; }"

mkdir -p "$WORK/cache/imgui/imgui" "$WORK/cache/imgui.new/rubbish"
with_functions "$fake_download; setup_imgui"
expect 'half-unpacked sources are redone' "$STATUS $(cd "$WORK/cache/imgui" && find . -type f | sort | tr '\n' ' ')" \
  '0 ./.moescope-ready ./imgui/backends/gl.cpp ./imgui/imgui.cpp ./imgui_test_engine/imgui_test_engine/imgui_te_engine.cpp '
expect 'nothing temporary is left' "$(cd "$WORK/cache" && compgen -G 'imgui*')" imgui

with_functions 'download_imgui() { echo "downloads again"; }; setup_imgui'
expect 'finished sources are kept' "$STATUS $OUTPUT" '0 '

with_functions 'imgui_key() { echo another version; }; download_imgui() { false; }; setup_imgui'
expect_contains 'another version is fetched, and its failure told' "$STATUS $OUTPUT" \
  '1 [4/6] Dear ImGui sources (48 MB)…
lab: the Dear ImGui sources could not be downloaded; check the network, then run again to continue.'
expect 'the old sources outlive a failed download' "$(ls "$WORK/cache/imgui/imgui/imgui.cpp")" \
  "$WORK/cache/imgui/imgui/imgui.cpp"

# shellcheck disable=SC2016 # $new is expanded where the snippet runs
fake_pip='PYTHON=fake; run_logged() { mkdir -p "$new"; touch "$new/made"; }; pip() { echo "pip installs"; }'
mkdir -p "$WORK/cache/venv" "$WORK/cache/venv.new"
touch "$WORK/cache/venv/half" "$WORK/cache/venv.new/half"
with_functions "$fake_pip; verify_wheels() { [[ \$1 == *.new ]]; }; setup_venv"
expect 'a half-made Python environment is redone' "$STATUS $(cd "$WORK/cache/venv" && echo .m* *)" \
  '0 .moescope-ready made'

with_functions "$fake_pip; setup_venv"
expect 'a finished one is kept' "$STATUS $OUTPUT" '0 '

mv "$WORK/cache/venv" "$WORK/cache/venv.new"
with_functions "$fake_pip; verify_wheels() { false; }; setup_venv; venv_ready"
expect 'one that was finished but not yet moved is moved' "$STATUS $OUTPUT" '0 '

rm "$WORK/cache/venv/.moescope-ready"
with_functions "$fake_pip; verify_wheels() { true; }; setup_venv; venv_ready"
expect 'a whole one without a stamp is adopted' "$STATUS $OUTPUT" \
  "0 [2/6] The Python environment in $WORK/cache/venv is whole; kept."

rm "$WORK/cache/venv/.moescope-ready"
with_functions "$fake_pip; verify_wheels() { false; }; setup_venv"
expect 'a damaged installation fails' "$STATUS" 1
expect_contains 'and says so' "$OUTPUT" "what was installed in $WORK/cache/venv.new is damaged; check the disk"

mkdir -p "$WORK/cache/venv-test.new"
touch "$WORK/cache/venv-test.new/half"
with_functions "$fake_pip; verify_wheels() { false; }; setup_test_venv"
expect_contains 'a damaged environment of the tests is told' "$STATUS $OUTPUT" \
  "what was installed in $WORK/cache/venv-test.new is damaged; check the disk"
with_functions "$fake_pip; verify_wheels() { true; }; setup_test_venv; test_venv_ready"
expect 'and made anew' "$STATUS $(cd "$WORK/cache/venv-test" && echo .m* *)" '0 .moescope-ready made'
with_functions "$fake_pip; setup_test_venv"
expect 'and then kept' "$STATUS $OUTPUT" '0 '

(
  exec 9>"$WORK/lock"
  flock 9
  sleep 1
) &
sleep 0.3
with_functions "with_lock '$WORK/lock' echo mine"
expect 'a second set-up waits for the first' "$STATUS $OUTPUT" "0 Another ./lab is at work; waiting for it ($WORK/lock)…
mine"
wait

# --- Whether to build ------------------------------------------------------------------------------------------------

mkdir -p "$WORK/root/core" "$WORK/root/tests" "$WORK/root/build/release"
touch -d '1 hour ago' "$WORK/root/"{CMakeLists.txt,core/a.cpp,tests/a_test.cpp,build/release/.lab-configured}
touch -d '1 hour ago' "$WORK/root/"{core,tests} "$WORK/cache/"{venv,imgui}/.moescope-ready 2>/dev/null || true
built="ROOT='$WORK/root'; if built release cli; then echo built; else echo stale; fi"
with_functions "$built"
expect 'never built' "$OUTPUT" stale
touch -d '1 minute ago' "$WORK/root/build/release/.lab-built-"{cli,all}
with_functions "$built"
expect 'nothing changed' "$OUTPUT" built
touch "$WORK/root/tests/a_test.cpp"
with_functions "$built"
expect 'programs do not depend on tests' "$OUTPUT" built
with_functions "${built/release cli/release all}"
expect 'tests do' "$OUTPUT" stale
rm "$WORK/root/core/a.cpp"
with_functions "$built"
expect 'a file that went' "$OUTPUT" stale

echo "$PASSED passed, $FAILED failed"
((FAILED == 0))
