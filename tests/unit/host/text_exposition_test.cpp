// SPDX-License-Identifier: Apache-2.0
#include "agent/host/text_exposition.h"

#include <gtest/gtest.h>

#include "exporters/prometheus_text.h"

namespace connscope::host {
namespace {

std::string again(std::string_view text) {
  auto families = parse_text_exposition(text);
  if (!families) return families.error().message();
  std::string out;
  metrics::Snapshot snapshot;
  snapshot.families = std::move(*families);
  exporters::PrometheusTextEncoder().encode(snapshot, {}, out);
  return out;
}

TEST(TextExposition, ServesWhatItWasGiven) {
  const std::string text =
      "# HELP a_total Of a.\n# TYPE a_total counter\na_total{x=\"1\"} 3\na_total{x=\"a \\\"b\\\" \\\\ \\n\"} 4\n"
      "# TYPE b gauge\nb -Inf\n"
      "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n"
      "# TYPE s summary\ns{quantile=\"0.5\"} 7\ns_sum 9\ns_count 2\n"
      "# TYPE u untyped\nu 1\n";
  EXPECT_EQ(again(text), text);
}

TEST(TextExposition, ACounterWithoutItsSuffixKeepsItsName) {
  EXPECT_EQ(again("# TYPE jobs counter\njobs 3\n"), "# TYPE jobs untyped\njobs 3\n");
}

TEST(TextExposition, SeriesOfAFamilyMayHaveDifferentLabels) {
  EXPECT_EQ(again("x{b=\"1\"} 1\nx{a=\"2\"} 2\nx 3\n"), "# TYPE x untyped\nx{b=\"1\"} 1\nx{a=\"2\"} 2\nx 3\n");
}

TEST(TextExposition, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(again("a 1\nb x\n"), "line 2: the value of b is no number");
  EXPECT_EQ(again("a 1 1700000000000\n"), "line 1: a has a time, or more than a value");
  EXPECT_EQ(again("a{b=\"c} 1\n"), "line 1: the value of label b is not in quotes");
  EXPECT_EQ(again("a{b=\"c\" d=\"e\"} 1\n"), "line 1: label b is followed by neither \",\" nor \"}\"");
  EXPECT_EQ(again("a{b=\"1\",b=\"2\"} 1\n"), "line 1: label b is given twice");
  EXPECT_EQ(again("a{__b=\"1\"} 1\n"), "line 1: \"__b\" is no label name");
  EXPECT_EQ(again("a-b 1\n"), "line 1: \"a-b\" is no metric name");
  EXPECT_EQ(again("a{x=\"\xff\"} 1\n"), "line 1: the value of label x is not UTF-8");
  EXPECT_EQ(again("# TYPE a number\n"), "line 1: \"number\" is no type");
  EXPECT_EQ(again("a 1\n# TYPE a gauge\n"), "line 2: the type of a comes too late");
  EXPECT_EQ(again("a{x=\"1\"} 1\na{x=\"1\"} 2\n"), "a: a series is there twice");
  EXPECT_EQ(again("a{x=\"\"} 1\na 2\n"), "a: a series is there twice");
  EXPECT_EQ(again("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"), "h: its bucket +Inf lacks");
  EXPECT_EQ(again("# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
            "h: its buckets do not rise");
  EXPECT_EQ(again("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n"), "h: its sum or its count lacks");
}

}  // namespace
}  // namespace connscope::host
