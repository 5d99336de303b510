#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packaging/hardened.sh BINARY...: whether each was compiled and linked as distributions want their services to be. All that one lacks
# is said.
set -euo pipefail
((${#})) || {
  echo "usage: packaging/hardened.sh BINARY..." >&2
  exit 2
}

# Each line: what a hardened binary has, and what "readelf --wide" shows of it then.
readonly kWanted='addresses that differ from run to run (PIE)|FLAGS_1.* PIE
relocations that are read-only (RELRO)|GNU_RELRO
symbols that are bound at the start (BIND_NOW)|FLAGS.* (BIND_)?NOW
a stack that is not executable|GNU_STACK .* RW +0x
a check of the stack at returns (-fstack-protector)| __stack_chk_fail
checks of lengths (_FORTIFY_SOURCE)| __[a-z]+_chk@'

failed=''
for binary; do
  shown=$(readelf --wide --program-headers --dynamic --dyn-syms -- "$binary")
  while IFS='|' read -r what pattern; do
    grep --quiet --extended-regexp -- "$pattern" <<<"$shown" && continue
    echo "hardened.sh: $binary lacks $what" >&2
    failed=1
  done <<<"$kWanted"
done
[[ ! $failed ]]
