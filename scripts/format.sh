#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C and C++ sources by .clang-format, or with --check only says which are not formatted.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check=''
case ${1:-} in
  '') ;;
  --check) check=1 ;;
  -h | --help)
    echo "Usage: scripts/format.sh [--check]"
    exit 0
    ;;
  *) die "unknown argument '$1'; only --check is known" ;;
esac

# Each version of clang-format breaks some lines its own way, and the sources follow Debian 12's.
readonly kVersion=14
version=$(clang-format --version | sed -nE 's/.*version ([0-9]+)\..*/\1/p')
if [[ $version != "$kVersion" ]]; then
  say "clang-format $version is not the $kVersion that the sources follow: left alone"
  exit 0
fi

# The C halves in bpf/ follow the kernel's own style instead.
sources() {
  find agent exporters packaging tests \( -name '*.cpp' -o -name '*.h' \) -print0
  find bpf -name '*.cpp' -print0
}

if [[ -z $check ]]; then
  sources | xargs --null --no-run-if-empty clang-format --style=file -i
  exit 0
fi
offenders=$(sources | xargs --null --no-run-if-empty clang-format --style=file --dry-run 2>&1 |
  sed -nE 's/^([^:]+:[0-9]+):.*clang-formatted.*/\1: not formatted/p' | sort --unique --version-sort)
[[ -z $offenders ]] || {
  printf '%s\n' "$offenders" >&2
  die "run scripts/format.sh and look at what it changes"
}
