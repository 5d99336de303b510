// SPDX-License-Identifier: Apache-2.0
//
// Byte for byte what a StatsD server gets.
#include "exporters/statsd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/unit/exporters/reports.h"

namespace connscope::exporters {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Encoded {
  std::vector<std::string> packets;
  std::uint64_t refused = 0;
};

Encoded encode(const Report& report, const StatsdStyle& style = {}, std::size_t max_bytes = 65000) {
  Encoded made;
  PacketWriter packets(max_bytes, [&made](std::string_view packet) {
    made.packets.emplace_back(packet);
    return Status();
  });
  made.refused = encode_statsd(report, style, packets);
  packets.flush();
  made.refused += packets.refused();
  return made;
}

std::string text_of(metrics::ReportedMetric metric, const StatsdStyle& style = {}, bool accumulated = false) {
  const Encoded made = encode(report_of({std::move(metric)}, accumulated), style);
  return made.packets.empty() ? "" : made.packets[0];
}

const StatsdStyle kDogStatsd{StatsdTags::kDogStatsd, ""};

metrics::ReportedMetric connects() {
  return metric_of("ui", "n.cn.tcp", "seconds", distribution_of({4, 0.5, 0.0625, 0.25}, {1, 2, 2, 2}),
                   {{"ip_family", "ipv4"}});
}

TEST(Statsd, P18_NoGoStandsBesideGoWithLabelsInThePath) {
  EXPECT_EQ(text_of(connects()),
            "ui.n.cn.tcp.ip_family.ipv4.go.count:4|c\n"
            "ui.n.cn.tcp.ip_family.ipv4.go.sum:0.5|c\n"
            "ui.n.cn.tcp.ip_family.ipv4.go.mean:0.125|g\n"
            "ui.n.cn.tcp.ip_family.ipv4.go.min:0.0625|g\n"
            "ui.n.cn.tcp.ip_family.ipv4.go.max:0.25|g\n"
            "ui.n.cn.tcp.ip_family.ipv4.no_go.count:1|c\n"
            "ui.n.cn.tcp.ip_family.ipv4.no_go.sum:2|c\n"
            "ui.n.cn.tcp.ip_family.ipv4.no_go.mean:2|g\n"
            "ui.n.cn.tcp.ip_family.ipv4.no_go.min:2|g\n"
            "ui.n.cn.tcp.ip_family.ipv4.no_go.max:2|g");
}

TEST(Statsd, P18_OrAsTagsOfDogStatsd) {
  const std::string text = text_of(connects(), kDogStatsd);
  EXPECT_EQ(text.substr(0, text.find('\n')), "ui.n.cn.tcp.go.count:4|c|#ip_family:ipv4");
  EXPECT_EQ(text_of(metric_of("ui", "app.x", "", Sum{1, std::uint64_t{3}}), kDogStatsd), "ui.app.x:3|c");
}

TEST(Statsd, L18_L19_ASumIsOneLineAndWhatCannotFailHasNoNoGo) {
  EXPECT_EQ(text_of(metric_of("web", "vh.client.rx", "bytes", Sum{9, std::uint64_t{1} << 60U})),
            "web.vh.client.rx:1152921504606846976|c");
  const std::string text = text_of(metric_of("ui", "w", "seconds", distribution_of({1, 1, 1, 1})));
  EXPECT_EQ(text.find("no_go"), std::string::npos);
}

TEST(Statsd, OutcomesAreCountersByStageAndReason) {
  const auto failures = metric_of("ui", "n.cn.failures", "", outcomes_of({{"dns/nxdomain", 8}, {"tls/expired", 2}}),
                                  {{"role", "client"}});
  EXPECT_EQ(text_of(failures),
            "ui.n.cn.failures.role.client.dns.nxdomain:8|c\nui.n.cn.failures.role.client.tls.expired:2|c");
  EXPECT_EQ(text_of(failures, kDogStatsd),
            "ui.n.cn.failures:8|c|#role:client,stage:dns,reason:nxdomain\n"
            "ui.n.cn.failures:2|c|#role:client,stage:tls,reason:expired");
}

TEST(Statsd, P18_ANegativeGaugeIsPrecededByZero) {
  EXPECT_EQ(text_of(metric_of("ui", "x", "", Level{-2.5})), "ui.x:0|g\nui.x:-2.5|g");
  EXPECT_EQ(text_of(metric_of("ui", "x", "", Level{-2.5}, {{"a", "b"}}), kDogStatsd),
            "ui.x:0|g|#a:b\nui.x:-2.5|g|#a:b");
  EXPECT_EQ(text_of(metric_of("ui", "x", "", Level{0.0})), "ui.x:0|g");
  EXPECT_EQ(text_of(metric_of("ui", "x", "", distribution_of({2, -1, -3, 2}))),
            "ui.x.go.count:2|c\nui.x.go.sum:-1|c\nui.x.go.mean:0|g\nui.x.go.mean:-0.5|g\nui.x.go.min:0|g\n"
            "ui.x.go.min:-3|g\nui.x.go.max:2|g");
}

TEST(Statsd, TheZeroAndItsGaugeAreNeverInTwoPackets) {
  std::vector<metrics::ReportedMetric> gauges;
  for (int i = 0; i < 40; ++i) gauges.push_back(metric_of("ui", "gauge_" + std::to_string(i), "", Level{-1.5}));
  for (std::size_t max_bytes = 40; max_bytes < 120; ++max_bytes) {
    for (const std::string& packet : encode(report_of(gauges), {}, max_bytes).packets) {
      EXPECT_LE(packet.size(), max_bytes);
      const auto zeros = [&packet] {
        std::size_t count = 0;
        for (std::size_t at = packet.find(":0|g"); at != std::string::npos; at = packet.find(":0|g", at + 1)) ++count;
        return count;
      }();
      std::size_t values = 0;
      for (std::size_t at = packet.find(":-1.5|g"); at != std::string::npos; at = packet.find(":-1.5|g", at + 1))
        ++values;
      EXPECT_EQ(zeros, values) << packet;
    }
  }
}

TEST(Statsd, L17_WhatAccumulatesIsAGauge) {
  EXPECT_EQ(text_of(metric_of("ui", "app.x", "", Sum{2, std::uint64_t{10}}), {}, true), "ui.app.x:10|g");
  EXPECT_EQ(text_of(metric_of("ui", "n.cn.failures", "", outcomes_of({{"dns/nxdomain", 8}})), {}, true),
            "ui.n.cn.failures.dns.nxdomain:8|g");
}

TEST(Statsd, L22_AReportOfZero) {
  EXPECT_EQ(text_of(metric_of("ui", "n.cn.tcp", "seconds", distribution_of({}))), "ui.n.cn.tcp.go.count:0|c");
  EXPECT_EQ(text_of(metric_of("ui", "n.cn.failures", "", OutcomeHistogram())), "ui.n.cn.failures:0|c");
}

TEST(Statsd, HostileNamesBreakNoLine) {
  const auto hostile = metric_of("a.b:c|d@e#f\ng\xff", "app.x y", "", Sum{1, std::uint64_t{1}},
                                 {{"tag", "v:1|c\nother:1|c.x\xff\xc3\xbc,\x7f"}});
  EXPECT_EQ(text_of(hostile), "a_b_c_d_e_f_g_.app.x_y.tag.v_1_c_other_1_c_x_____:1|c");
  EXPECT_EQ(text_of(hostile, kDogStatsd), "a_b_c_d_e_f_g_.app.x_y:1|c|#tag:v:1_c_other:1_c.x_\xc3\xbc__");
}

TEST(Statsd, WhatALineCannotSayIsCounted) {
  const double inf = std::numeric_limits<double>::infinity();
  const Encoded made = encode(report_of({metric_of("ui", "a", "", Level{std::nan("")}),
                                         metric_of("ui", "b", "", Level{-inf}), metric_of("ui", "c", "", Level{1.5})}));
  EXPECT_THAT(made.packets, ElementsAre("ui.c:1.5|g"));
  EXPECT_EQ(made.refused, 2U);
}

TEST(Statsd, ANameThatIsTooLongIsRefusedNotCut) {
  const Encoded made =
      encode(report_of({metric_of(std::string(300, 'a'), "x", "", Sum{1, std::uint64_t{1}})}), {}, 256);
  EXPECT_THAT(made.packets, IsEmpty());
  EXPECT_EQ(made.refused, 1U);
}

TEST(Statsd, P17_AHundredUpdatesLeaveInOnePacketUpToTheMtu) {
  std::vector<metrics::ReportedMetric> counters;
  for (int i = 0; i < 100; ++i)
    counters.push_back(metric_of("", "c" + std::to_string(i), "", Sum{1, std::uint64_t{1}}));
  EXPECT_THAT(encode(report_of(counters), {}, 1432).packets, SizeIs(1));
  const auto split = encode(report_of(counters), {}, 400).packets;
  EXPECT_THAT(split, SizeIs(2));
  std::size_t lines = split.size();
  for (const std::string& packet : split) {
    EXPECT_LE(packet.size(), 400U);
    lines += static_cast<std::size_t>(std::count(packet.begin(), packet.end(), '\n'));
  }
  EXPECT_EQ(lines, 100U);
}

TEST(Statsd, OutliersAreCounted) {
  Report report = report_of({});
  report.outliers = {outlier(), outlier()};
  EXPECT_THAT(encode(report, {StatsdTags::kPath, "web1."}).packets, ElementsAre("web1.ui.n.cn.tcp.outliers:2|c"));
}

}  // namespace
}  // namespace connscope::exporters
