// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/audit.h"

#include <gtest/gtest.h>

namespace connscope::probe {
namespace {

using namespace std::chrono_literals;
constexpr AuditWindow::Time kStart{1000s};

double ratio(const AuditWindow& window) {
  const auto change = window.change().value();
  return static_cast<double>(change.observed) / static_cast<double>(change.kernel);
}

TEST(AuditWindow, SaysNothingWithoutAnEvent) {
  AuditWindow window(60s);
  EXPECT_FALSE(window.change());
  window.add(kStart, 5, 100);
  EXPECT_FALSE(window.change());
  window.add(kStart + 10s, 5, 100);
  EXPECT_FALSE(window.change());
}

TEST(AuditWindow, ComparesDifferencesNotTotals) {
  AuditWindow window(60s);
  window.add(kStart, 5, 1000);
  window.add(kStart + 10s, 105, 1100);
  EXPECT_DOUBLE_EQ(ratio(window), 1.0);
  window.add(kStart + 20s, 105, 1200);
  EXPECT_DOUBLE_EQ(ratio(window), 0.5);
}

TEST(AuditWindow, ForgetsWhatIsOlderThanItsLength) {
  AuditWindow window(60s);
  window.add(kStart, 0, 0);
  window.add(kStart + 1s, 0, 100);  // a hundred missed
  window.add(kStart + 30s, 50, 150);
  EXPECT_DOUBLE_EQ(ratio(window), 50.0 / 150.0);
  window.add(kStart + 61s, 60, 160);
  EXPECT_DOUBLE_EQ(ratio(window), 1.0);
}

TEST(AuditWindow, BeginsAgainWhenTheKernelsCounterFell) {
  AuditWindow window(60s);
  window.add(kStart, 100, 1000);
  window.add(kStart + 1s, 110, 10);
  EXPECT_FALSE(window.change());
  window.add(kStart + 2s, 111, 11);
  EXPECT_DOUBLE_EQ(ratio(window), 1.0);
}

TEST(ProtocolCounter, FindsAValueByItsName) {
  const char* snmp =
      "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
      "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails\n"
      "Tcp: 1 200 120000 -1 12 34 56\n"
      "Udp: InDatagrams\nUdp: 7\n";
  EXPECT_EQ(protocol_counter(snmp, "Tcp", "ActiveOpens").value(), 12U);
  EXPECT_EQ(protocol_counter(snmp, "Tcp", "AttemptFails").value(), 56U);
  EXPECT_EQ(protocol_counter(snmp, "Tcp", "MaxConn").error().message(), "counter Tcp: MaxConn: not a count: -1");
  EXPECT_EQ(protocol_counter(snmp, "Tcp", "InDatagrams").error().message(), "no counter Tcp: InDatagrams");
  EXPECT_FALSE(protocol_counter("", "Tcp", "ActiveOpens"));
  EXPECT_FALSE(protocol_counter("Tcp: ActiveOpens\n", "Tcp", "ActiveOpens"));
  EXPECT_FALSE(protocol_counter("Tcp: A ActiveOpens\nTcp: 1\n", "Tcp", "ActiveOpens"));
}

}  // namespace
}  // namespace connscope::probe
