// SPDX-License-Identifier: Apache-2.0
//
// Byte for byte what a server gets of the hostile report. After a wanted change, what the test shows is the new file.
#include <gtest/gtest.h>

#include "agent/base/file.h"
#include "tests/unit/exporters/hostile_report.h"
#ifdef CONNSCOPE_WITH_GRAPHITE
#include "exporters/graphite.h"
#endif
#ifdef CONNSCOPE_WITH_INFLUXDB
#include "exporters/influxdb.h"
#endif

namespace connscope::exporters {
namespace {

using test::hostile_report;

[[maybe_unused]] void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = CONNSCOPE_SOURCE_DIR "/tests/fixtures/reports/hostile." + name + ".txt";
  const auto golden = read_file(path);
  ASSERT_TRUE(golden) << golden.error().message();
  EXPECT_EQ(text, *golden);
}

#ifdef CONNSCOPE_WITH_GRAPHITE
TEST(ReportGolden, P19_GraphiteWithLabelsInThePath) {
  std::string out;
  EXPECT_EQ(encode_graphite(hostile_report(), {false, "web1."}, out), 6U);
  expect_golden("graphite_path", out);
}

TEST(ReportGolden, P19_GraphiteWithTags) {
  std::string out;
  EXPECT_EQ(encode_graphite(hostile_report(), {true, ""}, out), 6U);
  expect_golden("graphite_tags", out);
}
#endif

#ifdef CONNSCOPE_WITH_INFLUXDB
TEST(ReportGolden, P20_InfluxDb) {
  std::string out;
  PacketWriter packets(1U << 20U, [&out](std::string_view packet) {
    out = std::string(packet) + "\n";
    return Status();
  });
  EXPECT_EQ(encode_influxdb(hostile_report(), packets), 6U);
  packets.flush();
  expect_golden("influxdb", out);
}
#endif

}  // namespace
}  // namespace connscope::exporters
