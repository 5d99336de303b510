// SPDX-License-Identifier: Apache-2.0
//
// What was there before the agent: connections that are taken up, and listeners. Each test has an agent of its own,
// which starts when the sockets are there.
#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/life_stage.h"
#include "tests/integration/tcp_counts.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kServer4[] = "10.77.0.2";
constexpr std::chrono::seconds kLimit(10);

class TcpOlderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (missing_for_bpf().empty()) world_ = std::make_unique<World>(must(World::create()));
  }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(world_, nullptr) << "there is no world";
  }

  void start_agent() {
    started_ = Clock::now();
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kWithoutTls)));
  }
  [[nodiscard]] Exposition scrape() const { return must(agent_->scrape()); }
  [[nodiscard]] LifeCounts life(const Actor& actor, const std::string& role) const {
    return LifeCounts::of(scrape(), actor.name(), role);
  }
  [[nodiscard]] AcceptCounts accepts(const Actor& actor) const { return AcceptCounts::of(scrape(), actor.name()); }
  void await_closes(const Actor& actor, const std::string& role, double closes) const {
    EXPECT_TRUE(eventually(kLimit, [&] { return life(actor, role).all_closes() == closes; })) << agent_->log();
  }
  [[nodiscard]] double seconds_of_agent() const {
    return std::chrono::duration<double>(Clock::now() - started_).count();
  }

  static inline std::unique_ptr<World> world_;
  std::unique_ptr<AgentProcess> agent_;
  Clock::time_point started_;
};

TEST_F(TcpOlderTest, ConnectionsAreTakenUpWithTheirOwnersAndCountedOnceAtTheirEnd) {
  const Actor client = must(Actor::create("older_c"));
  const Actor server = must(Actor::create("older_s"));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Stage stage =
        must(Stage::open(*world_, client, server, kServer4,
                         {"exchange:1000,say:before,line,exchange:500,say:after,line,close"}, {"echo,close"}));
    stage.go_both();
    Stage::await(stage.client(), "before");
    start_agent();
    for (const auto& [actor, role] : {std::pair(&client, "client"), std::pair(&server, "server")}) {
      SCOPED_TRACE(role);
      const LifeCounts counts = life(*actor, role);
      EXPECT_EQ(counts.open, 1);
      EXPECT_EQ(counts.all_closes() + counts.sent + counts.received, 0);
    }
    Stage::go(stage.client());
    Stage::await(stage.client(), "after");
    EXPECT_EQ(life(client, "client").sent, 500);
    EXPECT_EQ(life(client, "client").received, 500);
    EXPECT_EQ(life(server, "server").received, 500);
    EXPECT_EQ(life(client, "client").open, 1);

    Stage::go(stage.client());
    Stage::await_end(stage.client());
    Stage::await_end(stage.server());
    await_closes(client, "client", 1);
    await_closes(server, "server", 1);
    const LifeCounts at_client = life(client, "client");
    const LifeCounts at_server = life(server, "server");
    EXPECT_EQ(at_client.closes, (Counts{{"local_fin", 1}}));
    EXPECT_EQ(at_server.closes, (Counts{{"remote_fin", 1}}));
    EXPECT_EQ(at_client.open + at_server.open, 0);
    EXPECT_EQ(at_client.sent, 500);
    EXPECT_EQ(at_client.received, 500);
    EXPECT_EQ(at_server.sent, 500);
    EXPECT_EQ(at_server.received, 500);
    EXPECT_GT(at_client.seconds, 0);
    EXPECT_LE(at_client.seconds, seconds_of_agent());
    EXPECT_LE(at_server.seconds, seconds_of_agent());
    // They were begun before.
    EXPECT_EQ(ConnectCounts::of(scrape(), client.name()).all_attempts(), 0);
    EXPECT_EQ(accepts(server).all_accepts() + accepts(server).all_handshakes(), 0);
  }
}

TEST_F(TcpOlderTest, EndsOfOlderConnectionsAreToldAsThoseOfYoungerOnes) {
  const Actor client = must(Actor::create("older_reset_c"));
  const Actor server = must(Actor::create("older_reset_s"));
  Stage stage = must(Stage::open(*world_, client, server, kServer4, {"error"}, {"reset"}));
  start_agent();
  stage.go_both();
  Stage::await_end(stage.client());
  Stage::await_end(stage.server());
  await_closes(client, "client", 1);
  EXPECT_EQ(life(client, "client").closes, (Counts{{"remote_reset", 1}}));
  EXPECT_EQ(life(client, "client").failures, (Counts{{"reset_established", 1}}));
  EXPECT_EQ(life(server, "server").closes, (Counts{{"local_reset", 1}}));
  EXPECT_EQ(life(server, "server").failures, Counts{});
}

TEST_F(TcpOlderTest, HalfClosedConnectionsAreTakenUpToo) {
  const Actor client = must(Actor::create("older_half_c"));
  const Actor server = must(Actor::create("older_half_s"));
  Stage stage = must(Stage::open(*world_, client, server, kServer4, {"half,eof,close"}, {"eof,say:half,line,close"}));
  stage.go_both();
  Stage::await(stage.server(), "half");
  start_agent();
  EXPECT_EQ(life(client, "client").open, 1);
  EXPECT_EQ(life(server, "server").open, 1);
  Stage::go(stage.server());
  Stage::await_end(stage.client());
  Stage::await_end(stage.server());
  await_closes(client, "client", 1);
  await_closes(server, "server", 1);
  EXPECT_EQ(life(client, "client").closes, (Counts{{"local_fin", 1}}));
  EXPECT_EQ(life(server, "server").closes, (Counts{{"remote_fin", 1}}));
}

TEST_F(TcpOlderTest, AnOlderListenerIsItsProcess) {
  const Actor client = must(Actor::create("older_listener_c"));
  const Actor server = must(Actor::create("older_listener_s"));
  const Listener listener =
      must(Listener::serve(server, {"0", "--backlog", "7", "--do", "eof,close"}, world_->server().fd()));
  start_agent();
  EXPECT_EQ(accepts(server).backlog, 0);
  EXPECT_EQ(accepts(server).backlog_limit, 7);
  ChildProcess talker = must(
      client.start({"talk", kServer4, listener.port, "--count", "4", "--do", "send:10,close"}, world_->client().fd()));
  Stage::await_end(talker);
  await_closes(server, "server", 4);
  const AcceptCounts counts = accepts(server);
  EXPECT_EQ(counts.all_accepts(), 4);
  EXPECT_EQ(counts.all_handshakes(), 4);
  // A program on a function's return (variant fentry) is not run for the call that was in progress when it was
  // attached.
  EXPECT_GE(counts.waits, 3);
  EXPECT_LE(counts.waits, 4);
  EXPECT_EQ(life(server, "server").received, 40);
  expect_laws(scrape(), server.name());
}

TEST_F(TcpOlderTest, WhatWaitsInAnOlderQueueIsCountedWhenItIsAccepted) {
  const Actor client = must(Actor::create("older_queue_c"));
  const Actor server = must(Actor::create("older_queue_s"));
  Listener listener =
      must(Listener::serve(server, {"0", "--wait-line", "--count", "2", "--do", "eof,close"}, world_->server().fd()));
  ChildProcess talker =
      must(client.start({"talk", kServer4, listener.port, "--count", "2", "--together", "--do", "say:ready,line,close"},
                        world_->client().fd()));
  ASSERT_TRUE(talker.await_output("ready", kLimit));
  start_agent();
  EXPECT_EQ(accepts(server).backlog, 2);
  EXPECT_EQ(accepts(server).all_accepts(), 0);
  must(listener.process.write_input("go\n"));
  ASSERT_TRUE(listener.process.await_output("accepted", kLimit));
  must(talker.write_input("go\n"));
  Stage::await_end(talker);
  Stage::await_end(listener.process);
  await_closes(server, "server", 2);
  EXPECT_EQ(accepts(server).all_accepts(), 2);
  EXPECT_EQ(life(server, "server").closes, (Counts{{"remote_fin", 2}}));
  EXPECT_EQ(life(server, "server").open, 0);
  EXPECT_EQ(life(client, "client").closes, (Counts{{"local_fin", 2}}));
}

TEST_F(TcpOlderTest, AnOlderConnectionThatWasHandedOnIsItsHolders) {
  const Actor client = must(Actor::create("older_passed_c"));
  const Actor server = must(Actor::create("older_passed_s"));
  const Actor holder = must(Actor::create("older_passed_o"));
  Stage stage = must(Stage::open(*world_, client, server, kServer4, {"line,close"},
                                 {"pass:" + holder.path() + ",say:held,eof,close"}));
  stage.go_both();
  Stage::await(stage.server(), "held");
  start_agent();
  // Nothing tells any more who accepted it.
  EXPECT_EQ(life(holder, "server").open, 1);
  EXPECT_EQ(life(server, "server").open, 0);
  Stage::go(stage.client());
  Stage::await_end(stage.client());
  Stage::await_end(stage.server());
  await_closes(holder, "server", 1);
  EXPECT_EQ(life(holder, "server").closes, (Counts{{"remote_fin", 1}}));
}

/// Namespaces of containers: what happens in them is seen, and the kernel's counters of each are what it is held
/// against.
TEST_F(TcpOlderTest, ConnectionsInOtherNamespacesAreSeenAndTheAuditHoldsThem) {
  const Actor client = must(Actor::create("apart_c"));
  const Actor server = must(Actor::create("apart_s"));
  const NetNamespace apart = must(NetNamespace::create());
  const Listener listener = must(Listener::serve(server, {"0", "--do", "eof,close"}, apart.fd()));
  start_agent();
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    ChildProcess talker = must(
        client.start({"talk", "127.0.0.1", listener.port, "--count", "1000", "--do", "send:10,close"}, apart.fd()));
    Stage::await_end(talker);
    await_closes(server, "server", run * 1000);
    const Exposition shown = scrape();
    EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").closes, (Counts{{"local_fin", run * 1000}}));
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").closes, (Counts{{"remote_fin", run * 1000}}));
    EXPECT_EQ(AcceptCounts::of(shown, server.name()).all_accepts(), run * 1000);
    for (const char* counter : {"active_opens", "passive_opens"}) {
      SCOPED_TRACE(counter);
      EXPECT_GE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 0.999);
      EXPECT_LE(shown.sum("connscope_audit_observed_ratio", {{"counter", counter}}), 1.001);
    }
  }
}

}  // namespace
}  // namespace connscope::testing
