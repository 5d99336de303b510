// SPDX-License-Identifier: Apache-2.0
//
// 50,000 handshakes of mixed outcome, 16 at a time: exact to the last one on both sides, nothing lost, and nothing
// remembered of them.
#include <sched.h>

#include <array>
#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tls_counts.h"
#include "tests/support/eventually.h"
#include "tests/support/netns.h"
#include "tests/support/tls_bytes.h"
#include "tests/support/wire_pair.h"

namespace connscope::testing {
namespace {

constexpr char kProcess[] = "tls_flood_integration_test";
constexpr int kThreads = 16;
constexpr int kHandshakes = 50'000;

using Play = void (*)(WirePair&);

void succeed_in_13(WirePair& pair) {
  must(pair.client_sends(tls::handshake(tls::client_hello())));
  must(pair.server_sends(tls::server_flight_13()));
  must(pair.client_sends(tls::change_cipher_spec() + tls::hidden_finished()));
  must(pair.client_sends(tls::hidden(100)));
}
void succeed_in_12(WirePair& pair) {
  must(pair.client_sends(tls::handshake(tls::client_hello())));
  must(pair.server_sends(tls::server_flight_12()));
  must(pair.client_sends(tls::client_key_exchange() + tls::finished_12()));
  must(pair.server_sends(tls::finished_12()));
}
void be_refused(WirePair& pair) {
  must(pair.client_sends(tls::handshake(tls::client_hello())));
  must(pair.server_sends(tls::alert(40)));
}
void leave(WirePair& pair) {
  must(pair.client_sends(tls::handshake(tls::client_hello())));
  must(pair.server_sends(tls::server_flight_13()));
  must(pair.close_client());
}
void be_reset(WirePair& pair) {
  must(pair.client_sends(tls::handshake(tls::client_hello())));
  must(pair.reset_server());
}

// A tenth of all each.
constexpr std::array<Play, 10> kPlays = {succeed_in_13, succeed_in_13, succeed_in_13, succeed_in_13, succeed_in_12,
                                         succeed_in_12, succeed_in_12, be_refused,    leave,         be_reset};
constexpr double kEach = kHandshakes / 10.0;

class TlsFloodTest : public ::testing::Test {
 protected:
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }

  /// Plays as many as are left, in the namespace.
  void work() noexcept {
    try {
      if (::setns(apart_.fd(), CLONE_NEWNET) != 0) throw std::runtime_error("setns");
      for (int next = taken_++; next < kHandshakes; next = taken_++) {
        WirePair pair = must(WirePair::open());
        kPlays[static_cast<std::size_t>(next) % kPlays.size()](pair);
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      taken_ = kHandshakes;
    }
    ++workers_done_;
  }

  NetNamespace apart_ = must(NetNamespace::create());
  std::atomic<int> taken_{0};
  std::atomic<int> workers_done_{0};
};

TEST_F(TlsFloodTest, EveryHandshakeIsCountedAndNothingIsRemembered) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
  must(apart_.set_sysctl("net/ipv4/tcp_max_tw_buckets", "64"));  // or the ports run out
  std::vector<std::thread> workers;
  for (int i = 0; i < kThreads; ++i) workers.emplace_back([this] { work(); });
  int scrapes = 0;
  for (; workers_done_ < kThreads; ++scrapes) {
    expect_tls_laws(must(agent.scrape()), kProcess);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_GT(scrapes, 5);

  TlsCounts client;
  client.ok = {{"1.3", 4 * kEach}, {"1.2", 3 * kEach}};
  client.failed = {{"unknown", 2 * kEach}, {"1.3", kEach}};
  TlsCounts server = client;
  client.failures = {{"handshake_failure", kEach}, {"aborted", kEach}, {"peer_reset", kEach}};
  server.failures = {{"handshake_failure", kEach}, {"peer_closed", kEach}, {"aborted", kEach}};
  Exposition shown;
  eventually(std::chrono::seconds(10), [&] {
    shown = must(agent.scrape());
    return has_counts(TlsCounts::of(shown, kProcess, "client"), client) &&
           has_counts(TlsCounts::of(shown, kProcess, "server"), server) &&
           shown.sum("connscope_bpf_map_entries", {{"map", "tls/handshakes"}}) == 0;
  });
  expect_counts(TlsCounts::of(shown, kProcess, "client"), client);
  expect_counts(TlsCounts::of(shown, kProcess, "server"), server);
  EXPECT_EQ(shown.sum("connscope_bpf_map_entries", {{"map", "tls/handshakes"}}), 0);
  EXPECT_EQ(shown.sum("connscope_lost_events_total", {{"probe", "tls"}}), 0);
}

}  // namespace
}  // namespace connscope::testing
