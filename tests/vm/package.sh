#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the .deb in a Debian with systemd in a throw-away VM, and has package_guest.sh there do with it what people do: start, scrape,
# reload, upgrade, downgrade, purge.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# Of emulated machines; systemd alone takes one of these minutes.
limit_seconds=900

usage() {
  cat <<USAGE
Usage: tests/vm/package.sh [SUITE [KERNEL]]

SUITE is the Debian that is installed on (default bookworm), KERNEL what run-in-vm takes (default bookworm-security=6.1).
CONNSCOPE_BUILD_DIR is where the agent was built (default build/release): its package is taken where SUITE is this host's release. That of
another one is built in a root of it, from the last commit (bare_root.sh; needs root), and kept for the next time.
What the guest tells goes to vm/package/SUITE/KERNEL in the folder of the build.
USAGE
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
esac
suite=${1:-bookworm} kernel=${2:-bookworm-security=6.1}
build_dir=${CONNSCOPE_BUILD_DIR:-$root/build/release}
out=$build_dir/vm/package/$suite/$kernel
overlay=$(mktemp -d "${TMPDIR:-/tmp}/connscope-vm-package.XXXXXX")
trap 'rm -rf "$overlay"' EXIT

host_suite() {
  # shellcheck disable=SC1091
  (. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# Sets packages to the folder of SUITE's packages.
make_packages() {
  if [[ $suite == "$(host_suite)" ]]; then
    packages=$overlay/built
    "$root/scripts/package.sh" --build "$build_dir" --out "$packages" deb
  else
    packages=$build_dir/vm/packages/$suite/$(git -C "$root" rev-parse HEAD)
    [[ -d $packages ]] || "$here/bare_root.sh" --suite "$suite" package "$packages"
  fi
}

# One with another version: the same in all else.
make_older() { # DEB OLDER_DEB
  local tree=$overlay/older
  dpkg-deb --raw-extract "$1" "$tree"
  sed -i 's/^Version: .*/Version: 0.0.1/' "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" "$2" >/dev/null
  rm -rf "$tree"
}

make_packages
mkdir -p "$overlay/guest/packages"
cp "$packages"/connscope_*.deb "$overlay/guest/packages/newer.deb"
make_older "$overlay/guest/packages/newer.deb" "$overlay/guest/packages/older.deb"
install -m 755 "$here/package_guest.sh" "$overlay/guest"

# The guest has no network: what the package needs is in its root. Alternatives: the first one.
needed=$(dpkg-deb --field "$overlay/guest/packages/newer.deb" Depends | tr ',' '\n' |
  sed -E 's/\|.*//; s/\(.*//; s/:any//; s/ //g' | sort --unique | paste -sd,)
rm -rf "$out"
VM_ROOT_PACKAGES="$needed,curl,bpftool" "$here/run-in-vm" --strict --time "$limit_seconds" --out "$out" --systemd "$suite" "$kernel" \
  "$overlay/guest" /package_guest.sh
