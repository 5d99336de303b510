// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/map_drain.h"

#include <gtest/gtest.h>

#include <array>

namespace connscope::probe {
namespace {

struct Cell {
  std::uint64_t count;
  std::uint64_t sum_ns;
};

TEST(SumOverCpus, AddsEachCounterBySelf) {
  const std::array<Cell, 3> per_cpu = {Cell{1, 10}, Cell{0, 0}, Cell{2, 5}};
  const Cell sum = sum_over_cpus(per_cpu.data(), per_cpu.size());
  EXPECT_EQ(sum.count, 3U);
  EXPECT_EQ(sum.sum_ns, 15U);
}

TEST(MapDrain, AnErrorNamesTheOperation) {
  MapDrain<std::uint64_t, Cell> drain;
  const auto outcome = drain.read(-1, [](const std::uint64_t&, const Cell&) { FAIL() << "no entry can be read"; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message(), "batch look-up: Bad file descriptor");
}

}  // namespace
}  // namespace connscope::probe
