// SPDX-License-Identifier: Apache-2.0
//
// Each way in which a connection lives and ends: what both programs saw, against what the agent counted for either,
// exactly, and twice.
#include <future>
#include <memory>
#include <tuple>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/life_scenario.h"
#include "tests/integration/tcp_counts.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {

void PrintTo(const LifeScenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

/// One world and one agent for all the tests of this program: each test has process names of its own.
class TcpLifeTest : public WorldTest<LifeScenario> {
 protected:
  static void SetUpTestSuite() {
    const auto prepare = [](const NetNamespace& netns) {
      // What is not acknowledged is given up after about three seconds; after half of that, when no program has it.
      must(netns.set_sysctl("net/ipv4/tcp_retries2", "3"));
      must(netns.set_sysctl("net/ipv4/tcp_orphan_retries", "2"));
      // Where there is no room for TIME_WAIT, as in a small machine by default, the other side's FIN meets a reset.
      must(netns.set_sysctl("net/ipv4/tcp_max_tw_buckets", "65536"));
      allow_fast_open(netns);
    };
    begin(prepare, kManyPrefixes);
  }
};

double lost(const Exposition& shown, const std::string& cause) {
  return shown.sum("connscope_lost_events_total", {{"cause", cause}});
}

/// A kernel may run no program for an end that an interrupt brings, over a process that it shields from tracing or in
/// the middle of a program. It is found late then, when the program may have fetched the error: the agent says that
/// it guesses. While others are played beside this one, it is not known whose end that was.
double late_ends(const Exposition& shown) { return lost(shown, "end_skipped") + lost(shown, "end_missed"); }

/// The two ends of a scenario, over its runs.
class Trial {
 public:
  Trial(const World& world, const AgentProcess& agent, LifeScenario scenario)
      : world_(world),
        agent_(agent),
        scenario_(std::move(scenario)),
        client_(must(Actor::create(scenario_.name + "_c"))),
        server_(must(Actor::create(scenario_.name + "_s"))),
        other_(must(Actor::create(scenario_.name + "_o"))),
        late_ends_before_(late_ends(must(agent.scrape()))) {}

  void run_twice() {
    SCOPED_TRACE(scenario_.name);
    for (runs_ = 1; runs_ <= 2; ++runs_) {
      SCOPED_TRACE("run " + std::to_string(runs_));
      run();
      const Exposition shown = settled();
      most_seconds_ += seconds(Clock::now() - begun_);
      expect_after(shown);
    }
    runs_ = 2;
    SCOPED_TRACE("once more");
    expect_after(must(agent_.scrape()));
  }

 private:
  [[nodiscard]] Part with_other(Part part) const {
    const std::size_t at = part.steps.find(kOtherProgram);
    if (at != std::string::npos) part.steps.replace(at, std::string_view(kOtherProgram).size(), other_.path());
    return part;
  }

  void run() {
    Stage stage = must(Stage::open(world_, client_, server_, scenario_.address, with_other(scenario_.client()),
                                   with_other(scenario_.server())));
    begun_ = stage.begun();
    expect_open(must(agent_.scrape()));
    least_seconds_ += seconds(Clock::now() - stage.established());
    if (scenario_.self_is_client) {
      scenario_.play(stage, stage.client(), stage.server());
    } else {
      scenario_.play(stage, stage.server(), stage.client());
    }
    EXPECT_EQ(Stage::said(stage.client()), scenario_.client_end().said);
    EXPECT_EQ(Stage::said(stage.server()), scenario_.server_end().said);
  }

  /// A kernel may run no program for an end that an interrupt brings, over a process that it shields from tracing or in
  /// the middle of a program. It is found late then, when the program may have fetched the error: the agent says that
  /// it guesses. While others are played beside this one, it is not known whose end that was.
  void expect_open(const Exposition& shown) const {
    SCOPED_TRACE("while it is open");
    EXPECT_EQ(client_counts(shown).open, 1);
    EXPECT_EQ(server_counts(shown).open, 1);
    EXPECT_EQ(client_counts(shown).all_closes(), runs_ - 1);
    EXPECT_EQ(server_counts(shown).all_closes(), runs_ - 1);
    expect_laws(shown, client_.name());
    expect_laws(shown, server_.name());
  }

  /// The kernel may be done with a connection later than its programs.
  Exposition settled() const {
    Exposition shown;
    eventually(std::chrono::seconds(10), [&] {
      shown = must(agent_.scrape());
      return client_counts(shown).all_closes() == runs_ && server_counts(shown).all_closes() == runs_;
    });
    return shown;
  }

  void expect_after(const Exposition& shown) const {
    const bool is_certain = late_ends(shown) == late_ends_before_;
    {
      SCOPED_TRACE("client");
      expect_end(client_counts(shown), scenario_.client_end(), is_certain);
      EXPECT_EQ(ConnectCounts::of(shown, client_.name()).all_attempts(), runs_);
    }
    {
      SCOPED_TRACE("server");
      expect_end(server_counts(shown), scenario_.server_end(), is_certain);
      const AcceptCounts accepts = AcceptCounts::of(shown, server_.name());
      EXPECT_EQ(accepts.accepts, (Counts{{scenario_.ip_family, runs_}}));
      EXPECT_EQ(accepts.handshakes, (Counts{{scenario_.ip_family, runs_}}));
      EXPECT_EQ(accepts.waits, runs_);
    }
    expect_laws(shown, client_.name());
    expect_laws(shown, server_.name());
    // Neither end is counted for the other role, nor for a process that was handed the connection.
    EXPECT_EQ(LifeCounts::of(shown, client_.name(), "server").all_closes(), 0);
    EXPECT_EQ(LifeCounts::of(shown, server_.name(), "client").all_closes(), 0);
    for (const char* role : {"client", "server"}) {
      const LifeCounts other = LifeCounts::of(shown, other_.name(), role);
      EXPECT_EQ(other.all_closes() + other.open + other.received + other.sent, 0);
    }
  }

  void expect_how(const LifeCounts& counts, const End& end) const {
    if (end.close != "any") {
      EXPECT_EQ(counts.closes, (Counts{{end.close, runs_}}));
    }
    EXPECT_EQ(counts.failures, end.failure.empty() ? Counts{} : (Counts{{end.failure, runs_}}));
    expect_figure("resets in", value_of(counts.resets, "in"), end.resets_in);
    expect_figure("resets out", value_of(counts.resets, "out"), end.resets_out);
  }

  void expect_end(const LifeCounts& counts, const End& end, bool is_certain) const {
    EXPECT_EQ(counts.all_closes(), runs_);
    EXPECT_EQ(counts.open, 0);
    if (is_certain) expect_how(counts, end);
    expect_figure("sent", counts.sent, end.sent);
    expect_figure("received", counts.received, end.received);
    if (end.retransmits != kAny) {
      EXPECT_GE(counts.retransmits, runs_ * end.retransmits);
    }
    // A busy host acknowledges late now and then, and the kernel sends once more (tail loss probe): no fault, and no
    // flood.
    if (end.retransmits == 0) {
      EXPECT_LE(counts.retransmits, runs_ * 2) << "retransmits";
    }
    EXPECT_GE(counts.seconds, std::max(least_seconds_, runs_ * end.min_seconds));
    EXPECT_LE(counts.seconds, most_seconds_);
    EXPECT_GE(counts.rtts, runs_);
    EXPECT_LE(counts.rtt_seconds, counts.rtts * 0.25);
  }

  void expect_figure(const char* what, double is, double of_one_run) const {
    if (of_one_run == kAny) return;
    EXPECT_EQ(is, runs_ * of_one_run) << what;
  }

  static double value_of(const Counts& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
  }

  [[nodiscard]] LifeCounts client_counts(const Exposition& shown) const {
    return LifeCounts::of(shown, client_.name(), "client");
  }
  [[nodiscard]] LifeCounts server_counts(const Exposition& shown) const {
    return LifeCounts::of(shown, server_.name(), "server");
  }

  const World& world_;
  const AgentProcess& agent_;
  const LifeScenario scenario_;
  const Actor client_;
  const Actor server_;
  const Actor other_;
  const double late_ends_before_;
  int runs_ = 0;
  Clock::time_point begun_;
  double least_seconds_ = 0;
  double most_seconds_ = 0;
};

TEST_P(TcpLifeTest, IsCountedOnceForBothEnds) { Trial(*world_, *agent_, GetParam()).run_twice(); }

INSTANTIATE_TEST_SUITE_P(Lives, TcpLifeTest, ::testing::ValuesIn(life_scenarios()),
                         [](const auto& life) { return life.param.name; });

/// Each takes some seconds of waiting, and all of them together no more.
TEST_F(TcpLifeTest, ThoseThatTimeOutAreCountedOnceForBothEnds) {
  // All programs are there before the first is started: a file that a child still has open for writing, because it was
  // forked in the middle of the copying, cannot be executed.
  std::vector<std::unique_ptr<Trial>> trials;
  for (const LifeScenario& scenario : timeout_scenarios()) {
    trials.push_back(std::make_unique<Trial>(*world_, *agent_, scenario));
  }
  std::vector<std::future<void>> played;
  for (const auto& trial : trials) {
    played.push_back(std::async(std::launch::async, [&trial] { trial->run_twice(); }));
  }
  for (std::future<void>& one : played) EXPECT_NO_THROW(one.get());
}

TEST_F(TcpLifeTest, BytesAreThereWhileTheConnectionIsOpenAndNotTwiceAfterIt) {
  const Actor client = must(Actor::create("long_lived_c"));
  const Actor server = must(Actor::create("long_lived_s"));
  Stage stage = must(Stage::open(*world_, client, server, "10.77.0.2",
                                 {"send:5000,read:300,say:first,line,send:2000,acked,say:second,line,close"},
                                 {"read:5000,send:300,acked,say:sent,read:2000,say:all,eof,close"}));
  const auto expect_bytes = [&](const Exposition& shown, double up, double down) {
    EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").sent, up);
    EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").received, down);
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").sent, down);
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").received, up);
  };
  stage.go_both();
  Stage::await(stage.client(), "first");
  Stage::await(stage.server(), "sent");
  Exposition shown = must(agent_->scrape());
  expect_bytes(shown, 5000, 300);
  const double rtts = LifeCounts::of(shown, client.name(), "client").rtts;
  EXPECT_GE(rtts, 1) << "a connection that stays open tells its round trips at each collect";
  shown = must(agent_->scrape());
  expect_bytes(shown, 5000, 300);
  EXPECT_GT(LifeCounts::of(shown, client.name(), "client").rtts, rtts);

  Stage::go(stage.client());
  Stage::await(stage.client(), "second");
  Stage::await(stage.server(), "all");
  shown = must(agent_->scrape());
  expect_bytes(shown, 7000, 300);
  EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").open, 1);
  EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").all_closes(), 0);

  Stage::go(stage.client());
  Stage::await_end(stage.client());
  Stage::await_end(stage.server());
  ASSERT_TRUE(eventually(std::chrono::seconds(5), [&] {
    shown = must(agent_->scrape());
    return LifeCounts::of(shown, client.name(), "client").open == 0 &&
           LifeCounts::of(shown, server.name(), "server").open == 0;
  }));
  expect_bytes(shown, 7000, 300);
  expect_bytes(must(agent_->scrape()), 7000, 300);
}

/// Figures of a process that never fall.
std::vector<double> counters_of(const Exposition& shown, const std::string& process, const std::string& role) {
  const LifeCounts life = LifeCounts::of(shown, process, role);
  const AcceptCounts passive = AcceptCounts::of(shown, process);
  return {life.all_closes(),        life.received, life.sent,
          life.retransmits,         life.seconds,  passive.all_accepts(),
          passive.all_handshakes(), passive.waits, passive.wait_seconds};
}

void expect_no_fall(std::vector<double>& before, const std::vector<double>& now) {
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_GE(now[i], before[i]) << "figure " << i;
  before = now;
}

/// Scrapes beside programs that connect, talk and close without a pause.
TEST_F(TcpLifeTest, TheLawsHoldAtEveryMoment) {
  const Actor client = must(Actor::create("laws_c"));
  const Actor server = must(Actor::create("laws_s"));
  const Listener listener =
      must(Listener::serve(server, {"0", "--workers", "4", "--do", "echo,close"}, world_->server().fd()));
  const Exposition before = must(agent_->scrape());
  std::vector<ChildProcess> talkers;
  for (int i = 0; i < 3; ++i) {
    talkers.push_back(
        must(client.start({"talk", "10.77.0.2", listener.port, "--count", "3000", "--do", "exchange:5000,close"},
                          world_->client().fd())));
  }
  std::vector<double> at_client(9);
  std::vector<double> at_server(9);
  int scrapes = 0;
  for (ChildProcess& talker : talkers) {
    while (!talker.wait(std::chrono::milliseconds(20))) {
      const Exposition shown = must(agent_->scrape());
      expect_laws(shown, client.name());
      expect_laws(shown, server.name());
      expect_no_fall(at_client, counters_of(shown, client.name(), "client"));
      expect_no_fall(at_server, counters_of(shown, server.name(), "server"));
      ++scrapes;
    }
  }
  EXPECT_GE(scrapes, 3);
  Exposition shown;
  ASSERT_TRUE(eventually(std::chrono::seconds(5), [&] {
    shown = must(agent_->scrape());
    return LifeCounts::of(shown, client.name(), "client").open == 0 &&
           LifeCounts::of(shown, server.name(), "server").open == 0;
  }));
  // All is counted. What no program saw is a guess, and said to be one.
  const double late = late_ends(shown) - late_ends(before);
  for (const auto& [actor, role, close] :
       {std::tuple(&client, "client", "local_fin"), std::tuple(&server, "server", "remote_fin")}) {
    SCOPED_TRACE(role);
    LifeCounts counts = LifeCounts::of(shown, actor->name(), role);
    EXPECT_EQ(counts.all_closes(), 9000);
    EXPECT_GE(counts.closes[close], 9000 - late) << ::testing::PrintToString(counts.closes);
    for (const double carried : {counts.sent, counts.received}) {
      EXPECT_GE(carried, (9000 - late) * 5000);
      EXPECT_LE(carried, 9000 * 5000);
    }
  }
  const AcceptCounts counts = AcceptCounts::of(shown, server.name());
  EXPECT_EQ(counts.accepts, (Counts{{"ipv4", 9000}}));
  EXPECT_EQ(counts.handshakes, (Counts{{"ipv4", 9000}}));
  // Those that were not seen may be the agent's own, which accepts scrapes.
  EXPECT_LE(counts.waits, 9000);
  EXPECT_GE(counts.waits, 9000 - (lost(shown, "accept_unseen") - lost(before, "accept_unseen")));
}

TEST_F(TcpLifeTest, ManyAreOpenAtOnce) {
  const Actor client = must(Actor::create("many_c"));
  const Actor server = must(Actor::create("many_s"));
  Listener listener = must(Listener::serve(server, {"0", "--count", "100", "--together", "--do", "say:have,eof,close"},
                                           world_->server().fd()));
  ChildProcess talker = must(client.start(
      {"talk", "10.77.0.2", listener.port, "--count", "100", "--together", "--do", "send:10,say:have,line,close"},
      world_->client().fd()));
  ASSERT_TRUE(listener.process.await_output("have", std::chrono::seconds(10)));
  ASSERT_TRUE(talker.await_output("have", std::chrono::seconds(10)));
  const Exposition open = must(agent_->scrape());
  EXPECT_EQ(LifeCounts::of(open, client.name(), "client").open, 100);
  EXPECT_EQ(LifeCounts::of(open, server.name(), "server").open, 100);
  EXPECT_EQ(LifeCounts::of(open, client.name(), "client").sent, 1000);
  expect_laws(open, client.name());
  expect_laws(open, server.name());

  Stage::go(talker);
  Stage::await_end(talker);
  Stage::await_end(listener.process);
  Exposition closed;
  ASSERT_TRUE(eventually(std::chrono::seconds(5), [&] {
    closed = must(agent_->scrape());
    return LifeCounts::of(closed, client.name(), "client").open == 0 &&
           LifeCounts::of(closed, server.name(), "server").open == 0;
  }));
  EXPECT_EQ(LifeCounts::of(closed, client.name(), "client").closes, (Counts{{"local_fin", 100}}));
  EXPECT_EQ(LifeCounts::of(closed, server.name(), "server").closes, (Counts{{"remote_fin", 100}}));
  EXPECT_EQ(LifeCounts::of(closed, server.name(), "server").received, 1000);
  expect_laws(closed, client.name());
  expect_laws(closed, server.name());
}

}  // namespace
}  // namespace connscope::testing
