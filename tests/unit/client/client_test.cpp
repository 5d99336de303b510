// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "agent/client/connscope.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/client/c_use.h"
#include "tests/unit/client/fake_agent.h"

namespace connscope::client {
namespace {

using namespace std::chrono_literals;
using connscope::testing::eventually;
using connscope::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ClientTest : public ::testing::Test {
 protected:
  Client manual() { return Client({path_, Mode::kManual}); }

  TempDir folder_ = std::move(*TempDir::create());
  std::string path_ = folder_.path() + "/ingest.sock";
  Agent agent_{path_};
};

TEST_F(ClientTest, IncrementsAreAddedUpAndSentAsOneLine) {
  Client client = manual();
  const Counter requests = client.counter("app.requests", {{"route", "/x"}, {"code", "200"}});
  for (int i = 0; i < 1000; ++i) requests.add();
  requests.add(5);
  EXPECT_TRUE(client.flush());
  EXPECT_THAT(agent_.lines(), ElementsAre("app.requests:1005|c|#route:/x,code:200"));
  EXPECT_TRUE(client.flush());
  EXPECT_THAT(agent_.lines(), IsEmpty()) << "what was sent is not sent again";
}

TEST_F(ClientTest, EveryKindHasItsLine) {
  Client client = manual();
  client.gauge("g").set(2.5);
  client.histogram("h").observe(7);
  client.sizes("body").observe(4096);
  client.sizes("body.bytes").observe(1);
  client.timer("t").observe(1500us);
  client.flush();
  EXPECT_THAT(agent_.lines(), ElementsAre("h:7|h", "body_bytes:4096|h", "body.bytes:1|h", "t:1.5|ms", "g:2.5|g"));
}

TEST_F(ClientTest, P10_MeasureTakesTheKind) {
  Client client = manual();
  client.measure("times", Kind::kTimes)(0.25);
  client.measure("sizes", Kind::kSizes)(1024);
  client.measure("any", Kind::kDistribution)(3);
  const Measure rate = client.measure("rate", Kind::kRate);
  rate(2);
  rate(-1);
  rate(std::nan(""));
  client.measure("amount", Kind::kAmount)(9);
  client.flush();
  EXPECT_THAT(agent_.lines(), ElementsAre("times:250|ms", "sizes_bytes:1024|h", "any:3|h", "amount:9|g", "rate:2|c"));
}

TEST_F(ClientTest, GaugesAreSetAlsoBelowZeroAndMoved) {
  Client client = manual();
  const Gauge gauge = client.gauge("g");
  gauge.set(5);
  gauge.set(-2);
  client.flush();
  gauge.add(3);
  gauge.add(1.5);
  client.flush();
  gauge.add(-1);
  client.flush();
  gauge.set(4);
  gauge.add(-1);
  client.flush();
  EXPECT_THAT(agent_.lines(), ElementsAre("g:0|g", "g:-2|g", "g:+4.5|g", "g:-1|g", "g:3|g"));
}

TEST_F(ClientTest, NumbersAreWrittenSoThatTheyReadBack) {
  Client client = manual();
  const Histogram histogram = client.histogram("h");
  for (const double value : {0.0, 0.001, 0.1, 123456.789, 1e-7, 1e20, -0.5, 999999999.5}) {
    histogram.observe(value);
    client.flush();
    const auto lines = agent_.lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_DOUBLE_EQ(std::stod(lines[0].substr(2)), value) << lines[0];
  }
}

TEST_F(ClientTest, I13_AScopeObservesItsTimeUnlessCancelled) {
  Client client = manual();
  const Timer timer = client.timer("t");
  { const auto scope = timer.scope(); }
  {
    auto scope = timer.scope();
    scope.cancel();
  }
  client.flush();
  const auto lines = agent_.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_GE(std::stod(lines[0].substr(2)), 0);
  EXPECT_TRUE(lines[0].ends_with("|ms"));
}

TEST_F(ClientTest, WhatMeansSomethingToTheProtocolBecomesAnUnderscore) {
  Client client = manual();
  client.counter("a:b|c\nd", {{"k:1", "x,y|z\n"}}).add();
  client.flush();
  EXPECT_THAT(agent_.lines(), ElementsAre("a_b_c_d:1|c|#k_1:x_y_z_"));
}

TEST_F(ClientTest, TheThreadSendsWhatThreadsCount) {
  Client client({path_, Mode::kBatched, 1ms});
  const Counter counter = client.counter("n");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10000; ++n) counter.add();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(eventually(10s, [&] { return agent_.total("n") == 40000; }));
}

TEST_F(ClientTest, CloseSendsTheRest) {
  Client({path_, Mode::kBatched, 1h}).counter("n").add(7);
  EXPECT_EQ(agent_.total("n"), 7U);
}

TEST_F(ClientTest, WithoutAnAgentCountersWaitForOneAndObservationsAreLostInTheEnd) {
  const std::string later = folder_.path() + "/later.sock";
  Client client({later, Mode::kManual});
  const Counter counter = client.counter("n");
  const Histogram histogram = client.histogram("h");
  counter.add(3);
  for (int i = 0; i < 10000; ++i) histogram.observe(i);
  EXPECT_FALSE(client.flush());
  const std::uint64_t lost = client.lost();
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, 10000U);
  Agent agent(later);
  ASSERT_TRUE(agent.is_bound());
  std::vector<std::string> lines;
  ASSERT_TRUE(eventually(10s, [&] {
    client.flush();
    for (auto& line : agent.lines()) lines.push_back(std::move(line));
    return client.flush();
  }));
  for (auto& line : agent.lines()) lines.push_back(std::move(line));
  EXPECT_THAT(lines, ::testing::Contains("n:3|c"));
  EXPECT_THAT(lines, ::testing::Contains("connscope.client.lost:" + std::to_string(lost) + "|c"));
  EXPECT_EQ(lines.size(), 10000 - lost + 2);
}

TEST_F(ClientTest, AnAgentThatIsSlowLosesNoCounter) {
  Client client = manual();
  const Counter counter = client.counter("n");
  std::uint64_t added = 0;
  bool was_full = false;
  for (; added < 10000 && !was_full; ++added) {  // nobody reads
    counter.add();
    was_full = !client.flush();
  }
  EXPECT_TRUE(was_full);
  EXPECT_TRUE(eventually(10s, [&] {
    (void)client.flush();
    return agent_.total("n") == added;
  }));
  EXPECT_EQ(client.lost(), 0U);
}

TEST_F(ClientTest, AnAgentThatStartsAnewIsFoundAgain) {
  Client client = manual();
  const Counter counter = client.counter("n");
  counter.add();
  ASSERT_TRUE(client.flush());
  agent_ = Agent(path_);
  counter.add(2);
  EXPECT_TRUE(eventually(10s, [&] { return client.flush(); }));
  EXPECT_EQ(agent_.total("n"), 2U);
}

TEST_F(ClientTest, EachUpdateByItselfWhereThatIsWanted) {
  Client client({path_, Mode::kImmediate});
  const Counter counter = client.counter("n");
  counter.add();
  counter.add(2);
  client.gauge("g").set(1);
  client.timer("t").observe(1ms);
  EXPECT_THAT(agent_.lines(), ElementsAre("n:1|c", "n:2|c", "g:1|g", "t:1|ms"));
  EXPECT_EQ(agent_.packets(), 4);
}

TEST_F(ClientTest, MetricsBeyondTheMostDoNothing) {
  Client client = manual();
  for (int i = 0; i < CONNSCOPE_MAX_METRICS; ++i) ASSERT_TRUE(client.counter("n" + std::to_string(i)));
  const Counter beyond = client.counter("beyond");
  EXPECT_FALSE(beyond);
  beyond.add();
  client.flush();
  EXPECT_THAT(agent_.lines(), IsEmpty());
}

TEST_F(ClientTest, ANameLongerThanAPacketIsNoMetric) {
  EXPECT_FALSE(manual().counter(std::string(CONNSCOPE_PACKET_BYTES, 'n')));
}

TEST_F(ClientTest, TheHeaderForCDoesTheSame) {
  EXPECT_EQ(use_connscope_from_c(path_.c_str()), 0);
  EXPECT_THAT(agent_.lines(), ElementsAre("c.wait:2.5|ms", "c.body_bytes:4096|h", "c.depth:0|g", "c.depth:-0.5|g",
                                          "c.requests:5|c|#route:/x"));
}

TEST_F(ClientTest, NullIsTakenEverywhereInC) {
  connscope_add(nullptr, 1);
  connscope_set(nullptr, 1);
  connscope_observe(nullptr, 1);
  connscope_record(nullptr, 1);
  connscope_close(nullptr);
  EXPECT_EQ(connscope_flush(nullptr), 1);
  EXPECT_EQ(connscope_lost(nullptr), 0U);
  EXPECT_EQ(connscope_counter(nullptr, "n", nullptr), nullptr);
}

}  // namespace
}  // namespace connscope::client
