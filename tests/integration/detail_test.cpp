// SPDX-License-Identifier: Apache-2.0
//
// What is told of single connections: all the probes inside the test's own process, whose connections are the only ones
// that are captured, so that each event is known beforehand.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/detail/connection_feed.h"
#include "agent/identity/identity_table.h"
#include "agent/metrics/registry.h"
#include "bpf/catalog.h"
#include "tests/integration/bpf_required.h"
#include "tests/support/dns_exchange.h"
#include "tests/support/eventually.h"
#include "tests/support/tls_bytes.h"

namespace connscope::testing {
namespace {

using namespace std::chrono_literals;
using detail::Connection;
using Clock = std::chrono::steady_clock;

constexpr char kConfig[] =
    "[[process]]\nprefix = \"self\"\nexe = \"*/detail_integration_test\"\n[[process]]\nexe = \"*\"\ncapture = false\n"
    "[probe.dns]\nports = [5399]\ntimeout = \"1s\"\n";
constexpr std::uint16_t kDnsPort = 5399;

/// Every probe, started as the agent does it.
class Probes {
 public:
  Probes()
      : document_(*config::Document::parse(kConfig, "test.toml")),
        identity_(bpf::make_identity_probe()),
        identities_(*identity_, identity::ProcessRules::parse(document_.root()), {}) {
    auto probes = bpf::make_probes({registry_, identities_, feed_, libraries_}, document_.root().table("probe"));
    probes_ = std::move(*probes);
    EXPECT_TRUE(identity_->start({}));
    probe::SharedMaps shared = identity_->shared_maps();
    for (const auto& probe : probes_) {
      const auto started = probe->start(shared);
      EXPECT_TRUE(started) << probe->name() << ": " << (started ? "" : started.error().message());
      shared.merge(probe->shared_maps());
    }
    collect();
  }
  void collect() {
    for (const std::uint64_t id : identity_->take_news()) identities_.label_of(id);
    for (const auto& probe : probes_) {
      const auto collected = probe->collect(Clock::now());
      EXPECT_TRUE(collected) << collected.error().message();
    }
  }
  detail::ConnectionFeed& feed() { return feed_; }
  [[nodiscard]] std::uint64_t lost(const std::string& cause) const {
    std::uint64_t count = 0;
    for (const auto& probe : probes_)
      for (const auto& lost : probe->report().lost) count += lost.cause == cause ? lost.count : 0;
    return count;
  }
  /// The sum of a family's counters and counts.
  [[nodiscard]] double sum(const std::string& family) const {
    double total = 0;
    const auto snapshot = registry_.snapshot();
    for (const auto& candidate : snapshot->families)
      if (candidate.descriptor->name == family)
        for (const auto& sample : candidate.samples)
          if (const auto* counter = std::get_if<metrics::CounterValue>(&sample.value))
            total += metrics::as_double(counter->total);
    return total;
  }

 private:
  config::Document document_;
  metrics::Registry registry_;
  std::unique_ptr<probe::IdentityProbe> identity_;
  identity::IdentityTable identities_;
  detail::ConnectionFeed feed_;
  probe::LibraryWatch libraries_;
  std::vector<std::unique_ptr<probe::Probe>> probes_;
};

std::string text_of(const sockaddr_in& address) { return "127.0.0.1:" + std::to_string(ntohs(address.sin_port)); }

sockaddr_in address_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

UniqueFd listening() {
  UniqueFd socket = bound(SOCK_STREAM);
  EXPECT_EQ(::listen(socket.get(), 64), 0);
  return socket;
}

/// A port that nobody listens at, as its socket does not.
struct ClosedPort {
  UniqueFd socket = bound(SOCK_STREAM);
  sockaddr_in address = address_of(socket.get());
};

UniqueFd connected(const sockaddr_in& address, int expected_errno = 0) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  EXPECT_EQ(result == 0 ? 0 : errno, expected_errno);
  return socket;
}

void ask(std::uint16_t id, int rcode, std::chrono::milliseconds after) { exchange_dns(kDnsPort, id, rcode, after); }

class Detail : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (missing_for_bpf().empty()) probes_ = std::make_unique<Probes>();
  }
  static void TearDownTestSuite() { probes_.reset(); }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    probes_->feed().drain();  // what the test before has left
  }
  void listen(detail::Kinds kinds) {
    subscription_ = probes_->feed().subscribe(kinds, [this](const Connection& connection) {
      if (connection.process == "self") told_.push_back(connection);
    });
    told_.clear();
  }
  /// Waits for `count` and that no more come.
  const std::vector<Connection>& told(std::size_t count) {
    eventually(3s, [&] {
      probes_->collect();
      return told_.size() >= count;
    });
    probes_->collect();
    EXPECT_EQ(told_.size(), count);
    return told_;
  }

  static inline std::unique_ptr<Probes> probes_;
  std::vector<Connection> told_;
  detail::ConnectionFeed::Subscription subscription_;
};

void expect_own(const Connection& connection) {
  EXPECT_EQ(connection.process, "self");
  EXPECT_EQ(connection.pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_NE(connection.exe.find("detail_integration_test"), std::string::npos) << connection.exe;
  EXPECT_LT(std::chrono::abs(std::chrono::system_clock::now() - connection.time), 60s);
}

TEST_F(Detail, EachRefusedConnectIsToldOnce) {
  listen(detail::kFailure);
  const ClosedPort closed;
  for (int i = 0; i < 3; ++i) connected(closed.address, ECONNREFUSED);
  for (const Connection& connection : told(3)) {
    expect_own(connection);
    EXPECT_EQ(connection.stage, detail::Stage::kTcp);
    EXPECT_EQ(connection.metric, detail::Metric::kConnect);
    EXPECT_EQ(connection.kinds, detail::kFailure);
    EXPECT_EQ(connection.reason, "refused");
    EXPECT_EQ(connection.role, detail::Role::kClient);
    EXPECT_EQ(connection.peer, text_of(closed.address));
    EXPECT_FALSE(connection.ok);
    EXPECT_GT(connection.duration_ns, 0);
    EXPECT_LT(connection.duration_ns, 1'000'000'000);
  }
}

TEST_F(Detail, AQueryThatFailsIsToldWithItsServerAndName) {
  listen(detail::kFailure);
  ask(1, 3, 20ms);
  ask(2, 2, 0ms);
  ask(3, -1, 0ms);
  const auto& all = told(3);
  if (all.size() != 3) return;
  for (const Connection& connection : all) {
    expect_own(connection);
    EXPECT_EQ(connection.stage, detail::Stage::kDns);
    EXPECT_EQ(connection.metric, detail::Metric::kQuery);
    EXPECT_EQ(connection.peer, "127.0.0.1:5399");
    EXPECT_EQ(connection.host, "blocked.example");
  }
  EXPECT_EQ(all[0].reason, "nxdomain");
  EXPECT_GE(all[0].duration_ns, 20'000'000);
  EXPECT_EQ(all[1].reason, "servfail");
  EXPECT_EQ(all[2].reason, "aborted");
}

TEST_F(Detail, AHandshakeThatBreaksOffIsToldWithThePeerAndTheNameItWasAskedFor) {
  listen(detail::kFailure);
  const UniqueFd listener = listening();
  const sockaddr_in address = address_of(listener.get());
  {
    const UniqueFd client = connected(address);
    const UniqueFd server(::accept(listener.get(), nullptr, nullptr));
    const std::string hello = tls::record(22, tls::client_hello({.server_name = "shop.example"}));
    ASSERT_EQ(::send(client.get(), hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
    std::array<char, 512> buffer{};
    ASSERT_GT(::recv(server.get(), buffer.data(), buffer.size(), 0), 0);
    ::shutdown(server.get(), SHUT_WR);
    EXPECT_EQ(::recv(client.get(), buffer.data(), buffer.size(), 0), 0);
  }
  const auto& all = told(2);
  int clients = 0;
  for (const Connection& connection : all) {
    expect_own(connection);
    EXPECT_EQ(connection.stage, detail::Stage::kTls);
    EXPECT_EQ(connection.host, "shop.example");
    if (connection.role != detail::Role::kClient) continue;
    ++clients;
    EXPECT_EQ(connection.reason, "peer_closed");
    EXPECT_EQ(connection.peer, text_of(address));
  }
  EXPECT_EQ(clients, 1);
}

TEST_F(Detail, AConnectionThatIsResetIsToldByItsOwner) {
  listen(detail::kFailure);
  const UniqueFd listener = listening();
  const sockaddr_in address = address_of(listener.get());
  const UniqueFd client = connected(address);
  {
    const UniqueFd server(::accept(listener.get(), nullptr, nullptr));
    const linger at_once{1, 0};
    ::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  const auto& all = told(1);
  if (all.size() != 1) return;
  expect_own(all[0]);
  EXPECT_EQ(all[0].metric, detail::Metric::kLife);
  EXPECT_EQ(all[0].reason, "reset_established");
  EXPECT_EQ(all[0].peer, text_of(address));
}

TEST_F(Detail, EachAttemptIsToldWhenItHasEnded) {
  listen(detail::kAttempt);
  const UniqueFd listener = listening();
  const sockaddr_in address = address_of(listener.get());
  const ClosedPort closed;
  connected(closed.address, ECONNREFUSED);
  connected(address).reset();
  const auto& all = told(2);
  if (all.size() != 2) return;
  for (const Connection& connection : all) {
    expect_own(connection);
    EXPECT_EQ(connection.stage, detail::Stage::kAttempt);
    EXPECT_EQ(connection.kinds, detail::kAttempt);
    EXPECT_GT(connection.tcp_ns.value_or(0), 0);
    EXPECT_LE(connection.tcp_ns.value_or(0), connection.duration_ns);
  }
  EXPECT_EQ(all[0].reason, "refused");
  EXPECT_EQ(all[0].peer, text_of(closed.address));
  EXPECT_TRUE(all[1].ok);
  EXPECT_EQ(all[1].reason, "");
  EXPECT_EQ(all[1].peer, text_of(address));
}

/// FEATURES L20: ten of about one millisecond, and one of a hundred.
TEST_F(Detail, OfTenUsualQueriesAndASlowOneTheSlowOneIsTheOutlier) {
  listen(detail::kOutlier);
  for (std::uint16_t id = 10; id < 20; ++id) ask(id, 0, 1ms);
  probes_->feed().set_bounds("self", detail::Metric::kQuery, {0, 50'000'000, 1'000'000});
  probes_->collect();
  for (std::uint16_t id = 20; id < 30; ++id) ask(id, 0, 1ms);
  ask(30, 0, 100ms);
  probes_->feed().clear_bounds("self", detail::Metric::kQuery);
  ask(31, 0, 100ms);
  const auto& all = told(1);
  if (all.size() != 1) return;
  expect_own(all[0]);
  EXPECT_EQ(all[0].kinds, detail::kOutlier);
  EXPECT_EQ(all[0].mean_ns, 1'000'000);
  EXPECT_GE(all[0].duration_ns, 100'000'000);
  EXPECT_EQ(all[0].peer, "127.0.0.1:5399");
}

TEST_F(Detail, NothingIsSentWhenNobodyListens) {
  listen(detail::kFailure);
  subscription_.reset();
  const ClosedPort closed;
  for (int i = 0; i < 100; ++i) connected(closed.address, ECONNREFUSED);
  listen(detail::kFailure);
  connected(closed.address, ECONNREFUSED);
  EXPECT_EQ(told(1).size(), 1);
}

/// A reader that does not come to its turn: the counts stay exact, and what was not told is counted.
TEST_F(Detail, AFullBufferLosesDetailAndNoCount) {
  constexpr int kConnects = 20000;
  listen(detail::kFailure);
  probes_->collect();
  const double before = probes_->sum("conn_failures");
  const std::uint64_t lost_before = probes_->lost("detail_full");
  const ClosedPort closed;
  for (int i = 0; i < kConnects; ++i) connected(closed.address, ECONNREFUSED);
  for (int turn = 0; turn < 10; ++turn) probes_->collect();
  EXPECT_EQ(probes_->sum("conn_failures") - before, kConnects);
  const std::uint64_t lost = probes_->lost("detail_full") - lost_before;
  EXPECT_GT(lost, 0);
  EXPECT_EQ(told_.size() + lost, kConnects);
}

}  // namespace
}  // namespace connscope::testing
