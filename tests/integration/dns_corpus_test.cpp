// SPDX-License-Identifier: Apache-2.0
//
// The parser's corpus through the packet programs in the kernel (BPF_PROG_TEST_RUN): whatever a message is, the packet
// passes, and every query that the parser takes in userspace is one that the agent counts, be it over UDP or TCP.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "agent/base/unique_fd.h"
#include "bpf/dns/dns_message.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/packet_run.h"
#include "tests/support/cgroup.h"
#include "tests/support/corpus.h"
#include "tests/support/packet_neighbour.h"

namespace connscope::testing {
namespace {

constexpr std::uint16_t kDns = 53;
constexpr std::uint16_t kOther = 40000;

/// Whether the parser makes a query of it.
bool is_query(const std::string& message) {
  std::array<__u8, DNS_WINDOW> window{};
  const std::size_t size = std::min<std::size_t>(message.size(), window.size());
  std::memcpy(window.data(), message.data(), size);
  dns_message parsed{};
  parsed.message_bytes = static_cast<__u32>(message.size());
  return dns_read_header(window.data(), size, &parsed) == DNS_OK && parsed.is_answer == 0 &&
         dns_read_question(window.data(), size, &parsed) == DNS_OK;
}

class DnsCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, "")));
    const std::string root = must(cgroup2_mount());
    egress_ = program_at(root, Direction::kEgress, "on_egress");
    ingress_ = program_at(root, Direction::kIngress, "on_ingress");
    ASSERT_GE(messages_.size(), 40U);
  }

  /// Sums over all processes: a TCP segment without a process that holds the socket is nobody's.
  [[nodiscard]] double queries(const std::string& transport) const {
    return must(agent_->scrape()).sum("conn_dns_queries_total", {{"transport", transport}});
  }

  std::vector<std::string> messages_ = corpus("dns_message_fuzz");
  std::unique_ptr<AgentProcess> agent_;
  UniqueFd egress_;
  UniqueFd ingress_;
};

TEST_F(DnsCorpusTest, EachQueryThatTheParserTakesIsCounted) {
  const double udp_before = queries("udp");
  const double tcp_before = queries("tcp");
  double wanted = 0;
  for (const std::string& message : messages_) {
    EXPECT_EQ(run(egress_, udp_packet(kOther, kDns, message)), kPass);
    EXPECT_EQ(run(egress_, tcp_packet(kOther, kDns, number(message.size()) + message)), kPass);
    if (is_query(message)) ++wanted;
  }
  EXPECT_GT(wanted, 5);
  EXPECT_EQ(queries("udp") - udp_before, wanted);
  EXPECT_EQ(queries("tcp") - tcp_before, wanted);
}

TEST_F(DnsCorpusTest, WhateverComesPasses) {
  for (const std::string& message : messages_) {
    for (const auto& [from, to] : {std::pair(kDns, kOther), std::pair(kOther, kDns), std::pair(kDns, kDns)}) {
      for (const UniqueFd* program : {&ingress_, &egress_}) {
        const std::string stream = number(message.size()) + message;
        EXPECT_EQ(run(*program, udp_packet(from, to, message)), kPass);
        EXPECT_EQ(run(*program, tcp_packet(from, to, stream)), kPass);
        EXPECT_EQ(run(*program, tcp_packet(from, to, stream + stream + stream.substr(0, stream.size() / 2))), kPass);
      }
    }
  }
  EXPECT_EQ(must(agent_->scrape()).sum("connscope_lost_events_total", {{"probe", "dns"}}), 0);
}

TEST_F(DnsCorpusTest, PacketsThatAreCutShortPass) {
  const std::string packet = udp_packet(kOther, kDns, messages_.front());
  const std::string segment = tcp_packet(kOther, kDns, number(messages_.front().size()) + messages_.front());
  for (const std::string& whole : {packet, segment}) {
    for (std::size_t size = 14; size <= whole.size(); ++size) {
      for (const UniqueFd* program : {&ingress_, &egress_}) {
        try {
          EXPECT_EQ(run(*program, whole.substr(0, size)), kPass) << size;
        } catch (const std::runtime_error&) {
          EXPECT_LT(size, 34U) << "the kernel itself refuses what has no IPv4 header";
        }
      }
    }
  }
}

}  // namespace
}  // namespace connscope::testing
