// SPDX-License-Identifier: Apache-2.0
//
// TLS handshakes whose segments come out of order, again, or with wrong numbers: a peer of single packets is the
// server, and the client, a socket of this process, must be counted as if nothing had happened.
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tls_counts.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_peer.h"
#include "tests/support/tls_bytes.h"
#include "tests/support/wire_pair.h"

namespace connscope::testing {
namespace {

using namespace tls;  // NOLINT: the bytes are the words of these tests

constexpr char kProcess[] = "tls_segments_integration_test";

class TlsSegmentsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, "")));
    peer_ = std::make_unique<RawPeer>(must(RawPeer::connected(apart_)));
  }

  void client_sends(const std::string& bytes) {
    ASSERT_EQ(::send(peer_->socket().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    must(peer_->await(bytes.size()));
  }
  /// `bytes` as segments of `size`, which come in that order of their numbers.
  void server_sends(const std::string& bytes, std::size_t size, const std::vector<std::size_t>& order) {
    const std::vector<std::string> parts = cut(bytes, size);
    for (const std::size_t index : order) {
      if (index >= parts.size()) continue;
      must(peer_->send(sent_ + static_cast<std::uint32_t>(index * size), parts[index]));
    }
    sent_ += static_cast<std::uint32_t>(bytes.size());
  }
  void expect_client(const TlsCounts& wanted) {
    Exposition shown;
    eventually(std::chrono::milliseconds(3000), [&] {
      shown = must(agent_->scrape());
      return has_counts(TlsCounts::of(shown, kProcess, "client"), wanted);
    });
    expect_counts(TlsCounts::of(shown, kProcess, "client"), wanted);
    EXPECT_EQ(shown.sum("connscope_lost_events_total", {{"probe", "tls"}}), 0);
  }

  NetNamespace apart_ = must(NetNamespace::create());
  std::unique_ptr<AgentProcess> agent_;
  std::unique_ptr<RawPeer> peer_;
  std::uint32_t sent_ = 0;
};

const std::vector<std::size_t> kInOrder = {0, 1, 2, 3, 4};

TlsCounts ok_12() {
  TlsCounts counts;
  counts.ok = {{"1.2", 1}};
  return counts;
}

TEST_F(TlsSegmentsTest, OutOfOrder) {
  client_sends(handshake(client_hello()));
  ASSERT_LE(cut(server_flight_12(), 300).size(), 5U);
  server_sends(server_flight_12(), 300, {1, 3, 2, 0, 4});
  client_sends(client_key_exchange() + finished_12());
  server_sends(finished_12(), 20, {2, 1, 0});
  expect_client(ok_12());
}

TEST_F(TlsSegmentsTest, AgainAndAgain) {
  client_sends(handshake(client_hello()));
  server_sends(alert(112, 1), 7, {0, 0});
  server_sends(server_flight_12(), 300, {0, 0, 1, 2, 1, 2, 3, 0, 3, 4, 4});
  client_sends(client_key_exchange() + finished_12());
  server_sends(finished_12(), 60, {0, 0});
  expect_client(ok_12());
  EXPECT_EQ(must(agent_->scrape()).sum("conn_tls_alerts_total", {{"process", kProcess}}), 1)
      << "once, however often it came";
}

TEST_F(TlsSegmentsTest, Overlapping) {
  client_sends(handshake(client_hello()));
  const std::string flight = server_flight_12();
  must(peer_->send(0, flight.substr(0, 500)));
  must(peer_->send(300, flight.substr(300, 400)));
  must(peer_->send(100, flight.substr(100)));
  sent_ = static_cast<std::uint32_t>(flight.size());
  client_sends(client_key_exchange() + finished_12());
  server_sends(finished_12(), 60, kInOrder);
  expect_client(ok_12());
}

TEST_F(TlsSegmentsTest, FarewellBeforeWhatItFollows) {
  client_sends(handshake(client_hello()));
  must(peer_->send(7, "", RawPeer::kFin));
  must(peer_->send(0, alert(40)));
  TlsCounts wanted;
  wanted.failed = {{"unknown", 1}};
  wanted.failures = {{"handshake_failure", 1}};
  expect_client(wanted);
}

TEST_F(TlsSegmentsTest, ForgedResetEndsNothing) {
  client_sends(handshake(client_hello()));
  must(peer_->send(0x40000000, "", RawPeer::kReset));
  server_sends(server_flight_12(), 1400, kInOrder);
  client_sends(client_key_exchange() + finished_12());
  server_sends(finished_12(), 60, kInOrder);
  expect_client(ok_12());
}

}  // namespace
}  // namespace connscope::testing
