#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark one after the other, and ends with all the verdicts. Needs root, a release build with tests, and
# a machine with nothing else to do. What each prints, with its line of JSON, is kept in build/bench/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PYTHONDONTWRITEBYTECODE=1

readonly kOut=build/bench
failed=0
rm -rf "$kOut"
mkdir -p "$kOut"

# NAME COMMAND...: a missed bar or an error lets the others run all the same.
measure() {
  local name=$1
  shift
  printf '\n==> %s: %s\n' "$name" "$*"
  if ! "$@" 2>&1 | tee "$kOut/$name.txt" | grep -v '^{'; then
    failed=1
    printf 'FAIL  %s: a bar is missed, or it broke off\n' "$name" >>"$kOut/$name.txt"
  fi
}

printf 'kernel %s, %s CPUs, load before: %s\n' "$(uname -r)" "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg)"
measure overhead-same tests/bench/overhead.py
measure overhead-other tests/bench/overhead.py --accept=other --workers=1
measure overhead-without-calls tests/bench/overhead.py --config-extra=$'[probe.tcp]\ncalls = false'
measure overhead-echo tests/bench/overhead.py --echo=64
measure overhead-request tests/bench/overhead.py --load=request
measure overhead-bulk tests/bench/overhead.py --load=bulk
measure overhead-datagram tests/bench/overhead.py --load=datagram --bytes=512
measure overhead-dns tests/bench/overhead.py --load=dns
measure overhead-handshake tests/bench/overhead.py --load=handshake --key=rsa2048
measure overhead-tls-bulk tests/bench/overhead.py --load=tls-bulk
measure micro tests/bench/micro.py
measure scrape tests/bench/scrape.py
measure rest tests/bench/rest.py
measure ingest tests/bench/ingest.py
measure bad-receivers tests/bench/bad_receivers.py
measure host-side-by-side tests/bench/host_side_by_side.py
measure host-large build/release/tests/bench/host_bench

printf '\n==> summary\n'
grep -E '^(PASS|FAIL|WARNING)' "$kOut"/*.txt | sed "s|^$kOut/||; s|\.txt:|: |"
exit "$failed"
