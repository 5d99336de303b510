# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share; to be sourced. Leaves the caller in the root of the source tree.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$source_dir"

say() { printf '==> %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command as root: as it is when we are root already.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$1' needs root: run this script as root, or install sudo"
  fi
}

# at_least VERSION MINIMUM: is VERSION at least MINIMUM? An empty VERSION is not.
at_least() { [[ $1 ]] && printf '%s\n%s\n' "$2" "$1" | sort --version-sort --check=quiet; }

# Ubuntu's /usr/sbin/bpftool only runs the one that was built for the running kernel. A build needs any bpftool, so
# where that one refuses, the newest installed goes first in PATH.
use_any_bpftool() {
  bpftool version >/dev/null 2>&1 && return
  local newest
  newest=$(find /usr/lib/linux-tools* -name bpftool 2>/dev/null | sort --version-sort | tail -n 1)
  [[ -z $newest ]] || PATH=$(dirname "$newest"):$PATH
}

# Debian keeps bpftool in /usr/sbin, which is not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
