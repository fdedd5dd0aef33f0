#!/usr/bin/env bash
# Runs every fuzz target of a build for some seconds, one after another. What is found lies in FOLDER/findings/TARGET.
# Exit code 1: something was found.
set -euo pipefail

[[ $# -ge 2 ]] || { echo "usage: tests/fuzz/run.sh BUILD_FOLDER SECONDS [TARGET…]" >&2; exit 2; }
folder=$1 seconds=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
targets=("$@")
((${#targets[@]})) || targets=(config safetensors frames commands run_file texts messages)

export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
"$folder/bin/fuzz_seeds" "$folder/seeds" 2>/dev/null
status=0
for target in "${targets[@]}"; do
  mkdir -p "$folder/corpus/$target" "$folder/findings/$target"
  options=(-max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1
    -artifact_prefix="$folder/findings/$target/")
  dictionary=$root/tests/fuzz/$target.dict
  [[ ! -e $dictionary ]] || options+=(-dict="$dictionary")
  [[ $target != run_file ]] || options+=(-max_len=400000)
  log=$folder/findings/$target.log
  if "$folder/bin/fuzz_$target" "${options[@]}" "$folder/corpus/$target" "$folder/seeds/$target" 2>"$log" >&2; then
    echo "fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions in $seconds s, nothing found"
  else
    echo "fuzz $target: FOUND something; the input lies in $folder/findings/$target, the report in $log"
    tail -n 40 "$log" >&2
    status=1
  fi
done
exit $status
