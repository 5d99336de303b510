#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the .deb in a Debian with systemd in a throw-away VM, and has package_guest.sh there do with it what people do: start, scrape,
# reload, upgrade, purge.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# Of emulated machines; systemd alone takes one of these minutes.
limit_seconds=900

usage() {
  cat <<USAGE
Usage: tests/vm/package.sh [SUITE [KERNEL]]

SUITE is the Debian that is installed on (default bookworm), KERNEL what run-in-vm takes (default bookworm-security=6.1).
CONNSCOPE_BUILD_DIR is where the agent was built (default build/release).
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
overlay=$(mktemp -d "${TMPDIR:-/tmp}/connscope-vm-package.XXXXXX")
trap 'rm -rf "$overlay"' EXIT

"$root/scripts/package.sh" --build "$build_dir" --out "$overlay/packages" deb
rm "$overlay"/packages/connscope-dev_*.deb
deb=$(echo "$overlay"/packages/connscope_*.deb)
install -m 755 "$here/package_guest.sh" "$overlay"

# An older one, to come from and to go back to: the same with another version.
dpkg-deb --raw-extract "$deb" "$overlay/older"
sed -i 's/^Version: .*/Version: 0.0.1/' "$overlay/older/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$overlay/older" "$overlay/packages/older.deb" >/dev/null
rm -rf "$overlay/older"
mv "$deb" "$overlay/packages/connscope.deb"

# The guest has no network: what the package needs is in its root. Alternatives: the first one.
needed=$(dpkg-deb --field "$overlay/packages/connscope.deb" Depends | tr ',' '\n' |
  sed -E 's/\|.*//; s/\(.*//; s/:any//; s/ //g' | sort --unique | paste -sd,)
VM_ROOT_PACKAGES="$needed,curl" "$here/run-in-vm" --strict --time "$limit_seconds" --systemd "$suite" "$kernel" "$overlay" \
  /package_guest.sh
