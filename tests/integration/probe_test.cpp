// SPDX-License-Identifier: Apache-2.0
//
// The tcp probe inside the test's own process, where it can be detached, starved of room, and made to retire
// what is idle: things that a running agent does not do on demand.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/identity/identity_table.h"
#include "agent/metrics/registry.h"
#include "bpf/catalog.h"
#include "tests/integration/bpf_required.h"
#include "tests/support/dns_exchange.h"

namespace connscope::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// The probe with everything that it needs, counting this process under "self". The host's other processes are
/// excluded: they leave traces until each has been seen once, so what they left is the baseline of each figure.
class Bench {
 public:
  explicit Bench(const std::string& toml, identity::IdentityLimits limits = {})
      : document_(*config::Document::parse("[[process]]\nprefix = \"self\"\nexe = \"*/probe_integration_test\"\n"
                                           "[[process]]\nexe = \"*\"\ncapture = false\n" +
                                               toml,
                                           "test.toml")),
        identity_(bpf::make_identity_probe()),
        identities_(*identity_, identity::ProcessRules::parse(document_.root()), limits) {
    auto probes = bpf::make_probes({registry_, identities_, connections_, libraries_}, document_.root().table("probe"));
    const auto legal = document_.finish();
    EXPECT_TRUE(legal) << legal.error().message();
    for (auto& probe : *probes)
      if (probe->name() == "tcp") probe_ = std::move(probe);
    const auto identity_started = identity_->start({});
    EXPECT_TRUE(identity_started) << identity_started.error().message();
    const auto started = probe_->start(identity_->shared_maps());
    EXPECT_TRUE(started) << started.error().message();
    for (int i = 0; i < 20; ++i) {
      collect();
      std::this_thread::sleep_for(10ms);
    }
    others_ = identities_.size();
    for (const auto& lost : probe_->report().lost) lost_before_[lost.cause] = lost.count;
    for (const auto& usage : probe_->report().maps) entries_before_[usage.map] = usage.entries;
  }

  void collect() {
    for (const std::uint64_t id : identity_->take_news()) identities_.label_of(id);
    const auto outcome = probe_->collect(now_);
    EXPECT_TRUE(outcome) << outcome.error().message();
  }
  /// The test's clock goes on, and what is idle is retired.
  void pass(std::chrono::seconds time) {
    now_ += time;
    collect();
    const auto retired = identities_.retire_idle(now_);
    EXPECT_TRUE(retired) << retired.error().message();
    if (retired) probe_->retire(*retired);
  }
  probe::Probe& probe() { return *probe_; }
  /// This process's; each exec or retirement gives it a new one.
  std::size_t own_identities() const { return identities_.size() - others_; }

  /// The sum of a family's series with these label values, "" standing for any.
  double sum(const std::string& family, const std::vector<std::string>& values) const {
    double total = 0;
    const auto snapshot = registry_.snapshot();
    for (const auto& candidate : snapshot->families)
      if (candidate.descriptor->name == family)
        for (const auto& sample : candidate.samples)
          if (matches(*sample.label_values, values)) total += number(sample.value);
    return total;
  }
  std::uint64_t lost(const std::string& cause) const {
    for (const auto& lost : probe_->report().lost)
      if (lost.cause == cause) return lost.count - lost_before_.at(cause);
    return 0;
  }
  std::uint64_t entries(const std::string& map) const {
    for (const auto& usage : probe_->report().maps)
      if (usage.map == map) return usage.entries - entries_before_.at(map);
    return 0;
  }

 private:
  static bool matches(const std::vector<std::string>& values, const std::vector<std::string>& wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!wanted[i].empty() && values[i] != wanted[i]) return false;
    return true;
  }
  static double number(const metrics::Value& value) {
    if (const auto* counter = std::get_if<metrics::CounterValue>(&value)) return metrics::as_double(counter->total);
    if (const auto* gauge = std::get_if<metrics::GaugeValue>(&value)) return metrics::as_double(gauge->value);
    double count = 0;
    for (const auto bucket : std::get<metrics::HistogramValue>(value).counts) count += static_cast<double>(bucket);
    return count;
  }

  config::Document document_;
  metrics::Registry registry_;
  std::unique_ptr<probe::IdentityProbe> identity_;
  identity::IdentityTable identities_;
  detail::ConnectionFeed connections_;
  probe::LibraryWatch libraries_;
  std::unique_ptr<probe::Probe> probe_;
  Clock::time_point now_ = Clock::now();
  std::size_t others_ = 0;
  std::map<std::string, std::uint64_t> lost_before_;
  std::map<std::string, std::uint64_t> entries_before_;
};

/// Port 1 has no listener.
void connect_refused(int times) {
  const sockaddr_in address = loopback(1);
  for (int i = 0; i < times; ++i) {
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), -1);
  }
}

/// Attempts that stay in SYN_SENT while they live: the listener's queue is full.
class StuckAttempts {
 public:
  explicit StuckAttempts(int count) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::listen(listener_.get(), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    // One connection fills a backlog of 0; those after it get no answer.
    for (int i = 0; i < count + 1; ++i) {
      clients_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(clients_.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> clients_;
};

/// Connections to this process itself, both of whose ends are open while they live.
class OpenConnections {
 public:
  explicit OpenConnections(int count) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    for (int i = 0; i < count; ++i) {
      ends_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      EXPECT_EQ(::connect(ends_.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
      ends_.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      EXPECT_EQ(::send(ends_.back().get(), "hello", 5, MSG_NOSIGNAL), 5);
    }
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> ends_;
};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

/// In a network namespace of its own, so that the kernel's counters there are the test's alone.
class ProbeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    const UniqueFd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq loopback_device{};
    std::strcpy(loopback_device.ifr_name, "lo");
    loopback_device.ifr_flags = IFF_UP;
    ASSERT_EQ(::ioctl(any.get(), SIOCSIFFLAGS, &loopback_device), 0);
  }
};

TEST_F(ProbeTest, CollectsTakeNoDescriptorAndTheEndGivesAllBack) {
  const std::size_t before = open_descriptors();
  {
    Bench bench("");
    const std::size_t running = open_descriptors();
    EXPECT_GT(running, before);
    for (int i = 0; i < 20; ++i) bench.collect();
    EXPECT_EQ(open_descriptors(), running);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ProbeTest, TheAuditFallsWhenTheProbeIsDetached) {
  Bench bench("");
  connect_refused(1000);
  bench.collect();
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"active_opens"}), 1.0);
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"attempt_fails"}), 1.0);
  bench.probe().stop();
  EXPECT_FALSE(bench.probe().report().up);
  connect_refused(1000);
  bench.collect();
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"active_opens"}), 0.5);
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"attempt_fails"}), 0.5);
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), 1000) << "what was counted before stays";
}

TEST_F(ProbeTest, AttemptsWithoutRoomForTheirStateAreCountedAsLost) {
  Bench bench("[probe.tcp]\nsockets = 8\n");
  {
    const StuckAttempts stuck(100);
    bench.collect();
    const double begun = bench.sum("conn_tcp_connects", {"self"});
    EXPECT_LT(begun, 101);
    EXPECT_EQ(begun + static_cast<double>(bench.lost("state_full")), 101);
    EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}),
              begun - bench.sum("conn_tcp_connect_duration_seconds", {"self"}));
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 0);
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), bench.sum("conn_tcp_connect_duration_seconds", {"self"}));
}

TEST_F(ProbeTest, EndsWithoutACellAreCountedAsLostAndDoNotStayInFlight) {
  Bench bench("[probe.tcp]\ncells = 8\n");
  // Refusals on loopback take from some to some hundred microseconds: more buckets than eight cells, with the stuck
  // ones.
  connect_refused(5000);
  for (int i = 0; i < 5; ++i) {
    const StuckAttempts stuck(20);
    connect_refused(500);
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), 5000 + 5 * (21 + 500));
  EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 0);
  // Beside these ends the cause counts what the connections that fill the backlogs had no cell for.
  const double missing = bench.sum("conn_tcp_connects", {}) - bench.sum("conn_tcp_connect_duration_seconds", {});
  EXPECT_GT(missing, 0);
  EXPECT_LE(missing, static_cast<double>(bench.lost("cells_full")));
}

/// What holds between the figures of this process while nothing is lost to it that has begun.
void expect_conserved(const Bench& bench) {
  const double ok = bench.sum("conn_tcp_connect_duration_seconds", {"self", "", "ok"});
  const double client = bench.sum("conn_tcp_connection_duration_seconds", {"self", "client"}) +
                        bench.sum("conn_tcp_open_connections", {"self", "client"});
  const double server = bench.sum("conn_tcp_connection_duration_seconds", {"self", "server"}) +
                        bench.sum("conn_tcp_open_connections", {"self", "server"});
  EXPECT_EQ(ok, client);
  EXPECT_EQ(bench.sum("conn_tcp_handshake_duration_seconds", {"self"}), server);
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), bench.sum("conn_tcp_connect_duration_seconds", {"self"}) +
                                                          bench.sum("conn_tcp_connects_in_flight", {"self"}));
}

TEST_F(ProbeTest, ConnectionsWithoutRoomForTheirStateAreCountedAsLost) {
  Bench bench("[probe.tcp]\nsockets = 8\n");
  {
    const OpenConnections connections(50);
    bench.collect();
    const double followed = bench.sum("conn_tcp_open_connections", {"self"});
    EXPECT_GT(followed, 0);
    EXPECT_LE(followed, 8);
    EXPECT_EQ(followed + static_cast<double>(bench.lost("state_full")), 100);
    expect_conserved(bench);
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_open_connections", {"self"}), 0);
  EXPECT_EQ(bench.sum("conn_tcp_connection_duration_seconds", {"self"}) + static_cast<double>(bench.lost("state_full")),
            100);
  expect_conserved(bench);
  // There is room again.
  const OpenConnections few(2);
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_open_connections", {"self"}), 4);
  expect_conserved(bench);
}

TEST_F(ProbeTest, ConnectionsWithoutCellsAreCountedAsLostAndDoNotStayOpen) {
  Bench bench("[probe.tcp]\ncells = 8\n");
  for (int i = 0; i < 5; ++i) const OpenConnections connections(100);
  bench.collect();
  EXPECT_GT(bench.lost("cells_full"), 0U);
  EXPECT_EQ(bench.sum("conn_tcp_open_connections", {"self"}), 0);
  EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 0);
  bench.collect();
  const auto lost = bench.lost("cells_full");
  bench.collect();
  EXPECT_EQ(bench.lost("cells_full"), lost) << "what is lost is lost once";
}

TEST_F(ProbeTest, OpenConnectionsKeepTheirIdentityAndTheirBytes) {
  identity::IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  Bench bench("", limits);
  {
    const OpenConnections connections(3);
    for (int i = 0; i < 5; ++i) bench.pass(60s);
    EXPECT_EQ(bench.own_identities(), 1U);
    EXPECT_EQ(bench.sum("conn_tcp_open_connections", {"self"}), 6);
    EXPECT_EQ(bench.sum("conn_tcp_transmit_bytes", {"self"}), 15);
    EXPECT_EQ(bench.sum("conn_tcp_receive_bytes", {"self"}), 15);
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_open_connections", {"self"}), 0);
  EXPECT_EQ(bench.sum("conn_tcp_connection_duration_seconds", {"self"}), 6);
  EXPECT_EQ(bench.sum("conn_tcp_transmit_bytes", {"self"}), 15);
  expect_conserved(bench);
  // Idle since then, it gives its places back, and its counters stay.
  for (int i = 0; i < 3; ++i) bench.pass(60s);
  EXPECT_EQ(bench.own_identities(), 0U);
  EXPECT_EQ(bench.sum("conn_tcp_transmit_bytes", {"self"}), 15);
  expect_conserved(bench);
  const OpenConnections later(1);
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_transmit_bytes", {"self"}), 20);
  expect_conserved(bench);
}

TEST_F(ProbeTest, TheAuditOfPassiveOpensFallsWhenTheProbeIsDetached) {
  Bench bench("");
  { const OpenConnections connections(500); }
  bench.collect();
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"passive_opens"}), 1.0);
  bench.probe().stop();
  { const OpenConnections connections(500); }
  bench.collect();
  EXPECT_DOUBLE_EQ(bench.sum("connscope_audit_observed_ratio", {"passive_opens"}), 0.5);
}

TEST_F(ProbeTest, ASimultaneousOpenIsOneAttempt) {
  Bench bench("");
  for (std::uint16_t port = 9001; port < 9006; ++port) {
    // A socket that connects to its own port meets its own SYN: SYN_SENT, SYN_RECV, ESTABLISHED.
    const UniqueFd self(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    ASSERT_EQ(::bind(self.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::connect(self.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), 5);
  EXPECT_EQ(bench.sum("conn_tcp_connect_duration_seconds", {"self", "ipv4", "ok"}), 5);
  EXPECT_EQ(bench.sum("conn_failures", {"self"}), 0);
  EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 0);
}

TEST_F(ProbeTest, WhatIsIdleIsRetiredWithoutLosingACount) {
  identity::IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  Bench bench("", limits);
  connect_refused(10);
  bench.collect();
  ASSERT_GT(bench.entries("connect_ended"), 0U);
  ASSERT_EQ(bench.own_identities(), 1U);
  bench.pass(60s);     // forgotten by the kernel
  connect_refused(5);  // comes under a new identity
  bench.pass(5s);
  EXPECT_EQ(bench.own_identities(), 2U);
  bench.pass(10s);  // the old one's cells go
  EXPECT_EQ(bench.own_identities(), 1U);
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), 15);
  EXPECT_EQ(bench.sum("conn_failures", {"self", "client", "tcp", "refused"}), 15);
  bench.pass(60s);
  bench.pass(10s);
  bench.collect();
  EXPECT_EQ(bench.own_identities(), 0U);
  EXPECT_EQ(bench.entries("connect_ended"), 0U) << "the maps are at their resting size";
  EXPECT_EQ(bench.entries("connect_begun"), 0U);
  connect_refused(3);
  bench.collect();
  EXPECT_EQ(bench.sum("conn_tcp_connects", {"self"}), 18) << "the counter never falls";
}

TEST_F(ProbeTest, AnAttemptInFlightKeepsItsIdentity) {
  identity::IdentityLimits limits;
  limits.idle = 60s;
  limits.grace = 10s;
  Bench bench("", limits);
  {
    const StuckAttempts stuck(3);
    for (int i = 0; i < 5; ++i) bench.pass(60s);
    EXPECT_EQ(bench.own_identities(), 1U);
    EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 3);
  }
  bench.collect();
  EXPECT_EQ(bench.sum("conn_failures", {"self", "client", "tcp", "aborted"}), 3);
  EXPECT_EQ(bench.sum("conn_tcp_connects_in_flight", {"self"}), 0);
}

}  // namespace
}  // namespace connscope::testing
