// SPDX-License-Identifier: Apache-2.0
//
// 100,000 connects flat out on loopback: exact to the last one, nothing lost, and seen by the agent's own audit.
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tcp_counts.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

class FloodTest : public ::testing::Test {
 protected:
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }
};

std::map<std::string, double> flood(const Actor& actor, const std::string& open_port, const std::string& refused_port,
                                    int network_namespace, int count) {
  auto child = must(
      actor.start({"flood", "127.0.0.1", open_port, refused_port, "--count", std::to_string(count), "--threads", "4"},
                  network_namespace));
  EXPECT_TRUE(ended_well(must(child.wait(std::chrono::minutes(2)))));
  std::map<std::string, double> tally;
  // "ok N", "ECONNREFUSED N", "other N": here the number is a count.
  for (const Said& said : parse_said(child.standard_output())) tally[said.word] = said.seconds * 1e6;
  return tally;
}

TEST_F(FloodTest, EveryConnectIsCountedAndTheAuditAgrees) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
  const Actor actor = must(Actor::create("flood_actor"));
  const Actor peer = must(Actor::create("flood_peer"));
  const Listener listener = must(Listener::start(peer, {"0", "--backlog", "4096"}));
  const RefusingPort refusing = must(RefusingPort::take());

  const auto tally = flood(actor, listener.port, refusing.port(), -1, 100'000);
  ASSERT_NEAR(tally.at("ok"), 50'000, 0.5);
  ASSERT_NEAR(tally.at("ECONNREFUSED"), 50'000, 0.5);

  // The listener may still be accepting the last ones.
  Exposition shown;
  eventually(std::chrono::seconds(5), [&] {
    shown = must(agent.scrape());
    return AcceptCounts::of(shown, peer.name()).all_handshakes() == 50'000;
  });
  expect_laws(shown, actor.name());
  expect_laws(shown, peer.name());
  EXPECT_EQ(AcceptCounts::of(shown, peer.name()).all_accepts(), 50'000);
  EXPECT_EQ(AcceptCounts::of(shown, peer.name()).all_handshakes(), 50'000);
  const ConnectCounts counts = ConnectCounts::of(shown, actor.name());
  EXPECT_EQ(counts.attempts.at("ipv4"), 100'000);
  EXPECT_EQ(counts.ok.at("ipv4"), 50'000);
  EXPECT_EQ(counts.failed.at("ipv4"), 50'000);
  EXPECT_EQ(counts.failures, (std::map<std::string, double>{{"refused", 50'000}}));
  EXPECT_EQ(counts.in_flight, 0);
  EXPECT_GT(shown.count("connscope_lost_events_total"), 0U);
  // An interrupt may hit a process over which a kernel runs no tracing program, and says nothing of it. An end that it
  // brings is then found later: that it came late is told, and the counts below are exact in spite of it.
  for (const std::string& cause : shown.values_of("cause")) {
    const bool comes_late = cause == "end_missed" || cause == "end_skipped";
    EXPECT_LE(shown.sum("connscope_lost_events_total", {{"cause", cause}}), comes_late ? 5 : 0) << cause;
  }
  for (const char* counter : {"active_opens", "passive_opens", "attempt_fails"}) {
    SCOPED_TRACE(counter);
    EXPECT_GE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 0.999);
    EXPECT_LE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 1.001);
  }
}

/// A timer's interrupt may hit a CPU in the middle of the very program that counts; the end that it brings must not get
/// lost by that. Attempts that time out one after another, beside a flood, give it many chances.
TEST_F(FloodTest, EndsThatTimersBringAreCountedBesideAFlood) {
  const World world = must(World::create());
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
  const Actor actor = must(Actor::create("timed_out"));
  const Actor flooder = must(Actor::create("beside"));
  const Listener listener = must(Listener::start(world.peer(), {"0", "--backlog", "4096"}));
  const RefusingPort refusing = must(RefusingPort::take());

  const auto endless = must(
      flooder.start({"flood", "127.0.0.1", listener.port, refusing.port(), "--count", "100000000", "--threads", "2"}));
  const auto said = must(
      actor.run({"connect", "10.77.0.2", kDroppedPort, "--threads", "400", "--stagger-ms", "10"}, world.client().fd()));
  ASSERT_EQ(words_of(said), std::vector<std::string>(400, "ETIMEDOUT"));

  const ConnectCounts counts = ConnectCounts::of(must(agent.scrape()), actor.name());
  EXPECT_EQ(counts.attempts.at("ipv4"), 400);
  EXPECT_EQ(counts.failures, (std::map<std::string, double>{{"timeout", 400}}));
  EXPECT_EQ(counts.ok.at("ipv4"), 0);
  EXPECT_EQ(counts.in_flight, 0);
}

/// The kernel counts for each network namespace apart, and so the audit reads the counters of all that processes live
/// in.
TEST_F(FloodTest, TheAuditHoldsOtherNamespacesToo) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
  const Actor actor = must(Actor::create("audit_actor"));
  const Actor peer = must(Actor::create("audit_peer"));
  const RefusingPort refusing = must(RefusingPort::take());
  const NetNamespace apart = must(NetNamespace::create());
  const Listener listener = must(Listener::start(peer, {"0"}));
  const Listener listener_apart = must(Listener::start(peer, {"7000"}, apart.fd()));

  flood(actor, listener.port, refusing.port(), -1, 2000);
  flood(actor, listener_apart.port, "7001", apart.fd(), 2000);

  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(ConnectCounts::of(shown, actor.name()).all_attempts(), 4000);
  for (const char* counter : {"active_opens", "passive_opens", "attempt_fails"}) {
    SCOPED_TRACE(counter);
    EXPECT_GE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 0.999);
    EXPECT_LE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 1.01);
  }
}

}  // namespace
}  // namespace connscope::testing
