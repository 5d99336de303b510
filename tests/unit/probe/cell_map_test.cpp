// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/cell_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace connscope::probe {
namespace {

struct Key {
  std::uint64_t identity;
  std::uint16_t bucket;
  std::uint8_t family;
  std::uint8_t outcome;
  std::uint32_t reserved;
};

TEST(CellMap, KeysThatDifferInOneByteAreTwo) {
  CellMap<Key, int> cells;
  cells[{7, 1, 0, 0, 0}] = 1;
  cells[{7, 1, 0, 1, 0}] = 2;
  cells[{8, 1, 0, 0, 0}] = 3;
  EXPECT_EQ(cells.size(), 3U);
  EXPECT_EQ((cells[{7, 1, 0, 1, 0}]), 2);
}

TEST(CellMap, NeighbouringKeysSpreadOverTheBuckets) {
  CellMap<Key, int> cells;
  for (std::uint64_t identity = 0; identity < 64; ++identity)
    for (std::uint16_t bucket = 0; bucket < 110; ++bucket) cells[{identity << 30U, bucket, 0, 0, 0}] = 1;
  std::size_t fullest = 0;
  for (std::size_t bucket = 0; bucket < cells.bucket_count(); ++bucket)
    fullest = std::max(fullest, cells.bucket_size(bucket));
  EXPECT_LE(fullest, 10U) << "of 7,040 keys";
}

}  // namespace
}  // namespace connscope::probe
