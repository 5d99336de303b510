// SPDX-License-Identifier: Apache-2.0
//
// Issue H: failures and outliers carry their peer, where the config asks for it (D17), and only where they were
// counted.
#include "agent/runtime/exemplars.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "agent/metrics/exemplar.h"
#include "agent/metrics/registry.h"

namespace connscope::runtime {
namespace {

using detail::Connection;
using metrics::BucketLayout;
using metrics::Labels;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

metrics::WallTime second(int number) { return metrics::WallTime(std::chrono::seconds(1'700'000'000 + number)); }

/// A refused connect of curl, 3 ms after its begin.
Connection refused() {
  Connection connection;
  connection.time = second(0);
  connection.kinds = detail::kFailure;
  connection.process = "curl";
  connection.pid = 42;
  connection.stage = detail::Stage::kTcp;
  connection.metric = detail::Metric::kConnect;
  connection.ok = false;
  connection.reason = "refused";
  connection.duration_ns = 3'000'000;
  connection.peer = "192.0.2.1:443";
  connection.host = "example.org";
  return connection;
}

Connection slow_tls(const std::string& peer) {
  Connection connection = refused();
  connection.kinds = detail::kOutlier;
  connection.stage = detail::Stage::kTls;
  connection.metric = detail::Metric::kTls;
  connection.ok = true;
  connection.reason = {};
  connection.duration_ns = 600'000'000;
  connection.peer = peer;
  return connection;
}

class ExemplarsTest : public ::testing::Test {
 protected:
  void configure(const std::string& keys) {
    const auto document = config::Document::parse("[exemplars]\n" + keys, "c.toml");
    ASSERT_TRUE(document);
    exemplars_.apply(ExemplarSettings::parse(document->root()));
    ASSERT_TRUE(document->finish()) << document->finish().error().message();
  }

  void count_refused() {
    failures_->with({"curl", "client", "tcp", "refused", ""}).value()->add(std::uint64_t{1});
    connects_->with({"curl", "ipv4", "fail", ""}).value()->observe(0.003);
  }
  void count_tls(const std::string& version, double seconds) {
    handshakes_->with({"curl", "client", version, "ok", "", ""}).value()->observe(seconds);
  }

  std::shared_ptr<metrics::Snapshot> collect() {
    auto snapshot = registry_.snapshot();
    exemplars_.attach(*snapshot);
    return snapshot;
  }
  static const metrics::FamilySnapshot& family(const metrics::Snapshot& snapshot, std::string_view id) {
    for (const auto& one : snapshot.families)
      if (one.descriptor->id == id) return one;
    throw std::logic_error("no family " + std::string(id));
  }
  /// What the exemplars of a family say, in their order.
  static std::vector<Labels> texts(const metrics::Snapshot& snapshot, std::string_view id) {
    std::vector<Labels> found;
    for (const auto& placed : family(snapshot, id).exemplars) found.push_back(placed.exemplar->labels);
    return found;
  }

  template <class S>
  metrics::Family<S>* add(const char* name, std::vector<std::string> labels, const char* id) {
    labels.emplace_back("netns");
    return registry_.family<S>({name, "", "", std::move(labels), "process", id}, layout_).value();
  }

  metrics::Registry registry_{{1000, std::chrono::system_clock::now}};
  BucketLayout::Ptr layout_ = BucketLayout::exponential(2, -80, 28, 4);
  metrics::Family<metrics::Counter>* failures_ =
      registry_
          .family<metrics::Counter>(
              {"conn_failures", "", "", {"process", "role", "stage", "reason", "netns"}, "process", "n.cn.failures"})
          .value();
  metrics::Family<metrics::Histogram>* connects_ =
      add<metrics::Histogram>("connect", {"process", "ip_family", "outcome"}, "n.cn.tcp");
  metrics::Family<metrics::Histogram>* handshakes_ =
      add<metrics::Histogram>("handshake", {"process", "role", "version", "outcome", "host"}, "n.cn.tls");
  detail::ConnectionFeed feed_;
  Exemplars exemplars_{feed_};
};

TEST_F(ExemplarsTest, D17_NobodyListensUnlessTheConfigAsks) {
  configure("");
  EXPECT_EQ(feed_.wanted(), 0);
  configure("hosts = true\n");
  EXPECT_EQ(feed_.wanted(), detail::kFailure | detail::kOutlier);
  configure("peers = false\n");
  EXPECT_EQ(feed_.wanted(), 0);
}

TEST_F(ExemplarsTest, D17_SaysNoMoreThanTheConfigAsks) {
  configure("peers = true\n");
  count_refused();
  feed_.publish(refused());
  EXPECT_THAT(texts(*collect(), "n.cn.failures"),
              ElementsAre(ElementsAre(Pair("peer", "192.0.2.1:443"), Pair("pid", "42"))));
  configure("hosts = true\n");
  EXPECT_THAT(texts(*collect(), "n.cn.failures"), IsEmpty()) << "what was kept has peers";
  feed_.publish(refused());
  EXPECT_THAT(texts(*collect(), "n.cn.failures"),
              ElementsAre(ElementsAre(Pair("pid", "42"), Pair("host", "example.org"))));
}

TEST_F(ExemplarsTest, AFailureIsAtItsCounterAndInItsBucket) {
  configure("peers = true\n");
  failures_->with({"curl", "client", "tcp", "timeout", ""}).value()->add(std::uint64_t{1});
  failures_->with({"wget", "client", "tcp", "refused", ""}).value()->add(std::uint64_t{1});
  connects_->with({"curl", "ipv6", "fail", ""}).value()->observe(0.003);
  count_refused();
  feed_.publish(refused());
  const auto snapshot = collect();
  const auto& counters = family(*snapshot, "n.cn.failures");
  ASSERT_THAT(counters.exemplars, SizeIs(1));
  EXPECT_EQ(counters.exemplars[0].sample, 2U);
  EXPECT_EQ(counters.exemplars[0].exemplar->value, 1);
  EXPECT_EQ(counters.exemplars[0].exemplar->time, second(0));
  const auto& durations = family(*snapshot, "n.cn.tcp");
  ASSERT_THAT(durations.exemplars, SizeIs(1));
  EXPECT_EQ(durations.exemplars[0].sample, 1U);
  EXPECT_EQ(durations.exemplars[0].exemplar->value, 0.003);
  // The text bounds are powers of two from 2^-20 on: 2^-8 is the first that is not below 3 ms.
  EXPECT_EQ(durations.exemplars[0].bucket, 12U);
  EXPECT_THAT(family(*snapshot, "n.cn.tls").exemplars, IsEmpty());
}

TEST_F(ExemplarsTest, WhereSeveralMayHaveCountedItNoneGetsIt) {
  configure("peers = true\n");
  count_tls("1.3", 0.6);
  count_tls("1.2", 0.001);
  feed_.publish(slow_tls("192.0.2.1:443"));
  EXPECT_THAT(texts(*collect(), "n.cn.tls"), SizeIs(1)) << "only one has so long a handshake";
  count_tls("1.2", 0.7);
  EXPECT_THAT(texts(*collect(), "n.cn.tls"), IsEmpty());
}

TEST_F(ExemplarsTest, OneThatIsToldBeforeItIsCountedWaits) {
  configure("peers = true\n");
  feed_.publish(refused());
  EXPECT_THAT(texts(*collect(), "n.cn.failures"), IsEmpty());
  count_refused();
  EXPECT_THAT(texts(*collect(), "n.cn.failures"), SizeIs(1));
}

TEST_F(ExemplarsTest, OfEachBucketTheNewestStaysAndTheRareIsNotPushedOut) {
  configure("peers = true\n");
  for (const double seconds : {0.003, 0.6}) connects_->with({"curl", "ipv4", "ok", ""}).value()->observe(seconds);
  for (int i = 0; i < 5; ++i) {
    Connection one = slow_tls("192.0.2.1:" + std::to_string(i));
    one.metric = detail::Metric::kConnect;
    one.time = second(i);
    if (i != 0) one.duration_ns = 3'000'000;
    feed_.publish(one);
  }
  EXPECT_THAT(texts(*collect(), "n.cn.tcp"), ElementsAre(ElementsAre(Pair("peer", "192.0.2.1:4"), Pair("pid", "42")),
                                                         ElementsAre(Pair("peer", "192.0.2.1:0"), Pair("pid", "42"))));
}

TEST_F(ExemplarsTest, L28_TheOldestGoWhenThereAreTooMany) {
  configure("peers = true\n");
  constexpr int kProcesses = static_cast<int>(Exemplars::kMostKept) + 10;
  for (int i = 0; i < kProcesses; ++i) {
    Connection one = refused();
    one.process = "p" + std::to_string(i);
    one.metric = detail::Metric::kLife;  // which has no family of durations
    one.time = second(i);
    if (i == 0 || i == kProcesses - 1)
      failures_->with({one.process, "client", "tcp", "refused", ""}).value()->add(std::uint64_t{1});
    feed_.publish(one);
  }
  const auto snapshot = collect();
  const auto& counters = family(*snapshot, "n.cn.failures");
  ASSERT_THAT(counters.exemplars, SizeIs(1));
  EXPECT_EQ(counters.exemplars[0].sample, 1U);
}

TEST_F(ExemplarsTest, TheSpecificationsLimitHolds) {
  configure("peers = true\nhosts = true\n");
  count_refused();
  Connection longest = refused();
  longest.peer = "[1111:2222:3333:4444:5555:6666:7777:8888]:65535";
  longest.pid = 4'194'304;
  longest.host = std::string(61, 'h') + "\u00e4\u00f6";  // 63 characters
  connects_->with({"curl", "ipv6", "fail", ""}).value()->observe(0.003);
  feed_.publish(longest);
  EXPECT_THAT(texts(*collect(), "n.cn.failures"), ElementsAre(SizeIs(3)));
  longest.host += "\u00fc\u00df";
  feed_.publish(longest);
  EXPECT_THAT(texts(*collect(), "n.cn.failures"), ElementsAre(ElementsAre(Pair("peer", longest.peer), Pair("pid", _))));
}

TEST(ExemplarSettings, RefusesWhatIsNoSwitch) {
  const auto document = config::Document::parse("[exemplars]\npeers = 1\n", "c.toml");
  ASSERT_TRUE(document);
  ExemplarSettings::parse(document->root());
  ASSERT_FALSE(document->finish());
  EXPECT_THAT(document->finish().error().message(), HasSubstr("c.toml:2: exemplars.peers"));
}

}  // namespace
}  // namespace connscope::runtime
