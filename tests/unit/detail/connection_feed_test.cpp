// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/connection_feed.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace connscope::detail {
namespace {

using Table = std::map<std::pair<std::string, Metric>, Bounds>;

/// Keeps what it was asked for last.
struct FakeSource final : ConnectionSource {
  Status want(Kinds wanted) override {
    kinds = wanted;
    ++asked;
    return outcome;
  }
  Status bound(const std::string& process, Metric metric, const Bounds* wanted) override {
    ++asked;
    if (wanted == nullptr) {
      bounds.erase({process, metric});
    } else {
      bounds[{process, metric}] = *wanted;
    }
    return outcome;
  }
  [[nodiscard]] int fd() const override { return 7; }
  void drain() override { ++drained; }

  Kinds kinds = 0;
  Table bounds;
  int asked = 0;
  int drained = 0;
  Status outcome;
};

Connection of_kinds(Kinds kinds) {
  Connection connection;
  connection.kinds = kinds;
  return connection;
}

TEST(ConnectionFeed, WithoutASourceThereIsNothingToWaitFor) {
  const ConnectionFeed feed;
  EXPECT_EQ(feed.fd(), -1);
  feed.drain();
}

TEST(ConnectionFeed, ToldAreThoseWhoListenToTheKind) {
  ConnectionFeed feed;
  std::vector<Kinds> failures;
  std::vector<Kinds> both;
  const auto first = feed.subscribe(kFailure, [&](const Connection& c) { failures.push_back(c.kinds); });
  const auto second = feed.subscribe(kOutlier | kAttempt, [&](const Connection& c) { both.push_back(c.kinds); });
  feed.publish(of_kinds(kFailure));
  feed.publish(of_kinds(kAttempt));
  feed.publish(of_kinds(kFailure | kOutlier));
  EXPECT_EQ(failures, (std::vector<Kinds>{kFailure, kFailure | kOutlier}));
  EXPECT_EQ(both, (std::vector<Kinds>{kAttempt, kFailure | kOutlier}));
}

TEST(ConnectionFeed, TheSourceIsAskedForWhatAnybodyListensTo) {
  FakeSource source;
  ConnectionFeed feed;
  ASSERT_TRUE(feed.connect(&source));
  EXPECT_EQ(source.kinds, 0);
  auto failures = feed.subscribe(kFailure, [](const Connection&) {});
  auto attempts = feed.subscribe(kAttempt, [](const Connection&) {});
  EXPECT_EQ(source.kinds, kFailure | kAttempt);
  const int asked = source.asked;
  auto again = feed.subscribe(kFailure, [](const Connection&) {});
  EXPECT_EQ(source.asked, asked) << "nothing has changed for it";
  failures.reset();
  EXPECT_EQ(source.kinds, kFailure | kAttempt);
  again.reset();
  EXPECT_EQ(source.kinds, kAttempt);
  attempts.reset();
  EXPECT_EQ(source.kinds, 0);
}

TEST(ConnectionFeed, ASourceThatComesLateIsToldOfAllThatIsWanted) {
  FakeSource source;
  ConnectionFeed feed;
  const auto failures = feed.subscribe(kFailure, [](const Connection&) {});
  feed.set_bounds("ui", Metric::kTls, {1, 3, 2});
  ASSERT_TRUE(feed.connect(&source));
  EXPECT_EQ(source.kinds, kFailure);
  EXPECT_EQ(source.bounds, (Table{{{"ui", Metric::kTls}, {1, 3, 2}}}));
  EXPECT_EQ(feed.fd(), 7);
  feed.drain();
  EXPECT_EQ(source.drained, 1);
}

TEST(ConnectionFeed, ASourceThatIsGoneIsAskedForNothing) {
  FakeSource source;
  ConnectionFeed feed;
  ASSERT_TRUE(feed.connect(&source));
  const int asked = source.asked;
  ASSERT_TRUE(feed.connect(nullptr));
  const auto failures = feed.subscribe(kFailure, [](const Connection&) {});
  EXPECT_EQ(source.asked, asked);
  EXPECT_EQ(feed.fd(), -1);
}

TEST(ConnectionFeed, BoundsReachTheSourceWhenTheyChange) {
  FakeSource source;
  ConnectionFeed feed;
  ASSERT_TRUE(feed.connect(&source));
  feed.set_bounds("ui", Metric::kConnect, {1, 3, 2});
  feed.set_bounds("db", Metric::kConnect, {10, 30, 20});
  const int asked = source.asked;
  feed.set_bounds("db", Metric::kConnect, {10, 30, 20});
  EXPECT_EQ(source.asked, asked);
  feed.set_bounds("db", Metric::kConnect, {10, 40, 20});
  EXPECT_EQ(source.bounds.at({"db", Metric::kConnect}).high_ns, 40);
  feed.clear_bounds("ui", Metric::kConnect);
  feed.clear_bounds("ui", Metric::kTls);
  EXPECT_EQ(source.bounds.size(), 1);
}

TEST(ConnectionFeed, WhatTheSourceCannotDoIsKept) {
  FakeSource source;
  ConnectionFeed feed;
  source.outcome = Error("no room");
  EXPECT_FALSE(feed.connect(&source));
  source.outcome = Status();
  const auto failures = feed.subscribe(kFailure, [](const Connection&) {});
  EXPECT_TRUE(feed.health());
}

TEST(ConnectionFeed, AMovedSubscriptionGoesOnOnce) {
  ConnectionFeed feed;
  int told = 0;
  auto first = feed.subscribe(kFailure, [&](const Connection&) { ++told; });
  {
    const auto second = std::move(first);
    feed.publish(of_kinds(kFailure));
  }
  feed.publish(of_kinds(kFailure));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(feed.wanted(), 0);
}

}  // namespace
}  // namespace connscope::detail
