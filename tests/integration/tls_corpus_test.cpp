// SPDX-License-Identifier: Apache-2.0
//
// The corpus of the TLS parser through the packet programs in the kernel (BPF_PROG_TEST_RUN): whatever a segment holds,
// the packet passes, and each that begins with a ClientHello begins a handshake.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/packet_run.h"
#include "tests/support/cgroup.h"
#include "tests/support/corpus.h"

namespace connscope::testing {
namespace {

constexpr std::uint16_t kHttps = 443;
constexpr std::uint16_t kOther = 40000;
/// A packet for BPF_PROG_TEST_RUN must fit into a page.
constexpr std::size_t kMostOfStream = 1500;

bool begins_with_client_hello(const std::string& stream) {
  return stream.size() >= 6 && stream[0] == 0x16 && stream[1] == 3 && stream[5] == 1;
}

class TlsCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, "")));
    const std::string root = must(cgroup2_mount());
    egress_ = program_at(root, Direction::kEgress, "on_egress");
    ingress_ = program_at(root, Direction::kIngress, "on_ingress");
    // The first byte of an input is the fuzz target's own.
    for (const std::string& input : corpus("tls_record_fuzz"))
      if (input.size() > 1) streams_.push_back(input.substr(1, kMostOfStream));
    ASSERT_GE(streams_.size(), 20U);
  }

  [[nodiscard]] double remembered() const {
    return must(agent_->scrape()).sum("connscope_bpf_map_entries", {{"map", "tls/handshakes"}});
  }

  std::vector<std::string> streams_;
  std::unique_ptr<AgentProcess> agent_;
  UniqueFd egress_;
  UniqueFd ingress_;
};

/// The sockets of such runs are gone without a close, and no process had them, so their handshakes are remembered for a
/// while.
TEST_F(TlsCorpusTest, EachClientHelloBeginsAHandshake) {
  for (const UniqueFd* program : {&egress_, &ingress_}) {
    const double before = remembered();
    double wanted = 0;
    for (const std::string& stream : streams_) {
      if (stream.size() < 6) continue;
      EXPECT_EQ(run(*program, tcp_packet(kOther, kHttps, stream)), kPass);
      if (begins_with_client_hello(stream)) ++wanted;
    }
    EXPECT_GT(wanted, 5);
    EXPECT_EQ(remembered() - before, wanted);
  }
}

TEST_F(TlsCorpusTest, WhateverComesPasses) {
  const std::string hello = *std::find_if(streams_.begin(), streams_.end(), begins_with_client_hello);
  for (const std::string& stream : streams_) {
    for (const UniqueFd* program : {&ingress_, &egress_}) {
      for (std::size_t size = 0; size <= std::min<std::size_t>(stream.size(), 300); ++size)
        EXPECT_EQ(run(*program, tcp_packet(kOther, kHttps, stream.substr(0, size))), kPass);
      EXPECT_EQ(run(*program, tcp_packet(kHttps, kOther, hello + stream)), kPass);
    }
  }
  EXPECT_EQ(must(agent_->scrape()).sum("connscope_lost_events_total", {{"probe", "tls"}}), 0);
}

}  // namespace
}  // namespace connscope::testing
