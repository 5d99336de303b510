// SPDX-License-Identifier: Apache-2.0
#include "agent/base/idle_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace connscope {
namespace {

/// Pages of files that are resident (statm's third number).
long resident_file_pages() {
  std::array<long, 3> figures{};
  std::ifstream statm("/proc/self/statm");
  for (long& figure : figures) statm >> figure;
  return figures[2];
}

constexpr std::array<int, 100'000> kMany = [] {
  std::array<int, 100'000> many{};
  for (int i = 0; i < static_cast<int>(many.size()); ++i) many[static_cast<std::size_t>(i)] = i % 7;
  return many;
}();

long sum_of_constants() {
  long sum = 0;
  for (const int& one : kMany) sum += *const_cast<const volatile int*>(&one);
  return sum;
}

TEST(IdleMemory, IsGivenBackAndComesBackAsItWas) {
  const long sum = sum_of_constants();
  const long before = resident_file_pages();
  release_idle_memory();
  EXPECT_LT(resident_file_pages(), before);
  EXPECT_EQ(sum_of_constants(), sum);
}

TEST(IdleMemory, IsGivenBackAtOnceThenAfterTheFirstRequestsThenNowAndThen) {
  IdleMemory memory;
  IdleMemory::Time now;
  EXPECT_TRUE(memory.release_when_due(now));
  EXPECT_FALSE(memory.release_when_due(now + IdleMemory::kSettled / 2));
  now += IdleMemory::kSettled;
  EXPECT_TRUE(memory.release_when_due(now));
  EXPECT_FALSE(memory.release_when_due(now + IdleMemory::kSettled));
  EXPECT_TRUE(memory.release_when_due(now + IdleMemory::kInterval));
}

}  // namespace
}  // namespace connscope
