// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/audit.h"

#include <gtest/gtest.h>

namespace connscope::probe {
namespace {

using namespace std::chrono_literals;
constexpr AuditWindow::Time kStart{1000s};

TEST(AuditWindow, SaysNothingWithoutAnEvent) {
  AuditWindow window(60s);
  EXPECT_FALSE(window.ratio());
  window.add(kStart, 5, 100);
  EXPECT_FALSE(window.ratio());
  window.add(kStart + 10s, 5, 100);
  EXPECT_FALSE(window.ratio());
}

TEST(AuditWindow, ComparesDifferencesNotTotals) {
  AuditWindow window(60s);
  window.add(kStart, 5, 1000);
  window.add(kStart + 10s, 105, 1100);
  EXPECT_DOUBLE_EQ(window.ratio().value(), 1.0);
  window.add(kStart + 20s, 105, 1200);
  EXPECT_DOUBLE_EQ(window.ratio().value(), 0.5);
}

TEST(AuditWindow, ForgetsWhatIsOlderThanItsLength) {
  AuditWindow window(60s);
  window.add(kStart, 0, 0);
  window.add(kStart + 1s, 0, 100);  // a hundred missed
  window.add(kStart + 30s, 50, 150);
  EXPECT_DOUBLE_EQ(window.ratio().value(), 50.0 / 150.0);
  window.add(kStart + 61s, 60, 160);
  EXPECT_DOUBLE_EQ(window.ratio().value(), 1.0);
}

TEST(AuditWindow, BeginsAgainWhenTheKernelsCounterFell) {
  AuditWindow window(60s);
  window.add(kStart, 100, 1000);
  window.add(kStart + 1s, 110, 10);
  EXPECT_FALSE(window.ratio());
  window.add(kStart + 2s, 111, 11);
  EXPECT_DOUBLE_EQ(window.ratio().value(), 1.0);
}

TEST(SnmpTcpCounter, FindsAValueByItsName) {
  const char* snmp =
      "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
      "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails\n"
      "Tcp: 1 200 120000 -1 12 34 56\n"
      "Udp: InDatagrams\nUdp: 7\n";
  EXPECT_EQ(snmp_tcp_counter(snmp, "ActiveOpens").value(), 12U);
  EXPECT_EQ(snmp_tcp_counter(snmp, "AttemptFails").value(), 56U);
  EXPECT_EQ(snmp_tcp_counter(snmp, "MaxConn").error().message(), "/proc/net/snmp: Tcp MaxConn: not a count: -1");
  EXPECT_EQ(snmp_tcp_counter(snmp, "InDatagrams").error().message(), "/proc/net/snmp: no counter Tcp InDatagrams");
  EXPECT_FALSE(snmp_tcp_counter("", "ActiveOpens"));
  EXPECT_FALSE(snmp_tcp_counter("Tcp: ActiveOpens\n", "ActiveOpens"));
  EXPECT_FALSE(snmp_tcp_counter("Tcp: A ActiveOpens\nTcp: 1\n", "ActiveOpens"));
}

}  // namespace
}  // namespace connscope::probe
