// SPDX-License-Identifier: Apache-2.0
#include "exporters/push_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <future>

#include "exporters/datagram_sender.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/exporters/reports.h"

namespace connscope::exporters {
namespace {

using namespace test;
using namespace std::chrono_literals;
using connscope::testing::eventually;

constexpr auto kLimit = 10s;

/// Remembers what it was given; holds the first report back until it is let go.
struct Receiver {
  std::mutex mutex;
  std::vector<std::string> policies;
  std::promise<void> let_go;
  std::shared_future<void> gate = let_go.get_future().share();
  std::atomic<bool> is_held{false};
  std::atomic<bool> fails{false};
  std::atomic<bool> asks_again{false};

  std::vector<std::string> received() {
    const std::lock_guard lock(mutex);
    return policies;
  }
};

class FakeExporter final : public ReportExporter {
 public:
  explicit FakeExporter(std::shared_ptr<Receiver> receiver) : receiver_(std::move(receiver)) {}
  Sent send(const Report& report) override {
    receiver_->is_held = true;
    receiver_->gate.wait();
    const std::lock_guard lock(receiver_->mutex);
    receiver_->policies.push_back(report.policy);
    if (receiver_->fails)
      return {0, 0, 0, Error("receiver: is down"), receiver_->asks_again ? std::optional(0ms) : std::nullopt};
    return {1, 10, 2, {}};
  }

 private:
  std::shared_ptr<Receiver> receiver_;
};

metrics::ReportPtr named(const std::string& policy, std::size_t metrics = 1) {
  Report report = report_of({});
  report.policy = policy;
  report.metrics.assign(metrics, metric_of("", "x", "", Sum()));
  return std::make_shared<const Report>(std::move(report));
}

class PushLoopTest : public ::testing::Test {
 protected:
  void start() { loop_ = std::make_unique<PushLoop>(std::make_unique<FakeExporter>(receiver_), counts_); }
  ~PushLoopTest() override { open(); }
  void open() {
    if (!std::exchange(is_open_, true)) receiver_->let_go.set_value();
  }

  std::shared_ptr<Receiver> receiver_ = std::make_shared<Receiver>();
  std::shared_ptr<PushCounts> counts_ = std::make_shared<PushCounts>();
  std::unique_ptr<PushLoop> loop_;
  bool is_open_ = false;
};

TEST_F(PushLoopTest, SendsInOrderAndCounts) {
  open();
  start();
  for (int i = 0; i < 5; ++i) loop_->push(named(std::to_string(i)));
  loop_->finish(std::chrono::steady_clock::now() + kLimit);
  loop_.reset();
  EXPECT_EQ(receiver_->received(), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(counts_->reports, 5U);
  EXPECT_EQ(counts_->packets, 5U);
  EXPECT_EQ(counts_->bytes, 50U);
  EXPECT_EQ(counts_->refused, 10U);
  EXPECT_EQ(counts_->queued, 0U);
}

TEST_F(PushLoopTest, AReceiverThatHangsCostsBoundedMemoryAndNobodyWaits) {
  start();
  loop_->push(named("held"));
  ASSERT_TRUE(eventually(kLimit, [this] { return receiver_->is_held.load(); }));
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < PushLoop::kMaxReports + 36; ++i) loop_->push(named(std::to_string(i)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_EQ(counts_->queued, PushLoop::kMaxReports);
  EXPECT_EQ(counts_->dropped, 36U);
  open();
  loop_->finish(std::chrono::steady_clock::now() + kLimit);
  loop_.reset();
  EXPECT_EQ(receiver_->received().at(1), "36") << "the oldest went";
  EXPECT_EQ(counts_->reports + counts_->dropped, PushLoop::kMaxReports + 37);
}

TEST_F(PushLoopTest, LargeReportsAreBoundedByTheirMetrics) {
  start();
  loop_->push(named("held"));
  ASSERT_TRUE(eventually(kLimit, [this] { return receiver_->is_held.load(); }));
  for (int i = 0; i < 5; ++i) loop_->push(named("large", PushLoop::kMaxMetrics / 2));
  EXPECT_EQ(counts_->queued, 2U);
  loop_->push(named("giant", PushLoop::kMaxMetrics + 1));
  EXPECT_EQ(counts_->queued, 1U);
  EXPECT_EQ(counts_->dropped, 5U);
}

TEST_F(PushLoopTest, AFailureIsCountedAndItsReasonKeptUntilItWorksAgain) {
  open();
  receiver_->fails = true;
  start();
  loop_->push(named("a"));
  ASSERT_TRUE(eventually(kLimit, [this] { return loop_->problem() == "receiver: is down"; }));
  EXPECT_EQ(counts_->failures, 1U);
  receiver_->fails = false;
  loop_->push(named("b"));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 1; }));
  ASSERT_TRUE(eventually(kLimit, [this] { return loop_->problem().empty(); }));
}

TEST_F(PushLoopTest, WhatIsNotSentByTheDeadlineIsDropped) {
  start();
  loop_->push(named("held"));
  ASSERT_TRUE(eventually(kLimit, [this] { return receiver_->is_held.load(); }));
  loop_->push(named("late"));
  loop_->finish(std::chrono::steady_clock::now());
  EXPECT_FALSE(loop_->is_finished());
  open();
  loop_->wait();
  EXPECT_EQ(loop_->lost(), 1U) << "the one that was under way has arrived";
  EXPECT_TRUE(loop_->is_finished());
  EXPECT_EQ(counts_->reports, 1U);
  EXPECT_EQ(counts_->dropped, 1U);
}

TEST_F(PushLoopTest, WhatTheReceiverRefusesIsLost) {
  open();
  receiver_->fails = true;
  start();
  loop_->push(named("refused"));
  loop_->finish(std::chrono::steady_clock::now() + kLimit);
  loop_->wait();
  EXPECT_EQ(loop_->lost(), 1U);
  EXPECT_EQ(loop_->problem(), "receiver: is down");
}

TEST_F(PushLoopTest, WhatMayBeSentAgainWaitsAtTheHead) {
  open();
  receiver_->fails = receiver_->asks_again = true;
  start();
  loop_->push(named("a"));
  loop_->push(named("b"));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->failures == 1 && counts_->queued == 2; }));
  receiver_->fails = false;
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 2; }));
  EXPECT_EQ(receiver_->received(), (std::vector<std::string>{"a", "a", "b"}));
  EXPECT_EQ(counts_->dropped, 0U);
}

TEST_F(PushLoopTest, AReceiverThatIsDownCostsTheOldestAndNoTimeAtTheEnd) {
  open();
  receiver_->fails = receiver_->asks_again = true;
  start();
  constexpr std::size_t kPushed = PushLoop::kMaxReports + 10;
  for (std::size_t i = 0; i < kPushed; ++i) loop_->push(named(std::to_string(i)));
  EXPECT_LE(counts_->queued, PushLoop::kMaxReports);
  const auto begin = std::chrono::steady_clock::now();
  loop_->finish(begin + kLimit);
  loop_->wait();
  EXPECT_EQ(loop_->lost(), kPushed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, PushLoop::kFirstPause);
  EXPECT_EQ(counts_->dropped, kPushed) << "each is counted, once";
  EXPECT_EQ(counts_->queued, 0U);
}

TEST_F(PushLoopTest, OfSnapshotsOnlyTheNewestWaits) {
  loop_ = std::make_unique<PushLoop>(std::make_unique<FakeExporter>(receiver_), counts_, 1);
  loop_->push(named("held"));
  ASSERT_TRUE(eventually(kLimit, [this] { return receiver_->is_held.load(); }));
  loop_->push(named("old"));
  loop_->push(named("new"));
  open();
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 2; }));
  EXPECT_EQ(receiver_->received(), (std::vector<std::string>{"held", "new"}));
}

TEST_F(PushLoopTest, AnotherExporterNeedNotWaitForTheOldOnesPause) {
  open();
  receiver_->fails = receiver_->asks_again = true;
  start();
  loop_->push(named("a"));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->failures == 2; })) << "the pause is 2 s now";
  const auto other = std::make_shared<Receiver>();
  other->let_go.set_value();
  const auto begin = std::chrono::steady_clock::now();
  loop_->replace(std::make_unique<FakeExporter>(other));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 1; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1500ms);
}

TEST_F(PushLoopTest, AnotherExporterTakesTheQueueOver) {
  start();
  loop_->push(named("first"));
  ASSERT_TRUE(eventually(kLimit, [this] { return receiver_->is_held.load(); }));
  loop_->push(named("second"));
  const auto other = std::make_shared<Receiver>();
  other->let_go.set_value();
  loop_->replace(std::make_unique<FakeExporter>(other));
  open();
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 2; }));
  EXPECT_EQ(receiver_->received(), std::vector<std::string>{"first"});
  EXPECT_EQ(other->received(), std::vector<std::string>{"second"});
}

/// Keeps reports in memory, and sends one by each forward().
class FakeKeeper final : public ReportExporter, private KeptReports {
 public:
  FakeKeeper(std::shared_ptr<Receiver> receiver, std::shared_ptr<std::atomic<int>> kept)
      : receiver_(std::move(receiver)), kept_(std::move(kept)) {}
  Sent send(const Report& report) override {
    waiting_.push_back(report.policy);
    *kept_ = static_cast<int>(waiting_.size());
    return {};
  }
  KeptReports* kept() override { return this; }

 private:
  [[nodiscard]] std::uint64_t size() const override { return waiting_.size(); }
  Sent forward() override {
    if (receiver_->fails) return {0, 0, 0, Error("receiver: is down"), 0ms};
    const std::lock_guard lock(receiver_->mutex);
    receiver_->policies.push_back(waiting_.front());
    waiting_.pop_front();
    Sent sent{1, 10, 0, {}};
    sent.finished = 1;
    return sent;
  }

  std::shared_ptr<Receiver> receiver_;
  std::shared_ptr<std::atomic<int>> kept_;
  std::deque<std::string> waiting_;
};

class KeepingPushLoop : public PushLoopTest {
 protected:
  void start_keeper() { loop_ = std::make_unique<PushLoop>(std::make_unique<FakeKeeper>(receiver_, kept_), counts_); }
  std::shared_ptr<std::atomic<int>> kept_ = std::make_shared<std::atomic<int>>(0);
};

TEST_F(KeepingPushLoop, KeepsReportsAtOnceAlsoDuringAPause) {
  receiver_->fails = true;
  start_keeper();
  loop_->push(named("a"));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->failures == 1; })) << "the pause is a second now";
  EXPECT_EQ(loop_->problem(), "receiver: is down");
  const auto begin = std::chrono::steady_clock::now();
  loop_->push(named("b"));
  loop_->push(named("c"));
  ASSERT_TRUE(eventually(kLimit, [this] { return *kept_ == 3 && counts_->queued == 3; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);
  EXPECT_EQ(counts_->failures, 1U) << "Retry-After holds for them too";
  receiver_->fails = false;
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->reports == 3 && counts_->queued == 0; }));
  EXPECT_EQ(receiver_->received(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(loop_->problem(), "");
  EXPECT_EQ(counts_->dropped, 0U);
}

TEST_F(KeepingPushLoop, AtTheEndOneMoreTryAndTheRestStaysKept) {
  receiver_->fails = true;
  start_keeper();
  loop_->push(named("a"));
  ASSERT_TRUE(eventually(kLimit, [this] { return counts_->failures == 1; }));
  loop_->push(named("last"));
  const auto begin = std::chrono::steady_clock::now();
  loop_->finish(begin + kLimit);
  loop_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, PushLoop::kFirstPause);
  EXPECT_EQ(counts_->failures, 2U);
  EXPECT_EQ(counts_->dropped, 0U) << "it is not lost";
  EXPECT_EQ(*kept_, 2);
  EXPECT_EQ(counts_->queued, 0U);
}

TEST_F(KeepingPushLoop, AtTheEndAllIsSentWhereTheReceiverTakesIt) {
  start_keeper();
  for (int i = 0; i < 5; ++i) loop_->push(named(std::to_string(i)));
  loop_->finish(std::chrono::steady_clock::now() + kLimit);
  loop_.reset();
  EXPECT_EQ(receiver_->received(), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(counts_->reports, 5U);
}

/// A unix datagram socket, bound.
UniqueFd bound_at(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return socket;
}

std::string received_by(const UniqueFd& socket) {
  std::string buffer(65536, '\0');
  const ssize_t length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
  return length < 0 ? "nothing" : buffer.substr(0, static_cast<std::size_t>(length));
}

TEST(DatagramSender, AReceiverMayComeLateGoAndComeBack) {
  const auto folder = connscope::testing::TempDir::create().value();
  const std::string path = folder.path() + "/s";
  DatagramSender sender(SocketAddress::parse("unix:" + path).value());
  const Status early = sender.send("early");
  ASSERT_FALSE(early);
  EXPECT_THAT(early.error().message(), ::testing::HasSubstr(path));
  {
    const UniqueFd receiver = bound_at(path);
    EXPECT_TRUE(sender.send("a"));
    EXPECT_EQ(received_by(receiver), "a");
  }
  EXPECT_FALSE(sender.send("gone"));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  const UniqueFd again = bound_at(path);
  EXPECT_TRUE(sender.send("b"));
  EXPECT_EQ(received_by(again), "b");
}

TEST(DatagramSender, AReceiverThatTakesNothingIsGivenUpAfterASecond) {
  const auto folder = connscope::testing::TempDir::create().value();
  const std::string path = folder.path() + "/s";
  const UniqueFd receiver = bound_at(path);
  DatagramSender sender(SocketAddress::parse("unix:" + path).value());
  const auto begin = std::chrono::steady_clock::now();
  Status sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = sender.send("x");
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message(), ::testing::HasSubstr("queue is full"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

}  // namespace
}  // namespace connscope::exporters
