// SPDX-License-Identifier: Apache-2.0
#include "agent/host/table.h"

#include <gtest/gtest.h>

#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"

namespace connscope::host {
namespace {

std::string text_of(const Table& table) {
  metrics::Snapshot snapshot;
  table.append(snapshot.families);
  std::string text;
  exporters::PrometheusTextEncoder().encode(snapshot, {}, text);
  return text;
}

class TableTest : public ::testing::Test {
 protected:
  void read(const std::vector<std::string>& devices) {
    table_.begin();
    for (const auto& device : devices) {
      table_.row({device});
      table_.set(0, device.size());
    }
    table_.end();
  }
  Table table_{{"device"}, {{"size", ""}, {"reads_total", "", kCounter}}, "disks"};
};

TEST_F(TableTest, RowsThatAReadingLacksAreGone) {
  read({"a", "bb", "ccc"});
  read({"ccc", "a"});
  EXPECT_EQ(text_of(table_), "# TYPE size gauge\nsize{device=\"a\"} 1\nsize{device=\"ccc\"} 3\n");
}

TEST_F(TableTest, CellsThatAReadingLacksAreGone) {
  table_.begin();
  table_.row({"a"});
  table_.set(1, 5U);
  table_.end();
  EXPECT_EQ(text_of(table_), "# TYPE reads_total counter\nreads_total{device=\"a\"} 5\n");
  read({"a"});
  EXPECT_EQ(text_of(table_), "# TYPE size gauge\nsize{device=\"a\"} 1\n");
}

TEST_F(TableTest, ARowIsSaidToBeThereAlready) {
  table_.begin();
  EXPECT_TRUE(table_.row({"a"}));
  EXPECT_TRUE(table_.row({"b"}));
  EXPECT_FALSE(table_.row({"a"}));
}

TEST_F(TableTest, NamesThatDifferInStrayBytesAreOneSeries) {
  read({"x\xff", "x\xfe", "y"});
  read({"y", "x\xfe"});
  EXPECT_EQ(text_of(table_), "# TYPE size gauge\nsize{device=\"x\xEF\xBF\xBD\"} 2\nsize{device=\"y\"} 1\n");
}

TEST_F(TableTest, NegativeNumbersStayNegative) {
  table_.begin();
  table_.row({"a"});
  table_.set(0, -5);
  table_.end();
  EXPECT_EQ(text_of(table_), "# TYPE size gauge\nsize{device=\"a\"} -5\n");
}

TEST_F(TableTest, CountersOfTheKernelHaveNoTimeOfCreation) {
  table_.begin();
  table_.row({"a"});
  table_.set(1, 5U);
  metrics::Snapshot snapshot;
  table_.append(snapshot.families);
  std::string text;
  exporters::OpenMetricsEncoder("1.0.0").encode(snapshot, {}, text);
  EXPECT_EQ(text, "# TYPE reads counter\nreads_total{device=\"a\"} 5\n# EOF\n");
}

TEST_F(TableTest, SnapshotsShareTheLabels) {
  read({"a"});
  metrics::Snapshot one;
  metrics::Snapshot other;
  table_.append(one.families);
  table_.append(other.families);
  EXPECT_EQ(one.families[0].samples[0].label_values, other.families[0].samples[0].label_values);
}

TEST_F(TableTest, ColumnsOfTheKernelsOwnNamesAreMadeLegal) {
  table_.begin();
  table_.row({"a"});
  const auto make = [] { return Column{"node_x y-z", "", kUntyped}; };
  table_.set(table_.column_for("k", make), 1U);
  EXPECT_EQ(table_.column_for("k", make), 2U);
  EXPECT_EQ(text_of(table_), "# TYPE node_x_y_z untyped\nnode_x_y_z{device=\"a\"} 1\n");
}

}  // namespace
}  // namespace connscope::host
