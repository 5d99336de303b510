// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/snapshot_exchange.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

namespace connscope::runtime {
namespace {

using namespace std::chrono_literals;

metrics::SnapshotPtr numbered(std::int64_t number) {
  metrics::Snapshot snapshot;
  snapshot.taken_at = metrics::WallTime(std::chrono::seconds(number));
  return std::make_shared<const metrics::Snapshot>(std::move(snapshot));
}

bool readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1;
}

TEST(SnapshotExchange, HasNothingBeforeTheFirstCollect) {
  SnapshotExchange exchange;
  EXPECT_EQ(exchange.latest(), nullptr);
  EXPECT_EQ(exchange.fresh(1ms), nullptr);
}

TEST(SnapshotExchange, AQuestionWakesTheCollector) {
  SnapshotExchange exchange;
  EXPECT_FALSE(readable(exchange.wake_fd()));
  (void)exchange.fresh(0ms);
  EXPECT_TRUE(readable(exchange.wake_fd()));
  (void)exchange.begin();
  EXPECT_FALSE(readable(exchange.wake_fd()));
}

TEST(SnapshotExchange, ACollectThatBeganBeforeTheQuestionIsNoAnswer) {
  SnapshotExchange exchange;
  const auto answers = exchange.begin();
  std::thread reader([&] { EXPECT_EQ(exchange.fresh(10s)->taken_at, metrics::WallTime(2s)); });
  pollfd wake{exchange.wake_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&wake, 1, 10000), 1);
  exchange.publish(numbered(1), answers);
  exchange.publish(numbered(2), exchange.begin());
  reader.join();
}

TEST(SnapshotExchange, ARoundIsAboutWhatItsQuestionsName) {
  SnapshotExchange exchange;
  (void)exchange.fresh(0ms, {"cpu", "stat"});
  (void)exchange.fresh(0ms, {"cpu", "netdev"});
  EXPECT_EQ(exchange.begin().about, (std::set<std::string>{"cpu", "netdev", "stat"}));
  EXPECT_EQ(exchange.begin().about, std::set<std::string>());
}

TEST(SnapshotExchange, ManyReadersBesideCollects) {
  SnapshotExchange exchange;
  std::atomic<int> open_readers = 4;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      metrics::WallTime last{};
      for (int scrape = 0; scrape < 200; ++scrape) {
        const auto snapshot = exchange.fresh(10s);
        ASSERT_NE(snapshot, nullptr);
        EXPECT_GT(snapshot->taken_at, last) << "each scrape sees a later collect";
        last = snapshot->taken_at;
      }
      --open_readers;
    });
  for (std::int64_t number = 1; open_readers > 0; ++number) {
    pollfd wake{exchange.wake_fd(), POLLIN, 0};
    if (::poll(&wake, 1, 10) == 1) exchange.publish(numbered(number), exchange.begin());
  }
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace connscope::runtime
