#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest of package.sh, as root, under systemd: the package from its installation to its purge. The first thing that is not
# as it must be ends it. What package_table.py needs goes to /out.
set -eu -o pipefail

url=http://127.0.0.1:9752/metrics
config=/etc/connscope/connscope.toml
drop_ins=/etc/systemd/system/connscope.service.d
secret=from-a-file-of-root

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

becomes_true() { # COMMAND...: within ten seconds
  for _ in {1..50}; do
    ! "$@" || return 0
    sleep 0.2
  done
  return 1
}

main_pid() { systemctl show --property MainPID --value connscope; }

# The first scrape is answered a moment before systemd has read that the agent is ready.
is_active() { [[ $(systemctl show --property ActiveState --value connscope) == active ]]; }

expect_update() { # VERSION: by dpkg, with another process of the agent and the same config
  local pid
  pid=$(main_pid)
  dpkg --install "/packages/$1.deb"
  expect "the unit is active with the $1 package" systemctl is-active --quiet connscope
  [[ $(main_pid) != "$pid" ]] || die "the agent of before still runs beside the $1 package"
  grep --quiet '# changed here' "$config" || die "the $1 package has lost the config"
  expect_sample 'connscope_probe_up{probe="tcp"}' 1
}

# Names of the BPF programs, maps and kinds of links that the kernel has.
bpf_objects() {
  bpftool prog show | sed -n 's/^[0-9]*: .* name \([^ ]*\) .*/program \1/p'
  bpftool map show | sed -n 's/^[0-9]*: .* name \([^ ]*\) .*/map \1/p'
  bpftool link show | sed -n 's/^[0-9]*: \([^ ]*\) .*/link \1/p'
}

# The kernel takes them apart a moment after their process.
nothing_of_bpf_is_left() { [[ -z $(bpf_objects | sort --unique | comm -12 - /tmp/bpf_of_agent) ]]; }

# A Pushgateway, for one request, which is put down in FILE.
receive_one_request() { # FILE
  perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 9091, Listen => 1, ReuseAddr => 1) or die "listen: $!";
    my $client = $server->accept or die "accept: $!";
    open(my $file, ">", "$ARGV[0].part") or die "open: $!";
    while (my $line = <$client>) { print $file $line; last if $line =~ /^\r?$/; }
    close($file);
    rename("$ARGV[0].part", $ARGV[0]);
    print $client "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    1 while read($client, my $rest, 65536);' "$1"
}

all_that_is_ours() {
  find / -xdev \( -path /packages -o -path /proc -o -path /var/log -o -path /tmp -o -path /run/credentials \) -prune -o \
    -name '*connscope*' -print
}

uname --kernel-release >/out/release
# Uprobes are CAP_PERFMON's from 6.6 on.
lookups_without_drop_in=1
[[ $(printf '6.6\n%s\n' "$(uname --kernel-release)" | sort --version-sort | head -n 1) == 6.6 ]] || lookups_without_drop_in=0
echo "$lookups_without_drop_in" >/out/without_drop_in
bpf_objects | sort --unique >/tmp/bpf_before
step "install"
dpkg --install /packages/older.deb
expect "the unit is active" systemctl is-active --quiet connscope
expect "the unit is enabled" systemctl is-enabled --quiet connscope
[[ $(systemctl is-enabled connscope.socket || true) == disabled ]] || die "the socket is enabled, which nobody asked for"
! systemctl is-active --quiet connscope.socket || die "the socket listens, which nobody asked for"
pid=$(main_pid)
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
bpf_objects | sort --unique | comm -13 /tmp/bpf_before - >/tmp/bpf_of_agent
(($(wc -l </tmp/bpf_of_agent) > 20)) || die "bpftool finds nothing of the agent"

step "reload"
echo '# changed here' >>"$config"
sed -i 's/^#interval = "10s"/interval = "20s"/' "$config"
expect "reload" systemctl reload connscope
expect_sample connscope_config_last_reload_successful 1
echo 'nonsense = 1' >>"$config"
! systemctl reload connscope || die "a broken config is taken"
expect "a broken config changes nothing" systemctl is-active --quiet connscope
sed -i '$d' "$config"

# All that the drop-ins bring is there after one restart, as starts take long in an emulated machine.
step "upgrade, with drop-ins"
value=$(sample 'connscope_probe_up{probe="libc_lookup"}')
[[ $value == "$lookups_without_drop_in" ]] || die "look-ups are heard: '$value' and not $lookups_without_drop_in"
mkdir "$drop_ins"
cp /usr/share/connscope/systemd/{clock,uprobes-before-6.6}.conf "$drop_ins"
sed -i 's/--no-collector.timex//' /etc/default/connscope
mkdir --mode=700 /etc/connscope/secrets
(umask 077 && echo "$secret" >/etc/connscope/secrets/exporter.token)
sed 's/^#LoadCredential/LoadCredential/' /usr/share/connscope/systemd/secrets.conf >"$drop_ins/secrets.conf"
printf '[exporter.pushgateway]\ninterval = "1s"\ntoken_file = "/run/credentials/connscope.service/exporter.token"\n' >>"$config"
receive_one_request /tmp/request &
systemctl daemon-reload
expect_update newer
expect_sample 'connscope_probe_up{probe="libc_lookup"}' 1
expect_sample 'node_scrape_collector_success{collector="timex"}' 1
curl --silent "$url?name\[\]=connscope_probe_*" >/out/probes.txt
expect "the agent pushes" becomes_true test -e /tmp/request
grep --quiet "^Authorization: Bearer $secret"$'\r' /tmp/request || die "the secret is not in what the agent sends"
! journalctl --no-pager --unit connscope | grep --fixed-strings "$secret" || die "the secret is in the log"

step "downgrade"
sed -i '/^\[exporter.pushgateway\]/,$d' "$config"
expect_update older
[[ $(dpkg-query --show --showformat='${Version}' connscope) == 0.0.1 ]] || die "it is not the older one"

step "socket activation"
systemctl stop connscope
expect "nothing of BPF stays after a stop" becomes_true nothing_of_bpf_is_left
systemctl start connscope.socket
expect_sample 'connscope_probe_up{probe="tcp"}' 1
expect "the scrape has started the agent" becomes_true is_active

step "purge"
rm -r "$drop_ins"
dpkg --purge connscope 2>&1 | grep -v 'not empty' || true
! curl --silent --output /dev/null "$url" || die "something serves still"
[[ -z $(systemctl list-units --plain --no-legend --state=active 'connscope*') ]] || die "a unit is left"
left=$(all_that_is_ours)
[[ -z $left ]] || die "left behind: $left"
[[ -z $(ls -A /sys/fs/bpf 2>/dev/null) ]] || die "left in bpffs: $(ls -A /sys/fs/bpf)"
expect "nothing of BPF is left" becomes_true nothing_of_bpf_is_left
touch /out/passed
step "done"
