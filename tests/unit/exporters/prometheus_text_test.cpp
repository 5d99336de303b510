// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus_text.h"

#include <gtest/gtest.h>

#include "agent/metrics/registry.h"

namespace connscope::exporters {
namespace {

using metrics::BucketLayout;

class PrometheusTextTest : public testing::Test {
 protected:
  std::string text() const {
    std::string out;
    PrometheusTextEncoder().encode(*registry_.snapshot(), {}, out);
    return out;
  }

  metrics::Registry registry_;
};

TEST_F(PrometheusTextTest, AnEmptySnapshotIsEmpty) { EXPECT_EQ(text(), ""); }

TEST_F(PrometheusTextTest, TheSuffixOfACounterBelongsToItsName) {
  auto* family = registry_.family<metrics::Counter>({"a_bytes", "Say \"x\\y\".", "bytes", {"x"}, ""}).value();
  family->with({"1"}).value()->add(std::uint64_t{2});
  EXPECT_EQ(text(),
            "# HELP a_bytes_total Say \"x\\\\y\".\n"
            "# TYPE a_bytes_total counter\n"
            "a_bytes_total{x=\"1\"} 2\n");
}

TEST_F(PrometheusTextTest, InfoIsAGaugeOfItsOwnName) {
  registry_.family<metrics::Info>({"build", "", "", {}, ""}).value()->with({}).value()->set({{"version", "1"}});
  EXPECT_EQ(text(), "# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n");
}

TEST_F(PrometheusTextTest, StateSetIsAGaugeAndUnknownUntyped) {
  registry_.family<metrics::StateSet>({"mode", "", "", {}, ""}).value()->with({}).value()->set("on", true);
  registry_.family<metrics::Unknown>({"odd", "", "", {}, ""}).value()->with({}).value()->set(0.5);
  EXPECT_EQ(text(), "# TYPE mode gauge\nmode{mode=\"on\"} 1\n# TYPE odd untyped\nodd 0.5\n");
}

TEST_F(PrometheusTextTest, P5_BothHistogramsHaveInfSumAndCount) {
  const auto layout = BucketLayout::create({1}).value();
  registry_.family<metrics::GaugeHistogram>({"g", "", "", {}, ""}, layout).value()->with({}).value()->observe(-7);
  registry_.family<metrics::Histogram>({"h", "", "", {}, ""}, layout).value()->with({}).value()->observe(2);
  EXPECT_EQ(text(),
            "# TYPE g histogram\n"
            "g_bucket{le=\"1.0\"} 1\n"
            "g_bucket{le=\"+Inf\"} 1\n"
            "g_sum -7\n"
            "g_count 1\n"
            "# TYPE h histogram\n"
            "h_bucket{le=\"1.0\"} 0\n"
            "h_bucket{le=\"+Inf\"} 1\n"
            "h_sum 2\n"
            "h_count 1\n");
}

TEST_F(PrometheusTextTest, SummaryHasQuantiles) {
  auto* summary = registry_.family<metrics::Summary>({"s", "", "", {"x"}, ""}).value()->with({"1"}).value();
  summary->observe(3);
  summary->set_quantiles({{0.5, 3}});
  EXPECT_EQ(text(),
            "# TYPE s summary\ns{x=\"1\",quantile=\"0.5\"} 3\n"
            "s_sum{x=\"1\"} 3\ns_count{x=\"1\"} 1\n");
}

}  // namespace
}  // namespace connscope::exporters
