#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs package.sh for each Debian on each kernel, one after the other, and says in a table what became of them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
readonly kSuites=(bookworm trixie)
readonly kKernels=(bullseye-security=5.10 bookworm-security=6.1 trixie=6.12 trixie-backports=6.18)

usage() {
  cat <<USAGE
Usage: tests/vm/package_matrix.sh [--update-readme] [SUITE...]

SUITE is a Debian (default: ${kSuites[*]}); each is run on ${kKernels[*]}.
  --update-readme  write the repository's README.md anew if all went well
CONNSCOPE_BUILD_DIR is as for package.sh.
USAGE
}

suites=() update_readme=''
for argument in "$@"; do
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    --update-readme) update_readme=1 ;;
    -*)
      usage >&2
      exit 2
      ;;
    *) suites+=("$argument") ;;
  esac
done
((${#suites[@]})) || suites=("${kSuites[@]}")
results=${CONNSCOPE_BUILD_DIR:-$root/build/release}/vm/package

failed=()
for suite in "${suites[@]}"; do
  rm -rf "${results:?}/$suite"
  for kernel in "${kKernels[@]}"; do
    start=$SECONDS status=0
    echo "==> $suite on $kernel"
    "$here/package.sh" "$suite" "$kernel" || status=$?
    ((status == 0)) || failed+=("$suite on $kernel")
    echo "==> $suite on $kernel: status $status after $((SECONDS - start)) s"
  done
done
# A table with failures is for the eyes alone.
((${#failed[@]} == 0)) || update_readme=''
python3 -B "$here/package_table.py" ${update_readme:+--update "$root/README.md"} "$results"
((${#failed[@]} == 0)) || {
  printf 'package_matrix.sh: failed: %s\n' "${failed[@]}" >&2
  exit 1
}
