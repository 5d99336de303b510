// SPDX-License-Identifier: Apache-2.0
//
// What a DNS server of this host gives: from the query that came in to the answer that went out, by rcode.
#include <cstdlib>
#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

struct Nothing {};

class DnsServerTest : public WorldTest<Nothing> {
 protected:
  static void SetUpTestSuite() {
    begin([](const NetNamespace&) {}, std::string(kManyPrefixes) + "[probe.dns]\ntimeout = \"1s\"\n");
  }

  /// Both ends under names that begin with `name`; the server is on all the addresses of the server's namespace.
  void open(const std::string& name) {
    client_ = std::make_unique<Actor>(must(Actor::create(name + "_c", CONNSCOPE_DNS_ACTOR)));
    server_ = std::make_unique<Actor>(must(Actor::create(name + "_s", CONNSCOPE_DNS_ACTOR)));
    listener_ = std::make_unique<Listener>(
        must(Listener::serve(*server_, {"10.77.0.2", "53", "fd77::2", "53"}, world_->server().fd())));
  }
  std::vector<Said> ask(const std::string& steps, const std::string& address = "10.77.0.2") const {
    return must(client_->run({"ask", address, "53", "--do", steps}, world_->client().fd()));
  }
  [[nodiscard]] DnsCounts counts_of(const Actor& actor) const {
    return DnsCounts::of(must(agent_->scrape()), actor.name());
  }

  std::unique_ptr<Actor> client_;
  std::unique_ptr<Actor> server_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(DnsServerTest, AnswersAreCountedByRcodeOverBothTransportsAndFamilies) {
  open("rcodes");
  for (int run = 1; run <= 2; ++run) {
    for (const char* address : {"10.77.0.2", "fd77::2"}) {
      for (const char* transport : {"udp", "tcp"}) {
        ask(std::string(transport) +
                ",ask:ok.s.test,ask:nxdomain.s.test,ask:servfail.s.test,ask:refused.s.test,ask:nodata.s.test,"
                "ask:formerr.s.test,ask:rcode-3000.s.test,read:7",
            address);
      }
    }
    const DnsCounts counts = counts_of(*server_);
    EXPECT_EQ(counts.served, (Counts{{"NOERROR", 8.0 * run},
                                     {"NXDOMAIN", 4.0 * run},
                                     {"SERVFAIL", 4.0 * run},
                                     {"REFUSED", 4.0 * run},
                                     {"FORMERR", 4.0 * run},
                                     {"RCODE3000", 4.0 * run}}));
    // It asked nothing itself, and what it refuses is its client's failure.
    EXPECT_EQ(counts.all_queries() + counts.all_ended() + counts.in_flight, 0);
    EXPECT_TRUE(counts.failures.empty());
    EXPECT_EQ(counts_of(*client_).all_served(), 0);
  }
}

TEST_F(DnsServerTest, DurationsAreTheServersOwn) {
  open("durations");
  for (const auto& [ms, transport] : {std::pair(20, "udp"), {20, "tcp"}, {200, "udp"}, {200, "tcp"}}) {
    SCOPED_TRACE(std::to_string(ms) + " ms over " + transport);
    const double before = counts_of(*server_).served_seconds;
    const auto said = ask(std::string(transport) + ",ask:delay-" + std::to_string(ms) + ".s.test,read:1");
    const double took = counts_of(*server_).served_seconds - before;
    EXPECT_GE(took, ms * 0.8e-3);
    // In an emulated machine the client's own steps take longer than what they measure.
    if (std::getenv("CONNSCOPE_EMULATED") == nullptr) {
      EXPECT_NEAR(took, said.front().seconds, said.front().seconds * 0.2 + 1e-3);
    }
  }
}

TEST_F(DnsServerTest, WhatIsNotAnsweredIsNotServed) {
  open("silent");
  ask("connected,ask:silent.s.test,ask:ok.s.test,read:1");
  EXPECT_EQ(counts_of(*server_).served, (Counts{{"NOERROR", 1}}));
  // What waited for its answer is not taken for the next one's.
  EXPECT_LE(counts_of(*server_).served_seconds, 0.5);
}

TEST_F(DnsServerTest, ManyClientsWithTheSameIdAreToldApart) {
  open("same_ids");
  // A client's first id depends on its process id alone; so many sockets of one process ask with ids that follow.
  std::string steps;
  for (int i = 0; i < 20; ++i) steps += std::string(i == 0 ? "" : ",") + "connected,same-id,ask:delay-20.s.test,forget";
  ask(steps + ",wait:100");
  EXPECT_EQ(counts_of(*server_).served, (Counts{{"NOERROR", 20}}));
  EXPECT_GE(counts_of(*server_).served_seconds, 20 * 0.016);
}

}  // namespace
}  // namespace connscope::testing
