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
[[ -e build/$preset/build.ninja ]] || cmake --preset "$preset"
exec cmake --build --preset "$preset" ${1:+--target "$@"}
