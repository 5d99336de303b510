#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures where that was not done yet, and builds into build/PRESET/. The agent is build/release/connscope.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<USAGE
Usage: scripts/build.sh [PRESET [TARGET...]]

PRESET is one of CMakePresets.json (default: release); without TARGET everything is built.
USAGE
}

[[ ${1:-} != -h && ${1:-} != --help ]] || {
  usage
  exit 0
}
[[ ${1:-} != -* ]] || {
  usage >&2
  die "unknown option '$1'"
}
preset=${1:-release}
shift || true

# Ubuntu 22.04 has g++ 11 under the plain name, which is too old, and g++ 12 beside it.
if [[ -z ${CXX:-} ]] && ! at_least "$(g++ -dumpversion 2>/dev/null || true)" 12 && command -v g++-12 >/dev/null; then
  export CC=gcc-12 CXX=g++-12
fi
use_any_bpftool
# scripts/run.sh needs none of the tests' packages; once they are there, the tests are built.
tests=OFF
! pkg-config --exists gmock benchmark || tests=ON
cache=build/$preset/CMakeCache.txt
if [[ ! -e build/$preset/build.ninja ]] || ! grep --quiet "^CONNSCOPE_TESTS:BOOL=$tests$" "$cache"; then
  [[ $tests == ON ]] || say "the tests are left out: scripts/setup.sh --test installs what they need"
  cmake --preset "$preset" -DCONNSCOPE_TESTS="$tests"
fi
exec cmake --build --preset "$preset" ${1:+--target "$@"}
