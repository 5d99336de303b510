#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C and C++ sources by .clang-format, or with --check only says which are not formatted.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=(-i)
case ${1:-} in
  '') ;;
  --check) mode=(--dry-run --Werror) ;;
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

find agent bpf exporters tests -name '*.cpp' -print0 -o -name '*.h' -print0 -o -name '*.c' -print0 |
  xargs --null --max-args=20 --max-procs=2 --no-run-if-empty clang-format --style=file "${mode[@]}"
