// SPDX-License-Identifier: Apache-2.0
//
// From two looks at the metrics to a page of `connscope top`.
#include "agent/terminal/page.h"

#include <gmock/gmock.h>

#include "agent/terminal/summary.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Series failures(const std::string& process, const std::string& stage, const std::string& reason, std::uint64_t count) {
  Series series;
  series.family = "conn_failures";
  series.labels = {{"process", process}, {"stage", stage}, {"reason", reason}};
  series.value = metrics::Number(count);
  return series;
}

Series durations(const std::string& family, const std::string& process, std::uint64_t count, double seconds) {
  Series series;
  series.family = family;
  series.labels = {{"process", process}};
  series.distribution.emplace();
  series.distribution->add_bucket(seconds / 2, seconds, count);
  series.distribution->add_sum(seconds * static_cast<double>(count));
  return series;
}

Fetched first_look() {
  return {1000.0,
          {failures("web", "tcp", "refused", 50), failures("mail", "dns", "nxdomain", 3),
           durations("conn_dns_lookup_duration_seconds", "mail", 3, 0.5),
           durations("conn_tcp_connect_duration_seconds", "web", 100, 0.001)}};
}

Fetched second_look() {
  return {1002.0,
          {failures("web", "tcp", "refused", 51), failures("web", "dns", "timeout", 1),
           failures("mail", "dns", "nxdomain", 9), failures("mail", "dns", "servfail", 2),
           durations("conn_dns_lookup_duration_seconds", "mail", 11, 0.5),
           durations("conn_dns_query_duration_seconds", "mail", 4, 0.25),
           durations("conn_tcp_connect_duration_seconds", "web", 100, 0.001),
           durations("conn_tcp_connect_duration_seconds", "mail", 2, 0.002)}};
}

TEST(Summary, CountsWhatHappenedSinceTheLastLook) {
  const Fetched before = first_look();
  const Summary summary = summarize(&before, second_look());
  EXPECT_EQ(summary.seconds, 2);
  ASSERT_EQ(summary.failing.size(), 2U);
  EXPECT_EQ(summary.failing[0].process, "mail");
  EXPECT_EQ(summary.failing[0].count, 8U);
  EXPECT_THAT(summary.failing[0].reasons, ElementsAre(Pair("dns/nxdomain", 6U), Pair("dns/servfail", 2U)));
  EXPECT_EQ(summary.failing[1].count, 2U);
  const auto& dns = summary.slow[0];
  ASSERT_EQ(dns.size(), 2U);
  EXPECT_EQ(dns[0].what, "lookup");
  EXPECT_EQ(dns[0].durations.count(), 8U);
  EXPECT_EQ(dns[1].what, "query");
  ASSERT_EQ(summary.slow[1].size(), 1U);  // web connected to nothing new
  EXPECT_EQ(summary.slow[1][0].process, "mail");
  EXPECT_EQ(summary.all[0].count(), 4U);  // queries, not look-ups
}

TEST(Summary, WithoutALookBeforeAllCounts) {
  const Summary summary = summarize(nullptr, first_look());
  EXPECT_EQ(summary.seconds, 0);
  ASSERT_EQ(summary.failing.size(), 2U);
  EXPECT_EQ(summary.failing[0].process, "web");
  EXPECT_EQ(summary.failing[0].count, 50U);
  EXPECT_EQ(summary.all[0].count(), 3U);  // there are look-ups alone
}

TEST(Summary, AnAgentThatBeganAnewIsCountedFromThere) {
  const Fetched before = second_look();
  const Summary summary = summarize(&before, {1004.0, {failures("web", "tcp", "refused", 7)}});
  ASSERT_EQ(summary.failing.size(), 1U);
  EXPECT_EQ(summary.failing[0].count, 7U);
}

std::vector<std::string> texts_of(const std::vector<PageLine>& lines) {
  std::vector<std::string> texts;
  for (const PageLine& line : lines) texts.push_back((line.is_head ? "*" : " ") + line.text);
  return texts;
}

TEST(Page, IsAsItWasDrawnByHand) {
  const Fetched before = first_look();
  const auto lines = page_of(summarize(&before, second_look()), Timed::kDns, "12:00:00", {}, {60, 24, true});
  EXPECT_THAT(texts_of(lines),
              ElementsAre("*connscope top  12:00:00  the last 2.00s: 10 failures, 2 pro…",  //
                          "*FAILURES  COUNT  PER S  REASONS",                               //
                          " mail          8      4  dns/nxdomain 6, dns/servfail 2",        //
                          " web           2      1  dns/timeout 1, tcp/refused 1",          //
                          "*SLOWEST DNS  COUNT   MEAN    P95    MAX  OF",                   //
                          " mail             8  500ms  500ms  500ms  lookup",               //
                          " mail             4  250ms  250ms  250ms  query",                //
                          "*SLOWEST TCP CONNECT  COUNT    MEAN     P95     MAX",            //
                          " mail                     2  2.00ms  2.00ms  2.00ms",            //
                          "*SLOWEST TLS HANDSHAKE  none",                                   //
                          "*DNS OF ALL PROCESSES  4 times",                                 //
                          " ≤ 250ms │█████████████████████████████████████████████████ 4"));
}

TEST(Page, FitsAnyScreen) {
  Fetched many = second_look();
  for (int i = 0; i < 100; ++i) many.series.push_back(failures("p" + std::to_string(i) + "\x1b[2J", "tcp", "reset", 1));
  for (int i = 0; i < 100; ++i)
    many.series.push_back(durations("conn_tls_handshake_duration_seconds", "p" + std::to_string(i), 1, 1.0 * i + 1));
  for (const std::size_t height : {8U, 12U, 24U, 50U, 200U}) {
    const auto lines =
        page_of(summarize(nullptr, many), Timed::kTls, "12:00:00", PageRows::of_screen(height), {40, height, true});
    EXPECT_LT(lines.size(), std::max<std::size_t>(height, 12)) << height;
    for (const auto& line : lines) {
      EXPECT_LE(width_of(line.text), 40U) << line.text;
      EXPECT_EQ(line.text.find('\x1b'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace connscope::terminal
