#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows that a clone is enough: clones the committed tree into a bare Debian root that has git and nothing else of
# what we need, and runs the README's commands there. Needs root, mmdebstrap and a Debian mirror.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)
suite=bookworm
# A compiler's cache that the host has serves in the root as well.
ccache=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache}
readonly kUrl=http://127.0.0.1:9752/metrics
readonly kServeLimitSeconds=1800

usage() {
  cat <<USAGE
Usage: tests/vm/bare_root.sh [--suite SUITE] [run] [check]
       tests/vm/bare_root.sh [--suite SUITE] package FOLDER
       tests/vm/bare_root.sh [--suite SUITE] exec COMMAND [ARG...]

  run      scripts/run.sh until $kUrl answers (the default)
  check    scripts/check.sh
  package  scripts/package.sh, and its .deb into FOLDER
  exec     COMMAND in the clone, in the bare root
SUITE is the Debian of the root (default $suite). It is made anew each time, from a tar file that is kept in the cache of run-in-vm.
USAGE
}
die() {
  printf 'bare_root.sh: %s\n' "$*" >&2
  exit 1
}
say() { printf '==> %s\n' "$*" >&2; }

# The root gets the host's own way to the mirrors: its sources where it is the same release, and its options.
make_tar() {
  local options=() sources=() line
  while IFS= read -r line; do
    options+=(--aptopt="${line%;}")
  done < <(apt-config dump | grep -E '^Acquire::((http|https|ftp)::?|Check-)')
  if grep -q "^VERSION_CODENAME=$suite\$" /etc/os-release; then
    mapfile -t sources < <(find /etc/apt -name '*.sources' -o -name sources.list -size +0)
  fi
  mkdir -p "$(dirname "$cache")"
  mmdebstrap --quiet --variant=minbase --include=git "${options[@]}" "$suite" "$cache.part.tar" "${sources[@]}"
  mv "$cache.part.tar" "$cache"
}

# Becomes a command in the root (call it in a subshell), in a mount namespace of its own, so that no mount outlives it.
in_root() {
  # shellcheck disable=SC2016 # the inner shell fills these in
  CCACHE_OF_HOST=$ccache exec unshare --mount --propagation private bash -euc '
    root=$1; shift
    for tree in proc sys dev; do mount --rbind "/$tree" "$root/$tree"; done
    if [[ -d $CCACHE_OF_HOST ]]; then mount --bind "$CCACHE_OF_HOST" "$root/root/.cache/ccache"; fi
    exec chroot "$root" /usr/bin/env --chdir=/root/connscope HOME=/root "$@"' in_root "$root" "$@"
}

serve() {
  local start=$SECONDS
  ! curl --silent --output /dev/null "$kUrl" || die "something answers on $kUrl already"
  in_root scripts/run.sh &
  agent=$!
  until curl --silent --fail --output "$work/metrics.txt" "$kUrl"; do
    kill -0 "$agent" 2>/dev/null || die "scripts/run.sh ended after $((SECONDS - start)) s"
    ((SECONDS - start < kServeLimitSeconds)) || die "$kUrl did not answer within $kServeLimitSeconds s"
    sleep 1
  done
  grep -q '^connscope_build_info' "$work/metrics.txt" || die "what $kUrl answers are not our metrics"
  say "scripts/run.sh served $kUrl after $((SECONDS - start)) s ($(grep -vc '^#' "$work/metrics.txt") samples)"
  kill "$agent"
  wait "$agent" || die "the agent ended with status $? on SIGTERM"
  agent=''
}

check() {
  local start=$SECONDS
  (in_root scripts/check.sh)
  say "scripts/check.sh passed after $((SECONDS - start)) s"
}

# The tools of packages are no part of a build, so that setup.sh is asked for them apart.
package() { # FOLDER
  local start=$SECONDS
  (in_root sh -ec 'scripts/setup.sh --package
    CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache scripts/package.sh deb')
  mkdir -p "$1"
  cp "$root"/root/connscope/build/packages/*.deb "$1"
  say "scripts/package.sh made $suite's packages in $((SECONDS - start)) s"
}

if [[ ${1:-} == --suite ]]; then
  suite=${2:?--suite needs a name} && shift 2
fi
steps=(run)
case ${1:-} in
  '') ;;
  exec) steps=("exec") ;;
  package)
    : "${2:?package needs a folder}"
    steps=(package)
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  *) steps=("$@") ;;
esac
for step in "${steps[@]}"; do
  case $step in
    run | check | exec | package) ;;
    *)
      usage >&2
      die "unknown step '$step'"
      ;;
  esac
done
((EUID == 0)) || die "needs root, for chroot and the mounts"
command -v mmdebstrap >/dev/null || die "needs mmdebstrap (scripts/setup.sh --vm)"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/connscope-bare.XXXXXX")
agent=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  [[ -z $agent ]] || kill "$agent" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
root=$work/root
cache=${VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/run-in-vm}/bare-$suite.tar
[[ -s $cache ]] || make_tar
mkdir "$root"
tar -C "$root" -xf "$cache" --exclude='./dev/*'
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
git clone --quiet "$source_root" "$root/root/connscope"
mkdir -p "$root/root/.cache/ccache"
# It does not outlive the run, so that nothing need reach the disk in time.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
say "a bare $suite root with the clone of $(git -C "$root/root/connscope" rev-parse --short HEAD)"

for step in "${steps[@]}"; do
  case $step in
    run) serve ;;
    check) check ;;
    exec) (in_root "${@:2}") ;;
    package) package "$2" ;;
  esac
done
