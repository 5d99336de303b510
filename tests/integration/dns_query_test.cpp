// SPDX-License-Identifier: Apache-2.0
//
// Each way in which a DNS query is asked, answered or left alone: what the client saw, against what the agent counted
// for it and for the server, exactly, and twice.
#include <csignal>
#include <cstdlib>
#include <future>
#include <memory>
#include <ostream>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/dns_scenario.h"
#include "tests/integration/lab.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {

void PrintTo(const DnsScenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

constexpr std::chrono::seconds kLimit(15);
constexpr char kAsked[] = "asked";

/// One world and one agent for all the tests of this program: each test has process names of its own.
class DnsQueryTest : public WorldTest<DnsScenario> {
 protected:
  static void SetUpTestSuite() {
    begin([](const NetNamespace&) {}, std::string(kManyPrefixes) + "[probe.dns]\ntimeout = \"1s\"\n");
  }
};

bool is_loopback(const std::string& address) { return address.rfind("127.", 0) == 0 || address == "::1"; }

double lost(const Exposition& shown) { return shown.sum("connscope_lost_events_total", {{"probe", "dns"}}); }

/// The two ends of a scenario, over its runs.
class Trial {
 public:
  Trial(const World& world, const AgentProcess& agent, DnsScenario scenario)
      : world_(world),
        agent_(agent),
        scenario_(std::move(scenario)),
        client_(must(Actor::create(scenario_.name + "_c", CONNSCOPE_DNS_ACTOR))),
        server_(must(Actor::create(scenario_.name + "_s", CONNSCOPE_DNS_ACTOR))),
        lost_before_(lost(must(agent.scrape()))) {}

  void run_twice() {
    SCOPED_TRACE(scenario_.name);
    const auto listener = serve();
    for (runs_ = 1; runs_ <= 2; ++runs_) {
      SCOPED_TRACE("run " + std::to_string(runs_));
      run();
    }
    runs_ = 2;
    SCOPED_TRACE("once more");
    expect_after(must(agent_.scrape()));
  }

 private:
  [[nodiscard]] std::unique_ptr<Listener> serve() const {
    if (!scenario_.has_server) return nullptr;
    std::vector<std::string> words = {scenario_.address, scenario_.port};
    const bool is_local = is_loopback(scenario_.address);
    if (!is_local) words = {"10.77.0.2", scenario_.port, "fd77::2", scenario_.port};
    return std::make_unique<Listener>(
        must(Listener::serve(server_, words, is_local ? world_.client().fd() : world_.server().fd())));
  }

  void run() {
    auto client =
        must(client_.start({"ask", scenario_.address, scenario_.port, "--do", scenario_.steps}, world_.client().fd()));
    if (scenario_.end == ClientEnd::kByItself) client.close_input();
    if (scenario_.end != ClientEnd::kByItself && !client.await_output(std::string(kAsked) + " ", kLimit)) {
      throw std::runtime_error("the client did not ask: " + client.standard_error());
    }
    if (scenario_.end == ClientEnd::kKilled) must(client.send_signal(SIGKILL));
    if (scenario_.end == ClientEnd::kWhenCounted) {
      expect_after(settled());
      client.close_input();
    }
    const int status = must(client.wait(kLimit));
    EXPECT_EQ(ended_well(status), scenario_.end != ClientEnd::kKilled) << client.standard_error();
    take_said(client.standard_output());
    const Exposition shown = settled();
    expect_after(shown);
    expect_durations(DnsCounts::of(shown, client_.name()));
  }

  void take_said(const std::string& output) {
    std::vector<std::string> words;
    for (const Said& said : parse_said(output)) {
      if (said.word == kAsked) continue;
      words.push_back(said.word);
      // An answer with TC is not the end of its query.
      if (said.word != "tc") said_seconds_ += said.seconds;
    }
    EXPECT_EQ(words, scenario_.said);
  }

  /// A query without an answer is over when its time is up.
  [[nodiscard]] Exposition settled() const {
    Exposition shown;
    eventually(std::chrono::seconds(10), [&] {
      shown = must(agent_.scrape());
      const DnsCounts counts = DnsCounts::of(shown, client_.name());
      expect_dns_laws(shown, client_.name());
      return counts.all_ended() == scenario_.client.all_ended() * runs_ && counts.late == scenario_.client.late * runs_;
    });
    return shown;
  }

  void expect_after(const Exposition& shown) const {
    {
      SCOPED_TRACE("client");
      const DnsCounts counts = DnsCounts::of(shown, client_.name());
      expect_counts(counts, scenario_.client, runs_);
      expect_dns_laws(shown, client_.name());
    }
    EXPECT_EQ(lost(shown), lost_before_) << "lost";
    SCOPED_TRACE("server");
    DnsCounts server = DnsCounts::of(shown, server_.name());
    DnsCounts wanted;
    wanted.served = scenario_.served;
    if (!scenario_.tells_served) server.served.clear();
    expect_counts(server, wanted, runs_);
  }

  /// Where an answer came, the client knows itself how long that took: to the time at which it was woken.
  void expect_durations(const DnsCounts& counts) const {
    if (scenario_.max_seconds > 0) {
      EXPECT_GE(counts.seconds, scenario_.min_seconds * runs_);
      EXPECT_LE(counts.seconds, scenario_.max_seconds * runs_);
      return;
    }
    EXPECT_LE(counts.seconds, said_seconds_ + runs_ * 1e-3);
    // In an emulated machine the client's own steps take longer than what they measure.
    const bool is_emulated = std::getenv("CONNSCOPE_EMULATED") != nullptr;
    if (scenario_.is_delayed && !is_emulated) {
      EXPECT_NEAR(counts.seconds, said_seconds_, said_seconds_ * 0.2 + runs_ * 1e-3);
    }
  }

  const World& world_;
  const AgentProcess& agent_;
  const DnsScenario scenario_;
  const Actor client_;
  const Actor server_;
  const double lost_before_;
  int runs_ = 0;
  double said_seconds_ = 0;
};

TEST_P(DnsQueryTest, IsCountedOnceAsTheClientSawIt) { Trial(*world_, *agent_, GetParam()).run_twice(); }

INSTANTIATE_TEST_SUITE_P(Queries, DnsQueryTest, ::testing::ValuesIn(dns_scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

/// Each takes a second or two of waiting, and all of them together no more.
TEST_F(DnsQueryTest, ThoseWithoutAnAnswerAreCountedOnceInTheirTime) {
  // All programs are there before the first is started: a file that a child still has open for writing, because it was
  // forked in the middle of the copying, cannot be executed.
  std::vector<std::unique_ptr<Trial>> trials;
  for (const DnsScenario& scenario : slow_dns_scenarios()) {
    trials.push_back(std::make_unique<Trial>(*world_, *agent_, scenario));
  }
  std::vector<std::future<void>> played;
  for (const auto& trial : trials) {
    played.push_back(std::async(std::launch::async, [&trial] { trial->run_twice(); }));
  }
  for (std::future<void>& one : played) EXPECT_NO_THROW(one.get());
}

TEST_F(DnsQueryTest, AQueryIsInFlightUntilItsAnswerComes) {
  const Actor client = must(Actor::create("in_flight_c", CONNSCOPE_DNS_ACTOR));
  const Actor server = must(Actor::create("in_flight_s", CONNSCOPE_DNS_ACTOR));
  const Listener listener = must(Listener::serve(server, {"10.77.0.2", "53"}, world_->server().fd()));
  auto asking =
      must(client.start({"ask", "10.77.0.2", "53", "--do",
                         "udp,ask:delay-600.open.test,ask:silent.open.test/AAAA,say:asked,read:1,say:read,end"},
                        world_->client().fd()));
  ASSERT_TRUE(asking.await_output("asked ", kLimit));
  DnsCounts counts = DnsCounts::of(must(agent_->scrape()), client.name());
  EXPECT_EQ(counts.queries, (Counts{{"udp A", 1}, {"udp AAAA", 1}}));
  EXPECT_EQ(counts.in_flight, 2);
  EXPECT_EQ(counts.all_ended(), 0);
  ASSERT_TRUE(asking.await_output("read ", kLimit));
  counts = DnsCounts::of(must(agent_->scrape()), client.name());
  EXPECT_EQ(counts.in_flight, 1);
  EXPECT_EQ(counts.ok, (Counts{{"udp A", 1}}));
  asking.close_input();
  must(asking.wait(kLimit));
  counts = DnsCounts::of(must(agent_->scrape()), client.name());
  EXPECT_EQ(counts.in_flight, 0);
  EXPECT_EQ(counts.failures, (Counts{{"aborted", 1}}));
}

double unread_messages(const Exposition& shown) {
  return shown.sum("connscope_lost_events_total", {{"cause", "message_unread"}});
}

/// Scrapes beside programs that ask without a pause, over both transports, and leave some queries alone.
TEST_F(DnsQueryTest, TheLawsHoldAtEveryMoment) {
  const double unread_before = unread_messages(must(agent_->scrape()));
  const Actor client = must(Actor::create("laws_c", CONNSCOPE_DNS_ACTOR));
  const Actor server = must(Actor::create("laws_s", CONNSCOPE_DNS_ACTOR));
  const Listener listener = must(Listener::serve(server, {"10.77.0.2", "53", "fd77::2", "53"}, world_->server().fd()));
  std::vector<ChildProcess> floods;
  for (const char* address : {"10.77.0.2", "fd77::2"}) {
    floods.push_back(must(
        client.start({"flood", address, "53", "--count", "40000", "--silent-every", "100"}, world_->client().fd())));
  }
  std::string steps = "tcp";
  for (int i = 0; i < 300; ++i) steps += ",ask:ok.laws.test,ask:nxdomain.laws.test/AAAA,read:2";
  floods.push_back(must(client.start({"ask", "10.77.0.2", "53", "--do", steps}, world_->client().fd())));
  int scrapes = 0;
  for (ChildProcess& flood : floods) {
    flood.close_input();
    while (!flood.wait(std::chrono::milliseconds(10))) {
      const Exposition shown = must(agent_->scrape());
      expect_dns_laws(shown, client.name());
      expect_dns_laws(shown, server.name());
      ++scrapes;
    }
  }
  EXPECT_GE(scrapes, 3);
  Exposition shown;
  ASSERT_TRUE(eventually(kLimit, [&] {
    shown = must(agent_->scrape());
    return DnsCounts::of(shown, client.name()).in_flight == 0;
  }));
  DnsCounts counts = DnsCounts::of(shown, client.name());
  DnsCounts served = DnsCounts::of(shown, server.name());
  EXPECT_EQ(counts.queries, (Counts{{"udp A", 80000}, {"tcp A", 300}, {"tcp AAAA", 300}}));
  EXPECT_EQ(counts.ok["udp A"], 79200);
  // The floods may make the network drop a segment. What is then in the one that fills the gap is not read, which is
  // told.
  const double unread = unread_messages(shown) - unread_before;
  const auto expect_but_unread = [unread](double count, double wanted) {
    EXPECT_LE(count, wanted);
    EXPECT_GE(count, wanted - unread);
  };
  expect_but_unread(counts.ok["tcp A"], 300);
  expect_but_unread(counts.responses["NOERROR A"], 79500);
  expect_but_unread(counts.responses["NXDOMAIN AAAA"], 300);
  expect_but_unread(served.served["NOERROR"], 79500);
  expect_but_unread(served.served["NXDOMAIN"], 300);
  // Those that were left alone had waited for less than a second, or for more.
  const double unanswered = (300 - counts.ok["tcp A"]) + (300 - counts.responses["NXDOMAIN AAAA"]);
  EXPECT_EQ(counts.failures["aborted"] + counts.failures["timeout"], 800 + unanswered);
}

TEST_F(DnsQueryTest, ItsProbesAreUp) {
  const Exposition shown = must(agent_->scrape());
  for (const char* probe : {"packet", "dns"}) {
    EXPECT_EQ(shown.sum("connscope_probe_up", {{"probe", probe}}), 1) << probe << "\n" << agent_->log();
  }
}

}  // namespace
}  // namespace connscope::testing
