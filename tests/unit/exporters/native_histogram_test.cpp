// SPDX-License-Identifier: Apache-2.0
#include "exporters/native_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connscope::exporters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Span = NativeHistogram::Span;

/// Bounds 2^-1 to 2^8 of schema 0.
metrics::HistogramValue value_of(std::vector<std::uint64_t> counts) {
  metrics::HistogramValue value;
  value.layout = metrics::BucketLayout::exponential(0, -1, 8, 1);
  counts.resize(value.layout->bucket_count(), 0);
  value.counts = std::move(counts);
  return value;
}

NativeHistogram native_of(std::vector<std::uint64_t> counts) {
  NativeHistogram made;
  made.assign(value_of(std::move(counts)));
  return made;
}

TEST(NativeHistogram, NothingIsNoSpan) {
  const NativeHistogram made = native_of({});
  EXPECT_EQ(made.schema, 0);
  EXPECT_EQ(made.zero_threshold, 0.5);
  EXPECT_EQ(made.count, 0U);
  EXPECT_THAT(made.spans, IsEmpty());
  EXPECT_THAT(made.deltas, IsEmpty());
}

TEST(NativeHistogram, TheLowestBucketIsZerosAndIndicesAreThoseOfUpperBounds) {
  const NativeHistogram made = native_of({3, 5});  // (0.5, 1] has the upper bound 2^0
  EXPECT_EQ(made.zero_count, 3U);
  EXPECT_EQ(made.count, 8U);
  EXPECT_THAT(made.spans, ElementsAre(Span{0, 1}));
  EXPECT_THAT(made.deltas, ElementsAre(5));
}

TEST(NativeHistogram, ASmallGapIsWrittenOutAndALargeOneBeginsASpan) {
  const NativeHistogram made = native_of({0, 4, 0, 0, 6, 0, 0, 0, 1});
  EXPECT_THAT(made.spans, ElementsAre(Span{0, 4}, Span{3, 1}));
  EXPECT_THAT(made.deltas, ElementsAre(4, -4, 0, 6, -5)) << "each is the difference to the bucket before it";
}

TEST(NativeHistogram, WhatIsAboveTheLastBoundIsInTheBucketAfterIt) {
  const NativeHistogram made = native_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7});
  EXPECT_THAT(made.spans, ElementsAre(Span{9, 1}));
  EXPECT_EQ(made.count, 7U);
}

TEST(NativeHistogram, OneServesManySeries) {
  NativeHistogram made = native_of({1, 2, 3});
  made.assign(value_of({0, 0, 0, 9}));
  EXPECT_THAT(made.spans, ElementsAre(Span{2, 1}));
  EXPECT_THAT(made.deltas, ElementsAre(9));
  EXPECT_EQ(made.zero_count, 0U);
}

TEST(NativeHistogram, BoundsOfTheirOwnDoNotFit) {
  metrics::HistogramValue value;
  value.layout = metrics::BucketLayout::create({1, 2}).value();
  EXPECT_FALSE(NativeHistogram::fits(value));
  EXPECT_TRUE(NativeHistogram::fits(value_of({})));
}

}  // namespace
}  // namespace connscope::exporters
