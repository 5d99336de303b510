// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/number.h"

#include <gtest/gtest.h>

#include <limits>

namespace connscope::metrics {
namespace {

constexpr std::uint64_t kTwo53 = std::uint64_t{1} << 53U;

TEST(Number, P7_IntegersStayExactBeyondTwoToThe53) {
  EXPECT_EQ(add(Number(kTwo53), Number(std::uint64_t{1})), Number(kTwo53 + 1));
}

TEST(Number, ASumWithADoubleIsADouble) {
  EXPECT_EQ(add(Number(std::uint64_t{2}), Number(0.5)), Number(2.5));
  EXPECT_EQ(add(Number(0.25), Number(std::uint64_t{2})), Number(2.25));
  EXPECT_EQ(as_double(Number(std::uint64_t{7})), 7.0);
}

TEST(Number, P9_ATotalAtItsEndDoesNotWrap) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(add(Number(kMax - 1), Number(std::uint64_t{1})), Number(kMax));
  EXPECT_EQ(add(Number(kMax), Number(std::uint64_t{5})), Number(kMax));
}

}  // namespace
}  // namespace connscope::metrics
