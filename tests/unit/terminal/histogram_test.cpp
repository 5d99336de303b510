// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/histogram.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Quarters of an octave up to one second, counted from it: 0 is the bucket that ends at 1 s.
Distribution quarters(std::initializer_list<std::pair<int, std::uint64_t>> buckets) {
  Distribution distribution;
  for (const auto& [quarter, count] : buckets)
    distribution.add_bucket(std::exp2((quarter - 1) / 4.0), std::exp2(quarter / 4.0), count);
  return distribution;
}

TEST(Histogram, DrawsABarForEachBucketAndShowsGaps) {
  EXPECT_THAT(draw_histogram(quarters({{-40, 12}, {-39, 32}, {-37, 1}}), "seconds", {40, 20, true}),
              ElementsAre(" ≤ 977µs │██████████▏                 12",  //
                          "≤ 1.16ms │███████████████████████████ 32",  //
                          "≤ 1.38ms │                             0",  //
                          "≤ 1.64ms │▉                            1"));
}

TEST(Histogram, InAsciiSomethingRareIsSeenToo) {
  EXPECT_THAT(draw_histogram(quarters({{-40, 1}, {-39, 1000}}), "seconds", {30, 20, false}),
              ElementsAre(" <= 977us |#                 1",  //
                          "<= 1.16ms |############## 1000"));
}

TEST(Histogram, PutsNeighboursTogetherUntilTheyFit) {
  Distribution wide;
  for (int octave = -20; octave <= 7; ++octave) wide.add_bucket(std::exp2(octave - 1), std::exp2(octave), 1);
  wide.add_bucket(128, std::numeric_limits<double>::infinity(), 3);
  const auto lines = draw_histogram(wide, "seconds", {40, 10, false});
  ASSERT_LE(lines.size(), 10U);
  EXPECT_EQ(lines.back().substr(0, lines.back().find('|')), "     more ");
  for (const auto& line : lines) EXPECT_LE(width_of(line), 40U) << line;
}

TEST(Histogram, NeverGrowsPastItsCanvas) {
  for (std::size_t width : {0U, 1U, 10U, 20U, 200U})
    for (const auto& line : draw_histogram(quarters({{0, 1}, {5, 123456789}}), "seconds", {width, 3, true}))
      EXPECT_LE(width_of(line), std::max<std::size_t>(width, 24)) << width;
  EXPECT_THAT(draw_histogram(Distribution(), "seconds", {80, 20, true}), IsEmpty());
  EXPECT_THAT(draw_histogram(quarters({{0, 1}}), "seconds", {80, 0, true}), IsEmpty());
}

TEST(Histogram, BoundsThatAreNotPositiveHaveTheirOwnBars) {
  Distribution days;
  days.add_bucket(-86400, 0, 2);
  days.add_bucket(0, 86400, 1);
  EXPECT_EQ(draw_histogram(days, "", {40, 20, true}).size(), 2U);
}

}  // namespace
}  // namespace connscope::terminal
