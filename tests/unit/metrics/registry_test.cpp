// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connscope::metrics {
namespace {

using testing::HasSubstr;

BucketLayout::Ptr layout(std::vector<double> bounds) { return BucketLayout::create(std::move(bounds)).value(); }

template <class S>
std::string refusal(Registry& registry, FamilyDescriptor descriptor) {
  const auto made = registry.family<S>(std::move(descriptor));
  return made ? "" : made.error().message();
}

TEST(Registry, P1_P2_P3_HasAllEightTypes) {
  Registry registry;
  EXPECT_TRUE(registry.family<Counter>({"a", "", "", {"x"}, ""}));
  EXPECT_TRUE(registry.family<Gauge>({"b_bytes", "", "bytes", {"x"}, ""}));
  EXPECT_TRUE(registry.family<Unknown>({"c", "", "", {}, ""}));
  EXPECT_TRUE(registry.family<Histogram>({"d_seconds", "", "seconds", {"x"}, ""}, layout({1})));
  EXPECT_TRUE(registry.family<GaugeHistogram>({"e", "", "", {"x"}, ""}, layout({1})));
  EXPECT_TRUE(registry.family<Summary>({"f", "", "", {"x"}, ""}));
  EXPECT_TRUE(registry.family<Info>({"g", "", "", {}, ""}));
  EXPECT_TRUE(registry.family<StateSet>({"h", "", "", {}, ""}));
  EXPECT_EQ(registry.snapshot()->families.size(), 8U);
}

TEST(Registry, P4_SameFamilyTwice) {
  Registry registry;
  auto* counter = registry.family<Counter>({"a_bytes", "Help.", "bytes", {"x", "y"}, "x"}).value();
  EXPECT_EQ(registry.family<Counter>({"a_bytes", "Other help.", "bytes", {"x", "y"}, "x"}).value(), counter);
  auto* histogram = registry.family<Histogram>({"h", "", "", {}, ""}, layout({1, 2})).value();
  EXPECT_EQ(registry.family<Histogram>({"h", "", "", {}, ""}, layout({1, 2})).value(), histogram);
  EXPECT_EQ(counter->descriptor().help, "Help.");
}

TEST(Registry, P4_AnotherShapeIsRefusedWithBothShapes) {
  Registry registry;
  ASSERT_TRUE(registry.family<Counter>({"a_bytes", "", "bytes", {"x", "y"}, "x"}));
  EXPECT_EQ(refusal<Gauge>(registry, {"a_bytes", "", "", {"x"}, ""}),
            "metric family a_bytes: is registered as counter{x,y}, unit bytes, folds by x; "
            "cannot also be gauge{x}, no unit");
  EXPECT_THAT(refusal<Counter>(registry, {"a_bytes", "", "bytes", {"y", "x"}, "x"}), HasSubstr("counter{y,x}"));
  EXPECT_THAT(refusal<Counter>(registry, {"a_bytes", "", "", {"x", "y"}, "x"}), HasSubstr("no unit"));
  EXPECT_NE(refusal<Counter>(registry, {"a_bytes", "", "bytes", {"x", "y"}, "y"}), "");
}

TEST(Registry, P4_AnotherBucketLayoutIsRefused) {
  Registry registry;
  ASSERT_TRUE(registry.family<Histogram>({"h", "", "", {}, ""}, layout({1, 2})));
  const auto other = registry.family<Histogram>({"h", "", "", {}, ""}, layout({1, 3}));
  ASSERT_FALSE(other);
  EXPECT_EQ(
      other.error().message(),
      "metric family h: is registered as histogram{}, no unit, 2 bounds from 1.000000 to 2.000000; cannot also be "
      "histogram{}, no unit, 2 bounds from 1.000000 to 3.000000");
  EXPECT_FALSE(registry.family<Histogram>({"h", "", "", {}, ""}, BucketLayout::create({1, 2}, {0}).value()));
  EXPECT_FALSE(registry.family<GaugeHistogram>({"h", "", "", {}, ""}, layout({1, 2})));
}

TEST(Registry, AHistogramNeedsBuckets) {
  Registry registry;
  const auto made = registry.family<Histogram>({"h", "", "", {}, ""}, nullptr);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(), "metric family h: a histogram needs a bucket layout");
}

TEST(Registry, P8_IllegalNamesAreRefused) {
  Registry registry;
  for (const char* name : {"", "1a", "a-b", "a b", "a\n", "gr\u00fc\u00dfe"}) {
    EXPECT_THAT(refusal<Counter>(registry, {name, "", "", {}, ""}), HasSubstr("must match [a-zA-Z_:]")) << name;
  }
  for (const char* label : {"", "1a", "a-b", "a:b", "__name__"}) {
    EXPECT_THAT(refusal<Counter>(registry, {"a", "", "", {label}, ""}),
                HasSubstr("label name \"" + std::string(label)));
  }
  EXPECT_EQ(refusal<Counter>(registry, {"_a:b9", "", "", {"_a9"}, ""}), "");
}

TEST(Registry, LabelsAreNeitherReservedNorRepeated) {
  Registry registry;
  const auto histogram = registry.family<Histogram>({"h", "", "", {"le"}, ""}, layout({1}));
  ASSERT_FALSE(histogram);
  EXPECT_EQ(histogram.error().message(), "metric family h: label name \"le\" is reserved in a histogram family");
  EXPECT_FALSE(registry.family<GaugeHistogram>({"h", "", "", {"le"}, ""}, layout({1})));
  EXPECT_THAT(refusal<Summary>(registry, {"s", "", "", {"quantile"}, ""}), HasSubstr("\"quantile\" is reserved"));
  EXPECT_THAT(refusal<StateSet>(registry, {"mode", "", "", {"mode"}, ""}), HasSubstr("\"mode\" is the label of"));
  EXPECT_THAT(refusal<Counter>(registry, {"a", "", "", {"x", "y", "x"}, ""}), HasSubstr("\"x\" is given twice"));
  EXPECT_THAT(refusal<Counter>(registry, {"a", "", "", {"x"}, "y"}),
              HasSubstr("fold label \"y\" is none of its labels"));
  EXPECT_EQ(refusal<Counter>(registry, {"a", "", "", {"le", "quantile"}, ""}), "");
}

TEST(Registry, TheUnitIsTheNamesSuffix) {
  Registry registry;
  EXPECT_THAT(refusal<Gauge>(registry, {"a", "", "seconds", {}, ""}), HasSubstr("must end in its unit, \"_seconds\""));
  EXPECT_NE(refusal<Gauge>(registry, {"_seconds", "", "seconds", {}, ""}), "");
  EXPECT_THAT(refusal<Info>(registry, {"a_bytes", "", "bytes", {}, ""}), HasSubstr("has no unit"));
  EXPECT_EQ(refusal<Gauge>(registry, {"a_seconds", "", "seconds", {}, ""}), "");
}

TEST(Registry, FamilyNamesHaveNoSampleSuffix) {
  Registry registry;
  EXPECT_THAT(refusal<Counter>(registry, {"a_total", "", "", {}, ""}), HasSubstr("must not end in \"_total\""));
  EXPECT_THAT(refusal<Info>(registry, {"a_info", "", "", {}, ""}), HasSubstr("must not end in \"_info\""));
}

TEST(Registry, SamplesOfTwoFamiliesNeverShareAName) {
  Registry registry;
  ASSERT_TRUE(registry.family<Counter>({"x", "", "", {}, ""}));
  EXPECT_EQ(refusal<Gauge>(registry, {"x_total", "", "", {}, ""}),
            "metric family x_total: its sample \"x_total\" would also be one of the counter family x");
  EXPECT_NE(refusal<Gauge>(registry, {"x_created", "", "", {}, ""}), "");
  EXPECT_EQ(refusal<Gauge>(registry, {"x_count", "", "", {}, ""}), "");

  ASSERT_TRUE(registry.family<Gauge>({"y_sum", "", "", {}, ""}));
  EXPECT_THAT(refusal<Summary>(registry, {"y", "", "", {}, ""}), HasSubstr("its sample \"y_sum\""));
  ASSERT_TRUE(registry.family<Summary>({"z_count", "", "", {}, ""}));
  EXPECT_NE(refusal<Summary>(registry, {"z", "", "", {}, ""}), "");
}

}  // namespace
}  // namespace connscope::metrics
