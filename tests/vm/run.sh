#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots Debian kernels in throw-away VMs and runs guest_smoke.sh with the built agent in each.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
  cat <<USAGE
Usage: tests/vm/run.sh [KERNEL...]

KERNEL is what run-in-vm takes (README.md beside this file); default: ${default_kernels[*]}
CONNSCOPE_BUILD_DIR is where the agent was built (default build/release).
USAGE
}
default_kernels=(bullseye-security=5.10 bookworm-security=6.1 trixie=6.12 trixie-backports=6.18)

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  -*)
    usage >&2
    exit 2
    ;;
esac
kernels=("$@")
((${#kernels[@]})) || kernels=("${default_kernels[@]}")
build_dir=${CONNSCOPE_BUILD_DIR:-$root/build/release}

overlay=$(mktemp -d "${TMPDIR:-/tmp}/connscope-vm.XXXXXX")
trap 'rm -rf "$overlay"' EXIT
mkdir -p "$overlay/usr/bin"
for program in connscope tests/support/tcp_actor; do
  if [[ ! -x $build_dir/$program ]]; then
    echo "run.sh: no $build_dir/$program: run scripts/build.sh first" >&2
    exit 1
  fi
  # Debug information would only fill the guest's memory.
  strip --strip-debug -o "$overlay/usr/bin/${program##*/}" "$build_dir/$program"
done
install -m 755 "$here/guest_smoke.sh" "$overlay/guest_smoke.sh"

failed=()
for kernel in "${kernels[@]}"; do
  start=$SECONDS
  echo "==> $kernel"
  status=0
  "$here/run-in-vm" --strict --time 240 "$kernel" "$overlay" /guest_smoke.sh || status=$?
  if ((status == 0)); then
    echo "==> $kernel: passed in $((SECONDS - start)) s"
  else
    echo "==> $kernel: FAILED with status $status after $((SECONDS - start)) s"
    failed+=("$kernel")
  fi
done
((${#failed[@]} == 0)) || {
  echo "run.sh: failed on ${failed[*]}" >&2
  exit 1
}
