// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tcp_counts.h"

#include <gtest/gtest.h>

#include "tests/integration/lab.h"

namespace connscope::testing {

LifeCounts LifeCounts::of(const Exposition& shown, const std::string& process, const std::string& role) {
  const LabelMap labels = {{"process", process}, {"role", role}};
  LifeCounts counts;
  counts.closes = grouped(shown, "conn_tcp_connection_duration_seconds_count", labels, {"close"});
  counts.failures = grouped(shown, "conn_failures_total", labels, {"reason"});
  counts.resets = grouped(shown, "conn_tcp_resets_total", labels, {"direction"});
  counts.seconds = shown.sum("conn_tcp_connection_duration_seconds_sum", labels);
  counts.open = shown.sum("conn_tcp_open_connections", labels);
  counts.received = shown.sum("conn_tcp_receive_bytes_total", labels);
  counts.sent = shown.sum("conn_tcp_transmit_bytes_total", labels);
  counts.retransmits = shown.sum("conn_tcp_retransmits_total", labels);
  counts.rtts = shown.sum("conn_tcp_rtt_seconds_count", labels);
  counts.rtt_seconds = shown.sum("conn_tcp_rtt_seconds_sum", labels);
  return counts;
}

double LifeCounts::all_closes() const { return total(closes); }

AcceptCounts AcceptCounts::of(const Exposition& shown, const std::string& process) {
  const LabelMap labels = {{"process", process}};
  AcceptCounts counts;
  counts.accepts = grouped(shown, "conn_tcp_accepts_total", labels, {"ip_family"});
  counts.handshakes = grouped(shown, "conn_tcp_handshake_duration_seconds_count", labels, {"ip_family"});
  counts.drops = grouped(shown, "conn_tcp_listen_drops_total", labels, {"reason"});
  counts.failures = grouped(shown, "conn_failures_total", {{"process", process}, {"role", "server"}}, {"reason"});
  counts.handshake_seconds = shown.sum("conn_tcp_handshake_duration_seconds_sum", labels);
  counts.waits = shown.sum("conn_tcp_accept_wait_seconds_count", labels);
  counts.wait_seconds = shown.sum("conn_tcp_accept_wait_seconds_sum", labels);
  counts.backlog = shown.sum("conn_tcp_listen_backlog", labels);
  counts.backlog_limit = shown.sum("conn_tcp_listen_backlog_limit", labels);
  return counts;
}

double AcceptCounts::all_accepts() const { return total(accepts); }

double AcceptCounts::all_handshakes() const { return total(handshakes); }

void expect_laws(const Exposition& shown, const std::string& process) {
  SCOPED_TRACE("the laws for " + process);
  const ConnectCounts connects = ConnectCounts::of(shown, process);
  const LifeCounts client = LifeCounts::of(shown, process, "client");
  const LifeCounts server = LifeCounts::of(shown, process, "server");
  const AcceptCounts passive = AcceptCounts::of(shown, process);
  EXPECT_EQ(connects.all_attempts(), connects.all_ended() + connects.in_flight);
  EXPECT_EQ(total(connects.ok), client.all_closes() + client.open);
  EXPECT_EQ(passive.all_handshakes(), server.all_closes() + server.open);
  EXPECT_LE(passive.waits, passive.all_accepts());
}

}  // namespace connscope::testing
