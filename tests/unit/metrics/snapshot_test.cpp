// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/metrics/registry.h"

namespace connscope::metrics {
namespace {

using testing::ElementsAre;

WallTime noon() { return WallTime(std::chrono::hours(12)); }

RegistryLimits at_noon() {
  RegistryLimits limits;
  limits.now = noon;
  return limits;
}

TEST(Snapshot, FamiliesComeByNameAndSeriesByFirstUse) {
  Registry registry(at_noon());
  for (const char* name : {"b", "c", "a"}) {
    auto* family = registry.family<Gauge>({name, "", "", {"x"}, ""}).value();
    for (const char* value : {"2", "1", "3"}) ASSERT_TRUE(family->with({value}));
  }
  const auto snapshot = registry.snapshot();
  std::string names;
  for (const auto& family : snapshot->families) names += family.descriptor->name;
  EXPECT_EQ(names, "abc");
  std::string values;
  for (const auto& sample : snapshot->families[0].samples) values += sample.label_values->front();
  EXPECT_EQ(values, "213");
  EXPECT_EQ(snapshot->taken_at, noon());
}

TEST(Snapshot, StaysAsItWas) {
  Registry registry(at_noon());
  auto* family = registry.family<Histogram>({"a", "", "", {"x"}, ""}, BucketLayout::create({1}).value()).value();
  family->with({"1"}).value()->observe(0.5);
  const auto before = registry.snapshot();
  family->with({"1"}).value()->observe(0.5);
  family->clear();

  ASSERT_EQ(before->families[0].samples.size(), 1U);
  const Sample& sample = before->families[0].samples[0];
  EXPECT_THAT(*sample.label_values, ElementsAre("1"));
  EXPECT_THAT(std::get<HistogramValue>(sample.value).counts, ElementsAre(1, 0));
  EXPECT_TRUE(registry.snapshot()->families[0].samples.empty());
}

TEST(Snapshot, OutlivesItsRegistry) {
  SnapshotPtr snapshot;
  {
    Registry registry(at_noon());
    registry.family<Counter>({"a", "Help.", "", {"x"}, ""}).value()->with({"1"}).value()->add(std::uint64_t{7});
    snapshot = registry.snapshot();
  }
  EXPECT_EQ(snapshot->families[0].descriptor->help, "Help.");
  const auto& value = std::get<CounterValue>(snapshot->families[0].samples[0].value);
  EXPECT_EQ(value.total, Number(std::uint64_t{7}));
  EXPECT_EQ(value.created, noon()) << "P6: the time of the registry's clock";
}

TEST(MetricType, HasOpenMetricsNames) {
  EXPECT_STREQ(to_string(MetricType::kUnknown), "unknown");
  EXPECT_STREQ(to_string(MetricType::kGauge), "gauge");
  EXPECT_STREQ(to_string(MetricType::kCounter), "counter");
  EXPECT_STREQ(to_string(MetricType::kStateSet), "stateset");
  EXPECT_STREQ(to_string(MetricType::kInfo), "info");
  EXPECT_STREQ(to_string(MetricType::kHistogram), "histogram");
  EXPECT_STREQ(to_string(MetricType::kGaugeHistogram), "gaugehistogram");
  EXPECT_STREQ(to_string(MetricType::kSummary), "summary");
}

}  // namespace
}  // namespace connscope::metrics
