// SPDX-License-Identifier: Apache-2.0
//
// Labels of the DNS families that only the config brings: names, servers; and types that have no mnemonic. Each has its
// limit, past which values are "other", and no sum suffers.
#include <algorithm>

#include "tests/integration/dns_counts.h"
#include "tests/integration/world_test.h"

namespace connscope::testing {
namespace {

constexpr char kNames[] = "conn_dns_name_queries_total";
constexpr char kQueries[] = "conn_dns_queries_total";

class DnsLabelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    listener_ = std::make_unique<Listener>(must(Listener::serve(server_, {"127.0.0.1", "53"}, apart_.fd())));
  }
  void start(const std::string& config) {
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kWithoutTls + config)));
  }
  void ask(const std::string& steps, const std::string& address = "127.0.0.1") const {
    must(client_.run({"ask", address, "53", "--do", steps}, apart_.fd()));
  }
  /// What that family has for the client, by the values of a label.
  [[nodiscard]] Counts by(const std::string& family, const std::string& label) const {
    Counts counts;
    const Exposition shown = must(agent_->scrape());
    for (const ExposedSample& sample : shown.samples()) {
      const auto value = sample.labels.find(label);
      const auto process = sample.labels.find("process");
      if (sample.name == family && process != sample.labels.end() && process->second == client_.name())
        counts[value == sample.labels.end() ? "" : value->second] += sample.value;
    }
    return counts;
  }

  NetNamespace apart_ = must(NetNamespace::create());
  Actor client_ = must(Actor::create("dns_labels_c", CONNSCOPE_DNS_ACTOR));
  Actor server_ = must(Actor::create("dns_labels_s", CONNSCOPE_DNS_ACTOR));
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<AgentProcess> agent_;
};

TEST_F(DnsLabelsTest, NoNameAndNoServerIsShownUnlessTheConfigAsksForIt) {
  start("");
  ask("udp,ask:ok.private.test,read:1");
  const Exposition shown = must(agent_->scrape());
  EXPECT_EQ(shown.count(kNames), 0U);
  EXPECT_EQ(by(kQueries, "server"), (Counts{{"", 1}}));
  for (const ExposedSample& sample : shown.samples())
    for (const auto& [label, value] : sample.labels) EXPECT_EQ(value.find("private"), std::string::npos) << label;
}

TEST_F(DnsLabelsTest, NamesAreShownWholeAsManyAsTheirLimit) {
  start("[probe.dns]\nnames = 2\nname_form = \"whole\"\n");
  ask("udp,ask:ok.one.test,ask:ok.one.test/AAAA,read:2,mixed,ask:ok.one.test,ask:ok.two.test,read:2");
  EXPECT_EQ(by(kNames, "name"), (Counts{{"ok.one.test", 3}, {"ok.two.test", 1}}));
  ask("udp,ask:ok.three.test,ask:ok.one.test,read:2");
  EXPECT_EQ(by(kNames, "name"), (Counts{{"ok.one.test", 4}, {"ok.two.test", 1}, {"other", 1}}));
}

TEST_F(DnsLabelsTest, ANameThatOvertakesTakesAPlaceAndNoSumFalls) {
  start("[probe.dns]\nnames = 1\nname_form = \"whole\"\n");
  ask("udp,ask:ok.one.test,read:1");
  EXPECT_EQ(by(kNames, "name"), (Counts{{"ok.one.test", 1}}));
  ask("udp,ask:ok.two.test,ask:ok.two.test,ask:ok.two.test,read:3");
  EXPECT_EQ(by(kNames, "name"), (Counts{{"ok.two.test", 3}, {"other", 1}}));
}

TEST_F(DnsLabelsTest, NamesAreCutToTheirRegisteredDomain) {
  start("[probe.dns]\nnames = 5\n");
  ask("udp,ask:ok.www.example.co.uk,ask:ok.mail.example.co.uk,ask:ok.deep.down.example.com,read:3");
  EXPECT_EQ(by(kNames, "name"), (Counts{{"example.co.uk", 2}, {"example.com", 1}}));
}

TEST_F(DnsLabelsTest, ServersAreShownByTheirAddressAsManyAsTheirLimit) {
  start("[probe.dns]\nserver_labels = 1\n");
  ask("udp,ask:ok.s.test,read:1");
  EXPECT_EQ(by(kQueries, "server"), (Counts{{"127.0.0.1", 1}}));
  ask("connected,ask:ok.s.test,error", "127.0.0.9");
  EXPECT_EQ(by(kQueries, "server"), (Counts{{"127.0.0.1", 1}, {"other", 1}}));
}

TEST_F(DnsLabelsTest, TypesWithoutAMnemonicAreNumbersAsLongAsTheyAreFew) {
  start("");
  std::string steps = "udp";
  constexpr int kAsked = 40;
  for (int i = 0; i < kAsked; ++i) steps += ",ask:nxdomain.s.test/TYPE" + std::to_string(65400 + i) + ",read:1";
  ask(steps);
  Counts types = by(kQueries, "qtype");
  EXPECT_EQ(
      std::count_if(types.begin(), types.end(), [](const auto& one) { return one.first.rfind("TYPE654", 0) == 0; }),
      32);
  EXPECT_EQ(types["other"], kAsked - 32);
  EXPECT_EQ(total(types), kAsked);
}

}  // namespace
}  // namespace connscope::testing
