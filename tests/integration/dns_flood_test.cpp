// SPDX-License-Identifier: Apache-2.0
//
// 200,000 queries as fast as they are answered, of which one in a hundred has no answer: exact to the last one, nothing
// lost, and what is remembered of them is bounded, shown, and given back.
#include <algorithm>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr char kQueries[] = "dns/queries";
constexpr char kAskers[] = "dns/askers";

double entries(const Exposition& shown, const std::string& map) {
  return shown.sum("connscope_bpf_map_entries", {{"map", map}});
}

class DnsFloodTest : public ::testing::Test {
 protected:
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }
};

TEST_F(DnsFloodTest, EveryQueryIsCountedAndWhatIsRememberedIsGivenBack) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, "[probe.dns]\ntimeout = \"1s\"\n"));
  const NetNamespace apart = must(NetNamespace::create());
  const Actor client = must(Actor::create("dns_flood_c", CONNSCOPE_DNS_ACTOR));
  const Actor server = must(Actor::create("dns_flood_s", CONNSCOPE_DNS_ACTOR));
  const Listener listener = must(Listener::serve(server, {"127.0.0.1", "53"}, apart.fd()));
  Exposition shown = must(agent.scrape());
  ASSERT_EQ(shown.count("connscope_bpf_map_entries", {{"map", kQueries}}), 1U);
  const double room = shown.sum("connscope_bpf_map_max_entries", {{"map", kQueries}});
  EXPECT_GT(room, 0);
  EXPECT_EQ(entries(shown, kQueries), 0);
  const double askers_at_rest = entries(shown, kAskers);

  auto flood = must(client.start({"flood", "127.0.0.1", "53", "--count", "200000", "--sockets", "4", "--window", "16",
                                  "--silent-every", "100", "--hold"},
                                 apart.fd()));
  double most = 0;
  int scrapes = 0;
  while (!flood.await_output("took ", std::chrono::milliseconds(50)) && scrapes < 600) {
    shown = must(agent.scrape());
    expect_dns_laws(shown, client.name());
    most = std::max(most, entries(shown, kQueries));
    ++scrapes;
  }
  ASSERT_TRUE(flood.await_output("took ", std::chrono::milliseconds(0))) << flood.standard_error();
  EXPECT_GT(most, 0) << "the fill was shown in " << scrapes << " scrapes";
  EXPECT_LE(most, room);

  ASSERT_TRUE(eventually(std::chrono::seconds(10), [&] {
    shown = must(agent.scrape());
    return DnsCounts::of(shown, client.name()).in_flight == 0;
  }));
  const auto expect_all = [&] {
    DnsCounts wanted;
    wanted.queries = {{"udp A", 200'000}};
    wanted.ok = {{"udp A", 198'000}};
    wanted.failed = {{"udp A", 2'000}};
    wanted.failures = {{"timeout", 2'000}};
    wanted.responses = {{"NOERROR A", 198'000}};
    expect_counts(DnsCounts::of(shown, client.name()), wanted, 1);
    EXPECT_EQ(DnsCounts::of(shown, server.name()).served, (Counts{{"NOERROR", 198'000}}));
    EXPECT_EQ(shown.sum("connscope_lost_events_total", {{"probe", "dns"}}), 0);
  };
  expect_all();
  flood.close_input();
  EXPECT_TRUE(ended_well(must(flood.wait(std::chrono::seconds(5)))));
  EXPECT_TRUE(eventually(std::chrono::seconds(10),
                         [&] {
                           shown = must(agent.scrape());
                           return entries(shown, kQueries) == 0 && entries(shown, kAskers) <= askers_at_rest;
                         }))
      << entries(shown, kQueries) << " queries, " << entries(shown, kAskers) << " sockets are remembered";
  expect_all();
}

/// More queries without an answer than there is room for: what finds none is told, and the law holds.
TEST_F(DnsFloodTest, WhatFindsNoRoomIsTold) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, "[probe.dns]\ntimeout = \"1s\"\nqueries = 1024\n"));
  const Actor client = must(Actor::create("dns_full_c", CONNSCOPE_DNS_ACTOR));
  // Without a server, which would have the same queries to remember.
  const NetNamespace apart = must(NetNamespace::create());
  must(apart.nft("table inet lost {\n chain input {\n type filter hook input priority 0\n udp dport 53 drop\n }\n}\n"));
  auto flood =
      must(client.start({"flood", "127.0.0.1", "53", "--count", "3000", "--silent-every", "1", "--hold"}, apart.fd()));
  ASSERT_TRUE(flood.await_output("took ", std::chrono::seconds(10)));
  Exposition shown;
  ASSERT_TRUE(eventually(std::chrono::seconds(10), [&] {
    shown = must(agent.scrape());
    expect_dns_laws(shown, client.name());
    EXPECT_LE(entries(shown, kQueries), 1024);
    return DnsCounts::of(shown, client.name()).in_flight == 0;
  }));
  const double lost = shown.sum("connscope_lost_events_total", {{"probe", "dns"}, {"cause", "state_full"}});
  EXPECT_GT(lost, 0);
  EXPECT_EQ(DnsCounts::of(shown, client.name()).all_queries() + lost, 3000);
  flood.close_input();
}

}  // namespace
}  // namespace connscope::testing
