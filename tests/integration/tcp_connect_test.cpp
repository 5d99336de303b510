// SPDX-License-Identifier: Apache-2.0
//
// Each outcome of a TCP connect: what the program saw, against what the agent counted, exactly, and twice.
#include <csignal>
#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/scenario.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

/// One world and one agent for all the tests of this program: each test has a process name of its own.
class TcpConnectTest : public WorldTest<Scenario> {
 protected:
  static void SetUpTestSuite() {
    begin([](const NetNamespace& /*netns*/) {}, "");
  }

  static ConnectCounts counts_of(const std::string& process) {
    return ConnectCounts::of(must(agent_->scrape()), process);
  }
};

/// The kernel ends some sockets after their program has: MPTCP's, by a worker.
ConnectCounts settled(const AgentProcess& agent, const std::string& process) {
  ConnectCounts counts;
  eventually(std::chrono::seconds(5), [&] {
    counts = ConnectCounts::of(must(agent.scrape()), process);
    return counts.in_flight == 0;
  });
  return counts;
}

void expect_counts(const ConnectCounts& counts, const Scenario& scenario, int runs) {
  const std::string other_family = scenario.ip_family == "ipv4" ? "ipv6" : "ipv4";
  EXPECT_EQ(counts.attempts.at(scenario.ip_family), runs * (scenario.ok + scenario.failed()));
  EXPECT_EQ(counts.ok.at(scenario.ip_family), runs * scenario.ok);
  EXPECT_EQ(counts.failed.at(scenario.ip_family), runs * scenario.failed());
  EXPECT_EQ(counts.attempts.at(other_family), 0);
  EXPECT_EQ(counts.ok.at(other_family) + counts.failed.at(other_family), 0);
  std::map<std::string, double> failures;
  for (const auto& [reason, count] : scenario.failures) failures[reason] = runs * count;
  EXPECT_EQ(counts.failures, failures);
  EXPECT_EQ(counts.in_flight, 0);
  EXPECT_GE(counts.duration_seconds, runs * scenario.min_seconds);
  EXPECT_LE(counts.duration_seconds, runs * scenario.max_seconds);
}

TEST_P(TcpConnectTest, IsCountedOnceUnderItsOutcome) {
  const Scenario& scenario = GetParam();
  const Actor actor = must(Actor::create(scenario.name));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    EXPECT_EQ(words_of(must(scenario.run(*world_, actor))), scenario.says);
    expect_counts(settled(*agent_, actor.name()), scenario, run);
  }
  expect_counts(counts_of(actor.name()), scenario, 2);
}

INSTANTIATE_TEST_SUITE_P(Outcomes, TcpConnectTest, ::testing::ValuesIn(scenarios()),
                         [](const auto& outcome) { return outcome.param.name; });

TEST_F(TcpConnectTest, AnAttemptIsInFlightUntilItsProgramIsKilled) {
  const Actor actor = must(Actor::create("in_flight"));
  auto child = must(actor.start({"connect", "10.77.0.2", kDroppedPort}, world_->client().fd()));
  ASSERT_TRUE(eventually(std::chrono::seconds(5), [&] { return is_connecting(child.pid(), kDroppedPort); }));
  const ConnectCounts during = counts_of(actor.name());
  EXPECT_EQ(during.all_attempts(), 1);
  EXPECT_EQ(during.all_ended(), 0);
  EXPECT_EQ(during.in_flight, 1);
  EXPECT_EQ(during.failures, (std::map<std::string, double>{}));

  must(child.send_signal(SIGKILL));
  must(child.wait(std::chrono::seconds(5)));
  const ConnectCounts after = counts_of(actor.name());
  EXPECT_EQ(after.all_attempts(), 1);
  EXPECT_EQ(after.in_flight, 0);
  EXPECT_EQ(after.failures, (std::map<std::string, double>{{"aborted", 1}}));
}

/// Scrapes beside a program that connects without a pause: no moment may show an attempt twice or not at all.
TEST_F(TcpConnectTest, AttemptsAreOkOrFailedOrInFlightAtEveryMoment) {
  const Actor actor = must(Actor::create("conserved"));
  auto child = must(actor.start({"flood", "10.77.0.2", kOpenPort, kClosedPort, "--count", "20000", "--threads", "2"},
                                world_->client().fd()));
  double before = 0;
  int scrapes = 0;
  while (!child.wait(std::chrono::milliseconds(20))) {
    const ConnectCounts counts = counts_of(actor.name());
    EXPECT_EQ(counts.all_attempts(), counts.all_ended() + counts.in_flight);
    EXPECT_GE(counts.all_attempts(), before);
    before = counts.all_attempts();
    ++scrapes;
  }
  EXPECT_GE(scrapes, 3);
  const ConnectCounts counts = counts_of(actor.name());
  EXPECT_EQ(counts.ok.at("ipv4"), 10000);
  EXPECT_EQ(counts.failures, (std::map<std::string, double>{{"refused", 10000}}));
}

}  // namespace
}  // namespace connscope::testing
