// SPDX-License-Identifier: Apache-2.0
#include "exporters/openmetrics.h"

#include <gtest/gtest.h>

#include <limits>

#include "agent/metrics/registry.h"

namespace connscope::exporters {
namespace {

using metrics::BucketLayout;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

metrics::WallTime moment() { return metrics::WallTime(std::chrono::microseconds(1'700'000'000'000'000 + 7'999)); }

class OpenMetricsTest : public testing::Test {
 protected:
  std::string text() const {
    std::string out;
    OpenMetricsEncoder("1.0.0").encode(*registry_.snapshot(), {}, out);
    return out;
  }

  metrics::Registry registry_{{1000, moment}};
};

TEST_F(OpenMetricsTest, AnEmptySnapshotIsJustTheEnd) { EXPECT_EQ(text(), "# EOF\n"); }

TEST_F(OpenMetricsTest, FamiliesWithoutSeriesAreLeftOut) {
  ASSERT_TRUE(registry_.family<metrics::Counter>({"a", "Help.", "", {"x"}, ""}));
  EXPECT_EQ(text(), "# EOF\n");
}

TEST_F(OpenMetricsTest, P6_CreatedIsUnixTimeToTheMillisecond) {
  registry_.family<metrics::Counter>({"a_bytes", "Help.", "bytes", {"x"}, ""}).value()->with({"1"}).value();
  EXPECT_EQ(text(),
            "# TYPE a_bytes counter\n"
            "# UNIT a_bytes bytes\n"
            "# HELP a_bytes Help.\n"
            "a_bytes_total{x=\"1\"} 0\n"
            "a_bytes_created{x=\"1\"} 1700000000.007\n"
            "# EOF\n");
}

TEST_F(OpenMetricsTest, CreatedIsLeftOutWhenItWasNeverSet) {
  metrics::Registry registry({10, [] { return metrics::WallTime(); }});
  registry.family<metrics::Counter>({"a", "", "", {}, ""}).value()->with({}).value();
  std::string out;
  OpenMetricsEncoder("1.0.0").encode(*registry.snapshot(), {}, out);
  EXPECT_EQ(out, "# TYPE a counter\na_total 0\n# EOF\n");
}

TEST_F(OpenMetricsTest, P5_HistogramsAreCumulativeOverTheTextBounds) {
  const auto layout = BucketLayout::create({0.5, 1, 2, 4}, {1, 2}).value();
  auto* family = registry_.family<metrics::Histogram>({"h", "", "", {}, ""}, layout).value();
  for (const double value : {0.1, 0.7, 1.0, 3.0, 9.0}) family->with({}).value()->observe(value);
  EXPECT_EQ(text(),
            "# TYPE h histogram\n"
            "h_bucket{le=\"1.0\"} 3\n"
            "h_bucket{le=\"2.0\"} 3\n"
            "h_bucket{le=\"+Inf\"} 5\n"
            "h_count 5\n"
            "h_sum 13.8\n"
            "h_created 1700000000.007\n"
            "# EOF\n");
}

TEST_F(OpenMetricsTest, GaugeHistogramsHaveTheirOwnSuffixesAndNoCreated) {
  auto* family =
      registry_.family<metrics::GaugeHistogram>({"g", "", "", {}, ""}, BucketLayout::create({1}).value()).value();
  family->with({}).value()->observe(3);
  EXPECT_EQ(text(),
            "# TYPE g gaugehistogram\n"
            "g_bucket{le=\"1.0\"} 0\n"
            "g_bucket{le=\"+Inf\"} 1\n"
            "g_gcount 1\n"
            "g_gsum 3\n"
            "# EOF\n");
}

TEST_F(OpenMetricsTest, TargetInfoComesFirst) {
  registry_.family<metrics::Gauge>({"a", "", "", {}, ""}).value()->with({}).value()->set(1.0);
  registry_.family<metrics::Info>({"target", "", "", {}, ""}).value()->with({}).value()->set({{"env", "test"}});
  EXPECT_EQ(text(), "# TYPE target info\ntarget_info{env=\"test\"} 1\n# TYPE a gauge\na 1\n# EOF\n");
}

TEST_F(OpenMetricsTest, StatesAreLabelsNamedAsTheFamily) {
  auto* states = registry_.family<metrics::StateSet>({"mode", "", "", {"x"}, ""}).value()->with({""}).value();
  states->set("on", true);
  states->set("off", false);
  EXPECT_EQ(text(), "# TYPE mode stateset\nmode{mode=\"on\"} 1\nmode{mode=\"off\"} 0\n# EOF\n");
}

TEST_F(OpenMetricsTest, EmptyLabelsAreLeftOut) {
  auto* family = registry_.family<metrics::Gauge>({"a", "", "", {"x", "y", "z"}, ""}).value();
  family->with({"", "1", ""}).value();
  family->with({"", "", ""}).value();
  EXPECT_EQ(text(), "# TYPE a gauge\na{y=\"1\"} 0\na 0\n# EOF\n");
}

TEST_F(OpenMetricsTest, QuantilesThatTheSpecificationForbidsAreLeftOut) {
  auto* summary = registry_.family<metrics::Summary>({"s", "", "", {}, ""}).value()->with({}).value();
  summary->set_quantiles({{-0.1, 1}, {0.5, 2}, {0.9, -3}, {1.1, 4}, {kNan, 5}});
  EXPECT_EQ(text(), "# TYPE s summary\ns{quantile=\"0.5\"} 2\ns_count 0\ns_sum 0\ns_created 1700000000.007\n# EOF\n");
}

TEST_F(OpenMetricsTest, P9_ACounterThatIsNoCountIsLeftOut) {
  const auto values = std::make_shared<const std::vector<std::string>>();
  metrics::FamilySnapshot family;
  family.descriptor = std::make_shared<const metrics::FamilyDescriptor>(metrics::FamilyDescriptor{"c", "", "", {}, ""});
  family.type = metrics::MetricType::kCounter;
  family.samples = {{values, metrics::CounterValue{kNan, moment()}}, {values, metrics::CounterValue{-1.0, moment()}}};
  metrics::Snapshot snapshot;
  snapshot.families = {family};
  std::string out;
  OpenMetricsEncoder("1.0.0").encode(snapshot, {}, out);
  EXPECT_EQ(out, "# TYPE c counter\n# EOF\n");
}

TEST_F(OpenMetricsTest, AppendsToWhatIsThere) {
  std::string out = "before\n";
  OpenMetricsEncoder("1.0.0").encode(*registry_.snapshot(), {}, out);
  EXPECT_EQ(out, "before\n# EOF\n");
}

}  // namespace
}  // namespace connscope::exporters
