// SPDX-License-Identifier: Apache-2.0
//
// Whole attempts against what their programs themselves saw: in a network namespace with a DNS server, listeners, and
// addresses that refuse or that nobody answers at.

#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using Words = std::vector<std::string>;
/// By outcome, or by stage of those that failed; those that are not zero.
using Ends = std::map<std::string, double>;
constexpr std::chrono::seconds kLimit(15);
constexpr char kConfig[] = "[limits]\nprefixes = 2000\n[probe.libc_lookup]\nrescan = \"100ms\"\n";
constexpr char kPort[] = "7000";
constexpr char kFamily[] = "conn_attempt_duration_seconds";

// 127.0.0.2 and .5 refuse, at 127.0.0.4 nobody answers, and there is no way to IPv6 addresses.
constexpr char kHosts[] =
    "127.0.0.1 localhost\n"
    "127.0.0.3 one.test\n"
    "127.0.0.2 refused.test\n"
    "127.0.0.2 two.test\n127.0.0.3 two.test\n"
    "127.0.0.4 slow.test\n127.0.0.3 slow.test\n"
    "127.0.0.2 none.test\n127.0.0.5 none.test\n"
    "fd00::9 six.test\n127.0.0.3 six.test\n"
    "127.0.0.3 both.test\n127.0.0.6 both.test\n";
constexpr char kRules[] =
    "table ip addresses {\n"
    "  chain input {\n"
    "    type filter hook input priority 0;\n"
    "    ip daddr { 127.0.0.2, 127.0.0.5 } tcp dport 7000 reject with tcp reset\n"
    "    ip daddr 127.0.0.4 tcp dport 7000 drop\n"
    "  }\n"
    "}\n";

TempDir make_etc() {
  TempDir etc = must(TempDir::create());
  must(etc.write("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n"));
  must(etc.write("nsswitch.conf", "hosts: files dns\nservices: files\n"));
  must(etc.write("host.conf", "multi on\n"));
  must(etc.write("hosts", kHosts));
  return etc;
}

/// Where peers are used.
class Place {
 public:
  Place() : netns_(must(NetNamespace::create())), peer_(must(Actor::create("attempt_peer"))) {
    must(netns_.ip("addr add 10.9.8.7/32 dev lo\n"));
    must(netns_.nft(kRules));
    must(netns_.set_sysctl("net/ipv4/tcp_syn_retries", "1"));
    server_ = std::make_unique<ChildProcess>(must(ChildProcess::spawn({{CONNSCOPE_LOOKUP_SERVER}, netns_.fd(), {}})));
    if (!server_->await_output("listening", kLimit)) throw std::runtime_error(server_->standard_error());
    listener_ = std::make_unique<Listener>(must(Listener::serve(
        peer_, {kPort, "--address", "0.0.0.0", "--workers", "4", "--count", "100000", "--do", "echo"}, netns_.fd())));
  }
  [[nodiscard]] ChildProcess start(const Actor& actor, const Words& steps) const {
    Words words = {"--etc", etc_.path(), kPort};
    words.insert(words.end(), steps.begin(), steps.end());
    return must(actor.start(words, netns_.fd()));
  }

 private:
  NetNamespace netns_;
  Actor peer_;
  TempDir etc_ = make_etc();
  std::unique_ptr<ChildProcess> server_;
  std::unique_ptr<Listener> listener_;
};

struct Counts {
  Ends ends;
  double seconds = 0;  // of all attempts
  double parts = 0;    // seconds of the process's look-ups and connects

  static Counts of(const Exposition& exposition, const std::string& process) {
    Counts counts;
    for (const ExposedSample& sample : exposition.samples()) {
      const auto owner = sample.labels.find("process");
      if (sample.name != std::string(kFamily) + "_count" || owner == sample.labels.end() || owner->second != process ||
          sample.value == 0)
        continue;
      const auto stage = sample.labels.find("stage");
      EXPECT_EQ(sample.labels.at("outcome"), stage == sample.labels.end() ? "ok" : "fail");
      counts.ends[stage == sample.labels.end() ? "ok" : stage->second] = sample.value;
    }
    counts.seconds = exposition.sum(std::string(kFamily) + "_sum", {{"process", process}});
    for (const char* part : {"conn_dns_lookup_duration_seconds_sum", "conn_tcp_connect_duration_seconds_sum"})
      counts.parts += exposition.sum(part, {{"process", process}});
    return counts;
  }
};

class Attempt : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    place_ = std::make_unique<Place>();
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig)));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    place_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }
  static std::vector<Said> run(const Actor& actor, const Words& steps) {
    ChildProcess child = place_->start(actor, steps);
    child.close_input();
    const int status = must(child.wait(kLimit));
    if (status != 0) throw std::runtime_error(child.standard_error());
    return parse_said(child.standard_output());
  }
  static Counts counts(const Actor& actor) { return Counts::of(must(agent_->scrape()), actor.name()); }
  /// An attempt whose last connect has failed is told when no other has followed for a second.
  static Counts settled(const Actor& actor, const Ends& expected) {
    Counts counted;
    eventually(kLimit, [&] {
      counted = counts(actor);
      return counted.ends == expected;
    });
    return counted;
  }

  static inline std::unique_ptr<Place> place_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

/* --- what is one attempt, and how it ends ---------------------------------------------------------------------------
 */

struct Case {
  std::string name;
  Words steps;
  Words said;
  Ends expected;
  /// All steps are part of attempts, one after the other, so that their parts add up to at most that.
  bool is_serial = true;

  friend std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }
};

std::vector<Case> cases() {
  return {
      {"look_up_and_connect", {"look_up:one.test", "connect:127.0.0.3"}, {"look_up:ok", "connect:ok"}, {{"ok", 1}}},
      {"by_a_server", {"look_up:d200.test", "connect:10.9.8.7"}, {"look_up:ok", "connect:ok"}, {{"ok", 1}}},
      {"by_name", {"by_name:d200.test", "connect:10.9.8.7"}, {"by_name:ok", "connect:ok"}, {{"ok", 1}}},
      {"by_another_thread", {"aside:d200.test", "connect:10.9.8.7"}, {"aside:ok", "connect:ok"}, {{"ok", 1}}},
      {"no_look_up", {"connect:127.0.0.3"}, {"connect:ok"}, {{"ok", 1}}},
      {"refused", {"look_up:refused.test", "connect:127.0.0.2"}, {"look_up:ok", "connect:refused"}, {{"tcp", 1}}},
      {"refused_without_look_up", {"connect:127.0.0.2"}, {"connect:refused"}, {{"tcp", 1}}},
      {"nobody_answers", {"look_up:slow.test", "connect:127.0.0.4"}, {"look_up:ok", "connect:timeout"}, {{"tcp", 1}}},
      {"no_such_name", {"look_up:nx.test"}, {"look_up:fail"}, {{"dns", 1}}},
      {"no_such_name_twice", {"look_up:nx.test", "by_name:nx.test"}, {"look_up:fail", "by_name:fail"}, {{"dns", 2}}},
      {"second_address",
       {"look_up:two.test", "connect:127.0.0.2", "connect:127.0.0.3"},
       {"look_up:ok", "connect:refused", "connect:ok"},
       {{"ok", 1}}},
      {"all_addresses_refuse",
       {"look_up:none.test", "connect:127.0.0.2", "connect:127.0.0.5"},
       {"look_up:ok", "connect:refused", "connect:refused"},
       {{"tcp", 1}}},
      {"no_way_to_the_first",
       {"look_up:six.test", "connect:fd00::9", "connect:127.0.0.3"},
       {"look_up:ok", "connect:net_unreachable", "connect:ok"},
       {{"ok", 1}}},
      {"first_is_overtaken",
       {"look_up:slow.test", "begin:127.0.0.4", "pause:50", "begin:127.0.0.3", "settle:"},
       {"look_up:ok", "begin:begun", "pause:ok", "begin:begun", "settle:ok"},
       {{"ok", 1}},
       false},
      {"connects_again",
       {"look_up:one.test", "connect:127.0.0.3", "connect:127.0.0.3"},
       {"look_up:ok", "connect:ok", "connect:ok"},
       {{"ok", 2}}},
      {"another_use_of_what_is_left",
       {"look_up:both.test", "connect:127.0.0.3", "connect:127.0.0.6"},
       {"look_up:ok", "connect:ok", "connect:ok"},
       {{"ok", 2}}},
      {"looks_up_again",
       {"look_up:one.test", "connect:127.0.0.3", "look_up:one.test", "connect:127.0.0.3"},
       {"look_up:ok", "connect:ok", "look_up:ok", "connect:ok"},
       {{"ok", 2}}},
      {"after_one_that_failed",
       {"look_up:nx.test", "look_up:one.test", "connect:127.0.0.3"},
       {"look_up:fail", "look_up:ok", "connect:ok"},
       {{"dns", 1}, {"ok", 1}}},
      {"long_after_the_look_up",
       {"look_up:d200.test", "pause:1200", "connect:10.9.8.7"},
       {"look_up:ok", "pause:ok", "connect:ok"},
       {{"ok", 1}},
       false},
      {"look_up_alone", {"look_up:one.test", "pause:1200"}, {"look_up:ok", "pause:ok"}, {}, false},
      {"look_up_of_an_address", {"back:10.9.8.7", "back:127.0.0.9"}, {"back:ok", "back:ok"}, {}, false},
      {"talks",
       {"look_up:one.test", "connect:127.0.0.3", "talk:", "close:"},
       {"look_up:ok", "connect:ok", "talk:ok", "close:ok"},
       {{"ok", 1}}},
  };
}

class AttemptCase : public Attempt, public ::testing::WithParamInterface<Case> {};

TEST_P(AttemptCase, EndsAsTheProgramSaw) {
  const Case& test = GetParam();
  const Actor actor = must(Actor::create("attempt_" + test.name, CONNSCOPE_ATTEMPT_ACTOR));
  std::chrono::duration<double> lived{0};  // of both runs; what a program says of its steps leaves out what was between
  Ends expected;
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const auto begin = std::chrono::steady_clock::now();
    const auto said = this->run(actor, test.steps);
    lived += std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(words_of(said), test.said);
    for (const auto& [end, count] : test.expected) expected[end] += count;
    const Counts counted = settled(actor, expected);
    EXPECT_EQ(counted.ends, expected);
    EXPECT_LE(counted.seconds, lived.count());
    if (test.is_serial) {
      EXPECT_GE(counted.seconds, 0.999 * counted.parts - 1e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, AttemptCase, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

/* --- what an attempt has taken, and when it is told -----------------------------------------------------------------
 */

TEST_F(Attempt, TakesAsLongAsTheLookUpAndWhatWasTriedInVain) {
  const Actor actor = must(Actor::create("attempt_sums", CONNSCOPE_ATTEMPT_ACTOR));
  run(actor, {"look_up:d200.test", "pause:100", "connect:10.9.8.7"});
  const Counts counted = settled(actor, {{"ok", 1}});
  EXPECT_EQ(counted.ends, (Ends{{"ok", 1}}));
  EXPECT_GE(counted.seconds, 0.3);
}

TEST_F(Attempt, BeginsWithTheConnectWhenTheLookUpWasForAnotherUse) {
  const Actor actor = must(Actor::create("attempt_late", CONNSCOPE_ATTEMPT_ACTOR));
  run(actor, {"look_up:d200.test", "pause:1200", "connect:10.9.8.7"});
  const Counts counted = settled(actor, {{"ok", 1}});
  EXPECT_EQ(counted.ends, (Ends{{"ok", 1}}));
  EXPECT_LT(counted.seconds, 0.2);
}

TEST_F(Attempt, OfAnOpenConnectionIsToldOnceItIsPutToUse) {
  const Actor actor = must(Actor::create("attempt_open", CONNSCOPE_ATTEMPT_ACTOR));
  ChildProcess child =
      place_->start(actor, {"look_up:one.test", "connect:127.0.0.3", "pause:1200", "line:", "talk:", "line:"});
  ASSERT_TRUE(child.await_output("ready", kLimit));
  EXPECT_EQ(counts(actor).ends, Ends{});
  must(child.write_input("go\n"));
  ASSERT_TRUE(child.await_output("talk:ok", kLimit));
  EXPECT_EQ(settled(actor, {{"ok", 1}}).ends, (Ends{{"ok", 1}}));
  must(child.write_input("end\n"));
  EXPECT_EQ(must(child.wait(kLimit)), 0);
  EXPECT_EQ(counts(actor).ends, (Ends{{"ok", 1}}));
}

TEST_F(Attempt, GoesOnWhileOneOfItsConnectsIsUnderWay) {
  const Actor actor = must(Actor::create("attempt_under_way", CONNSCOPE_ATTEMPT_ACTOR));
  ChildProcess child = place_->start(
      actor, {"look_up:slow.test", "begin:127.0.0.4", "pause:1500", "line:", "begin:127.0.0.3", "settle:"});
  ASSERT_TRUE(child.await_output("ready", kLimit));
  EXPECT_EQ(counts(actor).ends, Ends{});
  must(child.write_input("go\n"));
  EXPECT_EQ(must(child.wait(kLimit)), 0);
  const Counts counted = settled(actor, {{"ok", 1}});
  EXPECT_EQ(counted.ends, (Ends{{"ok", 1}}));
  EXPECT_GE(counted.seconds, 1.5);
}

/* --- without it ------------------------------------------------------------------------------------------------------
 */

TEST(AttemptSwitch, OffLeavesTheOtherProbesAsTheyAre) {
  CONNSCOPE_NEEDS_BPF();
  const Place place;
  const AgentProcess agent =
      must(AgentProcess::start({CONNSCOPE_AGENT}, std::string(kConfig) + "[probe.attempt]\nenabled = false\n"));
  const Actor actor = must(Actor::create("attempt_off", CONNSCOPE_ATTEMPT_ACTOR));
  ChildProcess child = place.start(actor, {"look_up:one.test", "connect:127.0.0.3"});
  EXPECT_EQ(must(child.wait(kLimit)), 0);
  const Exposition scrape = must(agent.scrape());
  EXPECT_EQ(scrape.sum("conn_tcp_connects_total", {{"process", actor.name()}}), 1);
  EXPECT_EQ(scrape.sum("conn_dns_lookup_duration_seconds_count", {{"process", actor.name()}}), 1);
  EXPECT_EQ(Counts::of(scrape, actor.name()).ends, Ends{});
}

}  // namespace
}  // namespace connscope::testing
