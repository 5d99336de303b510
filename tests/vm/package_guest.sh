#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of package.sh, as root, under systemd: the package from its installation to its purge. The first thing that is not
# as it must be ends it.
set -eu -o pipefail

url=http://127.0.0.1:9752/metrics
config=/etc/connscope/connscope.toml

step() { echo "==> $* ($(cut -d. -f1 /proc/uptime) s)"; }
die() {
  echo "FAILED: $*" >&2
  journalctl --no-pager --unit connscope --lines 60 >&2 || true
  exit 1
}

expect() { # WHAT COMMAND...
  local what=$1
  shift
  "$@" || die "$what"
}

sample() { # NAME_WITH_LABELS: its value in a scrape
  # A scrape while the agent starts is answered with 503 after a while, and emulated machines start slowly.
  curl --silent --fail --max-time 60 --retry 8 --retry-delay 2 --retry-all-errors "$url" | sed -n "s/^$1 //p"
}

expect_sample() { # NAME_WITH_LABELS VALUE
  local value
  value=$(sample "$1") || die "$1 cannot be scraped"
  [[ $value == "$2" ]] || die "$1 is '$value' and not $2"
}

# The first scrape is answered a moment before systemd has read that the agent is ready.
becomes_active() { # UNIT
  for _ in {1..50}; do
    [[ $(systemctl show --property ActiveState --value "$1") != active ]] || return 0
    sleep 0.2
  done
  return 1
}

all_that_is_ours() {
  find / -xdev \( -path /packages -o -path /proc -o -path /var/log -o -path /tmp -o -path /run/credentials \) -prune -o \
    -name '*connscope*' -print
}

step "install"
dpkg --install /packages/older.deb
expect "the unit is active" systemctl is-active --quiet connscope
expect "the unit is enabled" systemctl is-enabled --quiet connscope
[[ $(systemctl is-enabled connscope.socket || true) == disabled ]] || die "the socket is enabled, which nobody asked for"
! systemctl is-active --quiet connscope.socket || die "the socket listens, which nobody asked for"
pid=$(systemctl show --property MainPID --value connscope)
[[ $(stat --format %U "/proc/$pid") == connscope ]] || die "the agent runs as $(stat --format %U "/proc/$pid")"
! journalctl --no-pager --unit connscope | grep -E 'without CAP_|collector .* not permitted' || die "the unit forbids what the agent does"

step "scrape"
for _ in 1 2 3; do (exec 3<>/dev/tcp/127.0.0.1/9752); done
cp /bin/bash /tmp/dialer
/tmp/dialer -c 'exec 3<>/dev/tcp/127.0.0.1/9752'
/tmp/dialer -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>/dev/null && die "something listens on port 9"
expect_sample 'conn_tcp_connects_total{process="dialer",ip_family="ipv4"}' 2
expect_sample 'conn_failures_total{process="dialer",role="client",stage="tcp",reason="refused"}' 1
for probe in identity tcp dns tls attempt; do expect_sample "connscope_probe_up{probe=\"$probe\"}" 1; done
expect "the command line reaches the agent" connscope show 'dialer.*'

step "reload"
echo '# changed here' >>"$config"
sed -i 's/^#interval = "10s"/interval = "20s"/' "$config"
expect "reload" systemctl reload connscope
expect_sample connscope_config_last_reload_successful 1
echo 'nonsense = 1' >>"$config"
! systemctl reload connscope || die "a broken config is taken"
expect "a broken config changes nothing" systemctl is-active --quiet connscope
sed -i '$d' "$config"

step "upgrade"
expect_sample 'connscope_probe_up{probe="libc_lookup"}' 0
mkdir /etc/systemd/system/connscope.service.d
cp /usr/share/connscope/systemd/*.conf /etc/systemd/system/connscope.service.d
sed -i 's/--no-collector.timex//' /etc/default/connscope
systemctl daemon-reload
dpkg --install /packages/connscope.deb
expect "the unit is active after an upgrade" systemctl is-active --quiet connscope
new_pid=$(systemctl show --property MainPID --value connscope)
[[ $new_pid != "$pid" ]] || die "the old agent still runs"
expect_sample 'connscope_probe_up{probe="libc_lookup"}' 1
expect_sample 'node_scrape_collector_success{collector="timex"}' 1
grep --quiet '# changed here' "$config" || die "the upgrade has lost the config"
expect_sample 'connscope_probe_up{probe="tcp"}' 1

step "socket activation"
systemctl stop connscope
systemctl start connscope.socket
expect_sample 'connscope_probe_up{probe="tcp"}' 1
expect "the scrape has started the agent" becomes_active connscope

step "purge"
rm -r /etc/systemd/system/connscope.service.d
dpkg --purge connscope 2>&1 | grep -v 'not empty' || true
! curl --silent --output /dev/null "$url" || die "something serves still"
[[ -z $(systemctl list-units --plain --no-legend --state=active 'connscope*') ]] || die "a unit is left"
left=$(all_that_is_ours)
[[ -z $left ]] || die "left behind: $left"
[[ -z $(ls -A /sys/fs/bpf 2>/dev/null) ]] || die "left in bpffs: $(ls -A /sys/fs/bpf)"
step "done"
