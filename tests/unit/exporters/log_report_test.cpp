// SPDX-License-Identifier: Apache-2.0
#include "exporters/log_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/exporters/reports.h"

namespace connscope::exporters {
namespace {

using namespace test;
using ::testing::ElementsAre;

std::vector<std::string> lines_of(const Report& report) {
  std::vector<std::string> lines;
  append_report(report, lines);
  return lines;
}

std::vector<std::string> lines_of(metrics::ReportedMetric metric) { return lines_of(report_of({std::move(metric)})); }

TEST(LogReport, L27_GoldenLines) {
  EXPECT_THAT(lines_of(metric_of("", "n.cn.dns", "seconds", distribution_of({4, 0.015168, 0.00247, 0.005426}))),
              ElementsAre("n.cn.dns: Go: 4, mean: 3.792ms, min: 2.470ms, max: 5.426ms"));
  EXPECT_THAT(lines_of(metric_of("", "vh.le_via_isrg.rx", "bytes", Sum{22, std::uint64_t{28841}})),
              ElementsAre("vh.le_via_isrg.rx: Go: (22) 28.165Ki"));
  EXPECT_THAT(lines_of(metric_of("", "vh.le_via_isrg.tx", "bytes", Sum{1, std::uint64_t{267}})),
              ElementsAre("vh.le_via_isrg.tx: Go: (1) 267"));
  EXPECT_THAT(lines_of(metric_of("", "n.cn.failures", "", outcomes_of({{"dns/nxdomain", 8}}))),
              ElementsAre("n.cn.failures{dns=\"nxdomain\"} 8"));
}

TEST(LogReport, L7_TimeAtWorkAgainstTheWallClock) {
  EXPECT_THAT(lines_of(metric_of("", "cpu.svc", "seconds", Sum{3, 0.137045})),
              ElementsAre("cpu.svc: 137.045ms / 884.563ms (15%)"));
}

TEST(LogReport, NoGoStandsBesideGoAndAlone) {
  EXPECT_THAT(lines_of(metric_of("ui", "n.cn.tcp", "seconds", distribution_of({1, 0.02, 0.02, 0.02}, {2, 3, 1, 2}),
                                 {{"ip_family", "ipv4"}})),
              ElementsAre("ui.n.cn.tcp{ip_family=\"ipv4\"}: Go: 1, mean: 20.000ms, min: 20.000ms, max: 20.000ms, "
                          "NoGo: 2, mean: 1.500s, min: 1.000s, max: 2.000s"));
  EXPECT_THAT(lines_of(metric_of("ui", "n.cn.tcp", "seconds", distribution_of({}, {1, 0.0005, 0.0005, 0.0005}))),
              ElementsAre("ui.n.cn.tcp: NoGo: 1, mean: 500us, min: 500us, max: 500us"));
}

TEST(LogReport, L22_AReportOfZero) {
  EXPECT_THAT(lines_of(report_of({metric_of("ui", "n.cn.tcp", "seconds", distribution_of({})),
                                  metric_of("ui", "n.cn.failures", "", OutcomeHistogram()),
                                  metric_of("ui", "app.x", "", Sum())})),
              ElementsAre("ui.n.cn.tcp: Go: 0", "ui.n.cn.failures 0", "ui.app.x: Go: (0) 0"));
}

TEST(LogReport, GaugesAndPlainNumbersStandAsTheyAre) {
  EXPECT_THAT(lines_of(report_of({metric_of("ui", "n.cn.tcp.open_connections", "", Level{std::uint64_t{5}}),
                                  metric_of("ui", "x", "", Level{-0.25}), metric_of("ui", "y", "seconds", Level{-90.0}),
                                  metric_of("ui", "z", "seconds", Level{std::nan("")}),
                                  metric_of("ui", "app.x", "", Sum{3, std::uint64_t{18446744073709551615U}})})),
              ElementsAre("ui.n.cn.tcp.open_connections: 5", "ui.x: -0.25", "ui.y: -1.500min", "ui.z: NaN",
                          "ui.app.x: Go: (3) 18446744073709551615"));
}

TEST(LogReport, L20_OutliersHaveTheirDetail) {
  Report report = report_of({});
  report.outliers = {outlier()};
  report.outliers_left_out = 7;
  EXPECT_THAT(lines_of(report),
              ElementsAre("ui.n.cn.tcp: outlier: 100.000ms, mean: 1.000ms, pid: 4711, peer: 192.0.2.1:443, host: "
                          "db\\nexample",
                          "policy p: 7 more outliers"));
}

TEST(LogReport, HostileTextStaysOnItsLine) {
  const auto lines = lines_of(metric_of("a\nb", "app.x", "", Sum{1, std::uint64_t{1}}, {{"k", "\"}\n\\\xff"}}));
  EXPECT_THAT(lines, ElementsAre("a\\nb.app.x{k=\"\\\"}\\n\\\\\xEF\xBF\xBD\"}: Go: (1) 1"));
}

TEST(LogReport, TheExporterHandsEachLineToTheLog) {
  std::vector<std::string> logged;
  const auto document = config::Document::parse("", "c.toml").value();
  const auto exporter =
      make_log_exporter(document.root(), {[&logged](std::string_view line) { logged.emplace_back(line); }});
  const Sent sent = exporter->send(report_of({metric_of("ui", "app.x", "", Sum{1, std::uint64_t{1}})}));
  EXPECT_TRUE(sent.status);
  EXPECT_THAT(logged, ElementsAre("ui.app.x: Go: (1) 1"));
  EXPECT_EQ(sent.bytes, logged[0].size());
}

}  // namespace
}  // namespace connscope::exporters
