// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/recent_connections.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace connscope::detail {
namespace {

Connection numbered(std::uint32_t pid) {
  Connection connection;
  connection.pid = pid;
  connection.process = "process " + std::to_string(pid);
  return connection;
}

TEST(RecentConnections, TheNewestComesFirst) {
  RecentConnections recent(4);
  EXPECT_TRUE(recent.latest(4).empty());
  for (std::uint32_t pid = 1; pid <= 3; ++pid) recent.add(numbered(pid));
  const auto two = recent.latest(2);
  ASSERT_EQ(two.size(), 2);
  EXPECT_EQ(two[0].pid, 3);
  EXPECT_EQ(two[1].pid, 2);
}

TEST(RecentConnections, TheOldestFallOut) {
  RecentConnections recent(4);
  for (std::uint32_t pid = 1; pid <= 10; ++pid) recent.add(numbered(pid));
  const auto all = recent.latest(100);
  ASSERT_EQ(all.size(), 4);
  EXPECT_EQ(all.front().pid, 10);
  EXPECT_EQ(all.back().pid, 7);
  EXPECT_EQ(recent.total(), 10);
}

TEST(RecentConnections, ReadersSeeWholeConnectionsInOrder) {
  RecentConnections recent(16);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint32_t pid = 1; pid <= 20000; ++pid) recent.add(numbered(pid));
    done = true;
  });
  bool in_order = true;
  while (!done) {
    const auto some = recent.latest(16);
    for (std::size_t i = 0; i < some.size(); ++i)
      in_order &= some[i].pid == some[0].pid - i && some[i].process == "process " + std::to_string(some[i].pid);
  }
  writer.join();
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace connscope::detail
