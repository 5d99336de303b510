#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rpm_test.sh PACKAGES: installs the .rpm of that folder, upgrades and erases it, by rpm itself and with its scriptlets. That happens in a root
# which is this host's under an overlay, so that what was changed is there to be seen, and gone at the end. Without root it is left out, as the tests with BPF are.
set -euo pipefail
packages=$(realpath "${1:?usage: rpm_test.sh PACKAGES}")

die() {
  printf 'rpm_test.sh: %s\n' "$*" >&2
  exit 1
}

if ((EUID != 0)); then
  [[ ${CONNSCOPE_BPF_TESTS:-auto} != required ]] || die "needs root, for the mounts and chroot"
  echo "rpm_test.sh: left out, since it needs root for the mounts and chroot"
  exit 77
fi
# In a mount namespace of its own, so that no mount outlives the test.
[[ ${2:-} == inside ]] || exec unshare --mount --propagation private "$0" "$packages" inside

work=$(mktemp -d "${TMPDIR:-/tmp}/connscope-rpm.XXXXXX")
trap 'umount --recursive --lazy "$work" && rmdir "$work"' EXIT
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{changed,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/changed,workdir=$work/work" "$work/root"
mount -t proc proc "$work/root/proc"
mount --bind /sys "$work/root/sys"
# There is no service manager in that root, whatever this host has.
mount -t tmpfs tmpfs "$work/root/run"
root=$work/root config=$work/root/etc/connscope/connscope.toml

# Debian's rpm wants to be told that it is meant; what the package needs is known to dpkg and not to it.
in_root() { rpm --root "$root" --force-debian --nodeps "$@"; }

ours() { # what of the package is there, as the overlay has it
  find "$work/changed" -mindepth 1 \( -name '*connscope*' -o -path '*/connscope/*' \) ! -type d ! -type c -printf '%P %m %u %g\n' | sort
}

expect_files() { # each with its mode, of root's
  local lacking
  lacking=$(sort <<FILES | comm -23 - <(ours)
etc/connscope/connscope.toml 644 root root
etc/default/connscope 644 root root
usr/bin/connscope 755 root root
usr/lib/systemd/system/connscope.service 644 root root
usr/lib/systemd/system/connscope.socket 644 root root
usr/lib/sysusers.d/connscope.conf 644 root root
usr/share/bash-completion/completions/connscope 644 root root
usr/share/connscope/grafana/connections.json 644 root root
usr/share/connscope/prometheus/alerts.yml 644 root root
usr/share/connscope/systemd/secrets.conf 644 root root
usr/share/fish/vendor_completions.d/connscope.fish 644 root root
usr/share/man/man1/connscope.1.gz 644 root root
usr/share/man/man5/connscope.toml.5.gz 644 root root
usr/share/man/man7/connscope-metrics.7.gz 644 root root
usr/share/zsh/site-functions/_connscope 644 root root
FILES
)
  [[ -z $lacking ]] || die "not installed, or otherwise: $lacking"
}

[[ -z $(find "$root/usr/bin/connscope" "$config" 2>/dev/null) ]] || die "this host has connscope installed, so that the test would see that"
rpm=$(find "$packages" -name 'connscope-[0-9]*.rpm')
[[ -f $rpm ]] || die "there is not one .rpm in $packages"

rpm --root "$root" --initdb
in_root --install "$rpm"
expect_files
grep --quiet '^connscope:' "$root/etc/passwd" || die "there is no user connscope"
[[ -z $(in_root --verify connscope) ]] || die "rpm --verify: $(in_root --verify connscope)"
chroot "$root" /usr/bin/connscope check-config /etc/connscope/connscope.toml >/dev/null || die "its agent does not take its config"

# To the same version, which scriptlets do not tell from another one.
echo '# changed here' >>"$config"
in_root --upgrade --force "$rpm"
expect_files
grep --quiet '# changed here' "$config" || die "the upgrade has lost the config"

in_root --erase connscope
# What was changed by hand is kept under another name.
left=$(ours | cut -d ' ' -f 1)
[[ $left == etc/connscope/connscope.toml.rpmsave ]] || die "left behind: $left"
[[ -z $(rpm --root "$root" --query --all) ]] || die "rpm knows it still"
