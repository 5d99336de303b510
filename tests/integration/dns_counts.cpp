// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/dns_counts.h"

#include <gtest/gtest.h>

#include <vector>

namespace connscope::testing {
DnsCounts DnsCounts::of(const Exposition& shown, const std::string& process) {
  static constexpr char kDurations[] = "conn_dns_query_duration_seconds";
  const LabelMap labels = {{"process", process}};
  const std::vector<std::string> kind = {"transport", "qtype"};
  const auto ended = [&](const char* outcome) {
    return grouped(shown, std::string(kDurations) + "_count", {{"process", process}, {"outcome", outcome}}, kind);
  };
  DnsCounts counts;
  counts.queries = grouped(shown, "conn_dns_queries_total", labels, kind);
  counts.ok = ended("ok");
  counts.failed = ended("fail");
  counts.responses = grouped(shown, "conn_dns_responses_total", labels, {"rcode", "qtype"});
  counts.failures =
      grouped(shown, "conn_failures_total", {{"process", process}, {"stage", "dns"}, {"role", "client"}}, {"reason"});
  counts.strays = grouped(shown, "conn_dns_stray_answers_total", labels, {"reason"});
  counts.served = grouped(shown, "conn_dns_served_duration_seconds_count", labels, {"rcode"});
  counts.retries = shown.sum("conn_dns_retries_total", labels);
  counts.truncated = shown.sum("conn_dns_truncated_total", labels);
  counts.late = shown.sum("conn_dns_late_answers_total", labels);
  counts.in_flight = shown.sum("conn_dns_queries_in_flight", labels);
  counts.seconds = shown.sum(std::string(kDurations) + "_sum", labels);
  counts.served_seconds = shown.sum("conn_dns_served_duration_seconds_sum", labels);
  return counts;
}

double DnsCounts::all_queries() const { return total(queries); }

double DnsCounts::all_ended() const { return total(ok) + total(failed); }

double DnsCounts::all_served() const { return total(served); }

void expect_counts(const DnsCounts& counts, const DnsCounts& one_run, int runs) {
  EXPECT_EQ(counts.queries, times(one_run.queries, runs)) << "queries";
  EXPECT_EQ(counts.ok, times(one_run.ok, runs)) << "ok";
  EXPECT_EQ(counts.failed, times(one_run.failed, runs)) << "failed";
  EXPECT_EQ(counts.responses, times(one_run.responses, runs)) << "responses";
  EXPECT_EQ(counts.failures, times(one_run.failures, runs)) << "failures";
  EXPECT_EQ(counts.strays, times(one_run.strays, runs)) << "stray answers";
  EXPECT_EQ(counts.served, times(one_run.served, runs)) << "served";
  EXPECT_EQ(counts.retries, one_run.retries * runs) << "retries";
  EXPECT_EQ(counts.truncated, one_run.truncated * runs) << "truncated";
  EXPECT_EQ(counts.late, one_run.late * runs) << "late answers";
  EXPECT_EQ(counts.in_flight, 0) << "in flight";
}

void expect_dns_laws(const Exposition& shown, const std::string& process) {
  SCOPED_TRACE("the laws for " + process);
  const DnsCounts counts = DnsCounts::of(shown, process);
  EXPECT_EQ(counts.all_queries(), counts.all_ended() + counts.in_flight);
  EXPECT_EQ(total(counts.failed), total(counts.failures));
  EXPECT_LE(total(counts.ok), total(counts.responses));
  EXPECT_LE(total(counts.responses), counts.all_ended());
  EXPECT_GE(counts.in_flight, 0);
}

}  // namespace connscope::testing
