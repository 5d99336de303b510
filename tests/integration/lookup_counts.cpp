// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/lookup_counts.h"

#include <gtest/gtest.h>

namespace connscope::testing {

LookupCounts LookupCounts::of(const Exposition& exposition, const std::string& process) {
  LookupCounts counts;
  for (const ExposedSample& sample : exposition.samples()) {
    const auto owner = sample.labels.find("process");
    if (owner == sample.labels.end() || owner->second != process || sample.value == 0) continue;
    if (sample.name == "conn_dns_lookup_duration_seconds_count") {
      counts.ended[sample.labels.at("outcome")] = sample.value;
    } else if (sample.name == "conn_failures_total" && sample.labels.at("reason").rfind("eai_", 0) == 0) {
      EXPECT_EQ(sample.labels.at("stage"), "dns");
      EXPECT_EQ(sample.labels.at("role"), "client");
      counts.failures[sample.labels.at("reason")] = sample.value;
    }
  }
  counts.seconds = exposition.sum("conn_dns_lookup_duration_seconds_sum", {{"process", process}});
  counts.queries = exposition.sum("conn_dns_queries_per_lookup_sum", {{"process", process}});
  counts.queries_counted = exposition.sum("conn_dns_queries_per_lookup_count", {{"process", process}});
  return counts;
}

double LookupCounts::all_ended() const {
  double sum = 0;
  for (const auto& [outcome, count] : ended) sum += count;
  return sum;
}

}  // namespace connscope::testing
