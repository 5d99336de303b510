// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/listeners.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/unit/bpf/fake_identities.h"

namespace connscope::bpf {
namespace {

using namespace std::chrono_literals;
constexpr Clock::time_point kNow{1000s};
constexpr std::uint64_t kProcess = 101;

/// Listeners with a namespace whose counters the test writes.
class ListenersTest : public ::testing::Test {
 protected:
  ListenersTest()
      : proc_(*testing::TempDir::create()),
        netns_number_(make_namespace()),
        netns_(netns_number_, proc_.path()),
        labels_(identities_.table, 0, 0),
        listeners_(*Listeners::create_families(registry_), labels_, netns_) {
    kernel_has_dropped(0, 0);
  }

  std::uint32_t make_namespace() {
    const std::filesystem::path self = std::filesystem::path(proc_.path()) / "self";
    std::filesystem::create_directories(self / "ns");
    std::filesystem::create_directories(self / "net");
    std::ofstream(self / "ns" / "net") << "x";
    struct stat status {};
    EXPECT_EQ(::stat((self / "ns" / "net").c_str(), &status), 0);
    return static_cast<std::uint32_t>(status.st_ino);
  }
  void kernel_has_dropped(int drops, int overflows) {
    std::ofstream(std::filesystem::path(proc_.path()) / "self" / "net" / "netstat")
        << "TcpExt: ListenOverflows ListenDrops\nTcpExt: " << overflows << " " << drops << "\n";
  }
  listener_report report(std::uint64_t drops, std::uint32_t backlog = 0, std::uint32_t limit = 128) const {
    listener_report made{};
    made.identity = kProcess;
    made.drops = drops;
    made.backlog = backlog;
    made.backlog_limit = limit;
    made.netns = netns_number_;
    made.port = 80;
    return made;
  }
  void collect(const std::vector<listener_report>& reports) {
    const std::string bytes(reinterpret_cast<const char*>(reports.data()), reports.size() * sizeof(listener_report));
    const Status done = listeners_.collect(bytes, closed_, kNow);
    EXPECT_TRUE(done) << done.error().message();
  }
  /// The value of the series with that family name and label somewhere in it.
  double value(const std::string& family, const std::string& label = "p101") const {
    const auto snapshot = registry_.snapshot();
    for (const auto& candidate : snapshot->families)
      for (const auto& sample : candidate.samples)
        for (const std::string& having : *sample.label_values)
          if (candidate.descriptor->name == family && having == label) return number(sample.value);
    return -1;
  }
  static double number(const metrics::Value& value) {
    if (const auto* counter = std::get_if<metrics::CounterValue>(&value)) return metrics::as_double(counter->total);
    return metrics::as_double(std::get<metrics::GaugeValue>(value).value);
  }

  testing::TempDir proc_;
  std::uint32_t netns_number_;
  metrics::Registry registry_;
  testing::Identities identities_;
  probe::NetnsProcesses netns_;
  TcpLabels labels_;
  probe::CellMap<tcp_role_key, tcp_rare> closed_;
  Listeners listeners_;
};

TEST_F(ListenersTest, QueuesOfOneProcessAddUp) {
  collect({report(0, 3, 128), report(0, 4, 100)});
  EXPECT_EQ(value("conn_tcp_listen_backlog"), 7);
  EXPECT_EQ(value("conn_tcp_listen_backlog_limit"), 228);
  collect({});
  EXPECT_EQ(value("conn_tcp_listen_backlog"), 0) << "gone";
}

TEST_F(ListenersTest, DropsAreToldApartByWhatTheKernelCounts) {
  collect({report(0)});
  kernel_has_dropped(7, 5);
  collect({report(7)});
  EXPECT_EQ(value("conn_tcp_listen_drops", "accept_queue_full"), 5);
  EXPECT_EQ(value("conn_tcp_listen_drops", "syn_queue_full"), 2);
  EXPECT_EQ(value("conn_failures", "accept_queue_full"), 5);
  EXPECT_EQ(value("conn_failures", "syn_queue_full"), 2);
}

TEST_F(ListenersTest, DroppedSegmentsThatCostNoConnectionAreNoFailures) {
  collect({report(0)});
  collect({report(9)});
  EXPECT_EQ(value("conn_tcp_listen_drops", "accept_queue_full"), 0);
  EXPECT_EQ(value("conn_tcp_listen_drops", "syn_queue_full"), 0);
}

TEST_F(ListenersTest, WhatANamespaceDroppedBeforeIsNobodys) {
  kernel_has_dropped(100, 100);
  collect({report(0)});
  kernel_has_dropped(103, 100);
  collect({report(3)});
  EXPECT_EQ(value("conn_tcp_listen_drops", "accept_queue_full"), 0);
  EXPECT_EQ(value("conn_tcp_listen_drops", "syn_queue_full"), 3);
}

TEST_F(ListenersTest, DropsOfAListenerThatClosesAreKeptOnce) {
  collect({report(0)});
  kernel_has_dropped(4, 4);
  collect({report(4)});
  tcp_rare rare{};
  rare.listen_drops = 6;  // two more came before it closed
  closed_[tcp_role_key{kProcess, 0, TCP_SERVER, {}}] = rare;
  kernel_has_dropped(6, 6);
  collect({});
  collect({});
  EXPECT_EQ(value("conn_tcp_listen_drops", "accept_queue_full"), 6);
}

TEST_F(ListenersTest, AReportThatIsCutIsNotRead) {
  const listener_report whole = report(0, 3);
  const std::string bytes(reinterpret_cast<const char*>(&whole), sizeof(whole) - 1);
  ASSERT_TRUE(listeners_.collect(bytes, closed_, kNow));
  EXPECT_EQ(listeners_.size(), 0U);
}

}  // namespace
}  // namespace connscope::bpf
