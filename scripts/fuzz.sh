#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets and runs each for some seconds, from its committed corpus; fails on any finding.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<USAGE
Usage: scripts/fuzz.sh [SECONDS [TARGET...]]

SECONDS is the time for each target (default 60). TARGET is the name of a tests/fuzz/TARGET.cpp; default: all.
New inputs are kept in build/fuzz/corpus/TARGET, an input that fails in build/fuzz/findings/.
USAGE
}

# fuzz SECONDS TARGET
fuzz() {
  local log=build/fuzz/$2.log
  mkdir -p "build/fuzz/corpus/$2" build/fuzz/findings
  if ! "build/fuzz/tests/fuzz/$2" -max_total_time="$1" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$2-" "build/fuzz/corpus/$2" "tests/fuzz/corpus/$2" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    say "fuzz target $2 failed; its whole output is in $log"
    return 1
  fi
  say "fuzz target $2: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
}

if [[ ${1:-} == --one ]]; then
  fuzz "$2" "$3"
  exit
fi
[[ ${1:-60} =~ ^[0-9]+$ ]] || {
  usage >&2
  exit 2
}
seconds=${1:-60}
shift || true
targets=("$@")
if ((${#targets[@]} == 0)); then
  mapfile -t targets < <(find tests/fuzz -maxdepth 1 -name '*_fuzz.cpp' -printf '%f\n' | sed 's/\.cpp$//' | sort)
fi
((${#targets[@]})) || die "no fuzz targets: there is no tests/fuzz/*_fuzz.cpp"
scripts/build.sh fuzz "${targets[@]}"
say "fuzzing for $seconds s each: ${targets[*]}"
# Two targets a CPU: what counts for the gate's time is how long each is fuzzed.
printf '%s\0' "${targets[@]}" | xargs --null --max-args=1 --max-procs="$((2 * $(nproc)))" scripts/fuzz.sh --one "$seconds"
