// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <utility>

#include "agent/metrics/registry.h"
#include "exporters/encoder.h"
#include "exporters/prometheus_text.h"

namespace connscope::exporters {
namespace {

class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    auto* connects = registry_.family<metrics::Counter>({"connects", "", "", {"outcome", "process"}, ""}).value();
    connects->with({"ok", "ui"}).value();
    connects->with({"ok", "db"}).value();
    auto* waits =
        registry_
            .family<metrics::Histogram>({"waits", "", "", {"process"}, ""}, metrics::BucketLayout::create({}).value())
            .value();
    waits->with({"db"}).value();
    registry_.family<metrics::Gauge>({"busy", "", "", {}, ""}).value()->with({}).value();
  }

  std::string text(Selection selection) const {
    std::string out;
    PrometheusTextEncoder().encode(*registry_.snapshot(), selection, out);
    return out;
  }

  static constexpr const char* kUi = "# TYPE connects_total counter\nconnects_total{outcome=\"ok\",process=\"ui\"} 0\n";
  static constexpr const char* kWaits =
      "# TYPE waits histogram\nwaits_bucket{process=\"db\",le=\"+Inf\"} 0\nwaits_sum{process=\"db\"} 0\n"
      "waits_count{process=\"db\"} 0\n";
  static constexpr const char* kBusy = "# TYPE busy gauge\nbusy 0\n";
  metrics::Registry registry_;
};

TEST_F(SelectionTest, NothingAskedForIsEverything) {
  const std::string all = text({});
  EXPECT_NE(all.find("process=\"ui\""), std::string::npos);
  EXPECT_NE(all.find(kWaits), std::string::npos);
  EXPECT_NE(all.find(kBusy), std::string::npos);
}

TEST_F(SelectionTest, L15_APrefixShowsItsSeriesAndNothingOfTheOthers) {
  EXPECT_EQ(text({{"ui"}, {}}), kUi);
  EXPECT_EQ(text({{"u*", "nobody"}, {}}), kUi);
  EXPECT_EQ(text({{"nobody"}, {}}), "");
}

TEST_F(SelectionTest, SaysHowManySeriesItLeavesOutAndBecauseOfWhat) {
  const auto left_out = [&](const Selection& selection) {
    const auto counts = selection.left_out(*registry_.snapshot());
    return std::pair(counts.by_name, counts.by_prefix);
  };
  EXPECT_EQ(left_out({}), std::pair(0UL, 0UL));
  EXPECT_EQ(left_out({{"ui"}, {}}), std::pair(0UL, 3UL)) << "busy has no process";
  EXPECT_EQ(left_out({{}, {"connects"}}), std::pair(2UL, 0UL));
  EXPECT_EQ(left_out({{"d*"}, {"connects_total", "busy"}}), std::pair(1UL, 2UL));
}

TEST_F(SelectionTest, NamesAreThoseOfFamiliesAndOfSamples) {
  EXPECT_EQ(text({{}, {"busy"}}), kBusy);
  EXPECT_EQ(text({{}, {"waits"}}), kWaits);
  EXPECT_EQ(text({{}, {"waits_bucket"}}), kWaits);
  EXPECT_EQ(text({{}, {"*_sum"}}), kWaits);
  EXPECT_EQ(text({{}, {"busy", "wait*"}}), std::string(kBusy) + kWaits);
  EXPECT_EQ(text({{}, {"busy_total"}}), "");
}

TEST_F(SelectionTest, BothNarrow) {
  EXPECT_EQ(text({{"ui"}, {"connects_total"}}), kUi);
  EXPECT_EQ(text({{"ui"}, {"waits"}}), "");
}

class CollectorSelectionTest : public testing::Test {
 protected:
  CollectorSelectionTest() {
    add("node_load1", "loadavg", {});
    add("node_up", "netclass", {});
    add("node_scrape_collector_success", "", {"collector"});
    add("conn_other", "", {});
  }
  void add(const char* name, const char* collector, std::vector<std::string> labels) {
    auto descriptor = std::make_shared<metrics::FamilyDescriptor>();
    descriptor->name = name;
    descriptor->collector = collector;
    descriptor->label_names = std::move(labels);
    metrics::FamilySnapshot family{descriptor, metrics::MetricType::kGauge, {}};
    for (const char* value : {"loadavg", "netclass"}) {
      std::vector<std::string> values;
      if (!descriptor->label_names.empty()) values.emplace_back(value);
      family.samples.push_back({std::make_shared<const std::vector<std::string>>(values), metrics::GaugeValue{1U}});
      if (values.empty()) break;
    }
    snapshot_.families.push_back(std::move(family));
  }
  std::string text(Selection selection) const {
    std::string out;
    PrometheusTextEncoder().encode(snapshot_, selection, out);
    return out;
  }
  metrics::Snapshot snapshot_;
};

TEST_F(CollectorSelectionTest, OnlyTheCollectorsThatAreAskedFor) {
  Selection selection;
  selection.collectors = {"loadavg"};
  EXPECT_EQ(text(selection),
            "# TYPE node_load1 gauge\nnode_load1 1\n# TYPE node_scrape_collector_success gauge\n"
            "node_scrape_collector_success{collector=\"loadavg\"} 1\n");
}

TEST_F(CollectorSelectionTest, AllButThoseThatAreExcluded) {
  Selection selection;
  selection.without_collectors = {"loadavg"};
  EXPECT_EQ(text(selection),
            "# TYPE node_up gauge\nnode_up 1\n# TYPE node_scrape_collector_success gauge\n"
            "node_scrape_collector_success{collector=\"netclass\"} 1\n# TYPE conn_other gauge\nconn_other 1\n");
}

}  // namespace
}  // namespace connscope::exporters
