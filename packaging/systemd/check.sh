#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packaging/systemd/check.sh ROOT: holds the units of an unpacked package against systemd-analyze: no complaint, and an exposure
# of at most 2.5 (of 10, where a unit without any restriction stands at 9.6).
set -euo pipefail
root=${1:?usage: check.sh ROOT}
readonly kMaxExposureTenths=25

die() {
  printf 'check.sh: %s\n' "$*" >&2
  exit 1
}

units=$(dirname "$(find "$root" -path '*/systemd/system/connscope.service' -print -quit)")
[[ $units != . ]] || die "there is no connscope.service under $root"
# What verify looks up beside the units: the binary, the kill of ExecReload, and what the units wait for are the host's.
copy=$(mktemp -d "${TMPDIR:-/tmp}/connscope-units.XXXXXX")
trap 'rm -rf "$copy"' EXIT
for unit in connscope.service connscope.socket; do
  sed "s|/usr/bin/connscope|$root/usr/bin/connscope|" "$units/$unit" >"$copy/$unit"
done
complaints=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$copy"/connscope.* 2>&1 | grep -F connscope || true)
[[ -z $complaints ]] || die "systemd-analyze verify: $complaints"
systemd-analyze security --offline=true --threshold="$kMaxExposureTenths" "$copy/connscope.service" | tail -n 1
