#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest, as root, with busybox: starts the agent, makes a known number of connects, and holds the scraped
# counts against it. Twice, to show that no count drifts.
set -u

url=http://127.0.0.1:9752
open_port=7001 refusing_port=7002
ok_v4=40 refused_v4=17 ok_v6=11 refused_v6=5 unrouted=3
scrape=/tmp/scrape.txt
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# until_true SECONDS WHAT COMMAND...: the emulated machine may be slow, but not endlessly.
until_true() {
  deadline=$(($(date +%s) + $1)) what=$2
  shift 2
  until "$@"; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      fail "$what"
      return 1
    fi
    sleep 0.2
  done
}

is_ready() { wget -q -O /dev/null "$url/-/ready" 2>/dev/null; }
take_scrape() { wget -q -O "$scrape" "$url/metrics"; }

# sum FAMILY [LABEL...]: adds up the samples of a family that hold all these labels ('name="value"'); without any: none
sum() {
  awk -v family="$1" -v labels="${*}" '
    BEGIN { wanted = split(labels, label, " ") }
    index($0, family "{") == 1 || index($0, family " ") == 1 {
      for (i = 2; i <= wanted; i++) if (!index($0, label[i])) next
      sub(/^[^}]*}/, ""); total += $1; found = 1
    }
    END { if (found) printf "%.0f\n", total; else print "none" }' "$scrape"
}

expect() { # WANTED FAMILY [LABEL...]
  wanted=$1
  shift
  got=$(sum "$@")
  if [ "$got" = "$wanted" ]; then echo "ok: $* = $got"; else fail "$* is $got, not $wanted"; fi
}

connects() { # ADDRESS PORT COUNT WANTED_RESULT: the actor itself must have seen what we count
  seen=$(tcp_actor connect "$1" "$2" --count "$3" | grep -c "^$4 ")
  [ "$seen" = "$3" ] || fail "$seen of $3 connects to $1 port $2 ended with $4"
}

actor='process="tcp_actor"'
all_counted() {
  take_scrape && [ "$(sum conn_tcp_connects_total "$actor")" != none ] &&
    [ "$(sum conn_tcp_connects_total "$actor")" -ge "$1" ]
}

check_round() { # ROUND
  ok=$(((ok_v4 + ok_v6) * $1)) refused=$(((refused_v4 + refused_v6) * $1)) no_route=$((unrouted * $1))
  connects 127.0.0.1 "$open_port" "$ok_v4" ok
  connects 127.0.0.1 "$refusing_port" "$refused_v4" ECONNREFUSED
  connects ::1 "$open_port" "$ok_v6" ok
  connects ::1 "$refusing_port" "$refused_v6" ECONNREFUSED
  connects 198.51.100.1 "$open_port" "$unrouted" ENETUNREACH
  until_true 30 "the connects of round $1 were not all scraped" all_counted $((ok + refused + no_route))
  expect $((ok + refused + no_route)) conn_tcp_connects_total "$actor"
  expect "$ok" conn_tcp_connect_duration_seconds_count "$actor" 'outcome="ok"'
  expect $((refused + no_route)) conn_tcp_connect_duration_seconds_count "$actor" 'outcome="fail"'
  expect "$refused" conn_failures_total "$actor" 'role="client"' 'reason="refused"'
  expect "$no_route" conn_failures_total "$actor" 'role="client"' 'reason="net_unreachable"'
  expect $((refused + no_route)) conn_failures_total "$actor" 'role="client"'
  expect 0 conn_tcp_connects_in_flight "$actor"
}

uname -r
connscope >/tmp/agent.log 2>&1 &
agent=$!
tcp_actor listen "$open_port" >/tmp/listener.log &
listener=$!
until_true 60 "the agent was not ready" is_ready || {
  cat /tmp/agent.log >&2
  exit 1
}
until_true 20 "the listener did not start" grep -q listening /tmp/listener.log

check_round 1
check_round 2
expect 1 connscope_probe_up 'probe="tcp"'
# The listener's accept was in progress when the agent attached to it, so the first one may be unseen.
for cause in state_full cells_full identities_full end_missed end_skipped; do
  expect 0 connscope_lost_events_total "cause=\"$cause\""
done

kill -TERM "$agent"
wait "$agent" || fail "the agent ended with status $? on SIGTERM"
kill "$listener"

if [ "$failures" -ne 0 ]; then
  echo '--- the agent said:' >&2
  cat /tmp/agent.log >&2
  echo '--- the last scrape:' >&2
  grep -E 'tcp_actor|^connscope_' "$scrape" >&2
  exit 1
fi
echo "guest_smoke: passed on $(uname -r)"
