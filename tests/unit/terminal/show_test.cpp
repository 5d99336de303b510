// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/show.h"

#include <gmock/gmock.h>

namespace connscope::terminal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Series timing(const std::string& outcome, std::uint64_t count, double seconds, const std::string& family = "ip4") {
  Series series;
  series.id = "curl.n.cn.tcp";
  series.family = "conn_tcp_connect_duration_seconds";
  series.type = "histogram";
  series.unit = "seconds";
  series.labels = {{"process", "curl"}, {"ip_family", family}, {"outcome", outcome}};
  series.distribution.emplace();
  series.distribution->add_bucket(seconds / 2, seconds, count);
  series.distribution->add_sum(seconds * static_cast<double>(count));
  return series;
}

Series value(const std::string& type, std::uint64_t number) {
  Series series;
  series.id = "curl.n.cn.failures";
  series.family = "conn_failures";
  series.type = type;
  series.labels = {{"process", "curl"}, {"stage", "tcp"}, {"reason", "re\x1b\"fused"}, {"netns", ""}};
  series.value = metrics::Number(number);
  return series;
}

TEST(Show, OutcomesOfAMetricAreOneRow) {
  const auto rows = rows_of({timing("ok", 9, 0.001), timing("fail", 1, 1), timing("eai_again", 2, 8)});
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_THAT(tables_of(rows), ElementsAre("METRIC         LABELS           GO  NO-GO    MEAN    MIN     MAX",  //
                                           "curl.n.cn.tcp  ip_family=\"ip4\"   9      3  1.00ms  500µs  1.00ms"));
}

TEST(Show, WhereNothingSucceededTheFailuresAreTimed) {
  EXPECT_THAT(tables_of(rows_of({timing("ok", 0, 0.001), timing("fail", 2, 1)})),
              ElementsAre("METRIC         LABELS           GO  NO-GO   MEAN    MIN    MAX",  //
                          "curl.n.cn.tcp  ip_family=\"ip4\"   0      2  1.00s  500ms  1.00s"));
}

TEST(Show, ValuesHaveATableOfTheirOwn) {
  const auto lines = tables_of(rows_of({timing("ok", 1, 0.25), value("counter", 1234567)}));
  EXPECT_THAT(lines, ElementsAre("METRIC         LABELS           GO  NO-GO   MEAN    MIN    MAX",    //
                                 "curl.n.cn.tcp  ip_family=\"ip4\"   1         250ms  250ms  250ms",  //
                                 "",                                                                  //
                                 "METRIC              LABELS                               VALUE",    //
                                 "curl.n.cn.failures  stage=\"tcp\",reason=\"re\\x1b\"fused\"  1234567"));
}

TEST(Show, NoNameControlsTheTerminal) {
  Series hostile = value("counter", 1);
  hostile.id = "x\x1b[2J";
  hostile.labels = {
      {"re\x7f"
       "ason\x1b[2J",
       "y"}};
  EXPECT_THAT(tables_of(rows_of({hostile}))[1], ::testing::HasSubstr("x\\x1b[2J"));
  EXPECT_THAT(tables_of(rows_of({hostile}))[1], ::testing::HasSubstr("re\\x7fason\\x1b[2J=\"y\""));
}

TEST(Show, IdleIsWhatIsZeroAndNoGauge) {
  EXPECT_TRUE(rows_of({timing("ok", 0, 1)})[0].is_idle());
  EXPECT_FALSE(rows_of({timing("fail", 1, 1)})[0].is_idle());
  EXPECT_TRUE(rows_of({value("counter", 0)})[0].is_idle());
  EXPECT_FALSE(rows_of({value("gauge", 0)})[0].is_idle());
}

TEST(Show, DrawsAMetricOverAllItsLabels) {
  const auto rows = rows_of({timing("ok", 3, 1, "ip4"), timing("fail", 1, 1, "ip6"), value("counter", 1)});
  EXPECT_THAT(drawings_of(rows, {30, 20, false}),
              ElementsAre("curl.n.cn.tcp: 4, mean 1.00s, p50 1.00s, p95 1.00s, p99 1.00s",  //
                          "<= 1.00s |################## 4"));
  EXPECT_THAT(drawings_of({}, {30, 20, false}), IsEmpty());
}

}  // namespace
}  // namespace connscope::terminal
