// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/report.h"

#include <algorithm>
#include <cstddef>

namespace connscope::metrics {
namespace {

void add_buckets(std::vector<std::uint64_t>& into, const std::vector<std::uint64_t>& later) {
  if (into.size() < later.size()) into.resize(later.size(), 0);
  for (std::size_t i = 0; i < later.size(); ++i) into[i] += later[i];
}

void merge_into(Distribution& into, const Distribution& later) {
  into.aggregate.merge(later.aggregate);
  if (later.layout) into.layout = later.layout;
  add_buckets(into.go_buckets, later.go_buckets);
  add_buckets(into.no_go_buckets, later.no_go_buckets);
}

void merge_into(OutcomeHistogram& into, const OutcomeHistogram& later) {
  for (const auto& [outcome, count] : later.buckets()) into.add(outcome, count);
}

void merge_into(Sum& into, const Sum& later) {
  into.updates += later.updates;
  into.total = add(into.total, later.total);
}

void merge_into(Level& into, const Level& later) { into = later; }

}  // namespace

void merge(Reading& into, const Reading& later) {
  std::visit(
      [&later](auto& reading) {
        if (const auto* same = std::get_if<std::decay_t<decltype(reading)>>(&later)) merge_into(reading, *same);
      },
      into);
}

Reading emptied(const Reading& reading, WallTime start) {
  if (std::holds_alternative<Distribution>(reading)) return Distribution(start);
  if (std::holds_alternative<OutcomeHistogram>(reading)) return OutcomeHistogram();
  if (std::holds_alternative<Sum>(reading)) return Sum();
  return reading;  // a gauge keeps its value
}

const char* to_string(Occasion occasion) {
  switch (occasion) {
    case Occasion::kPeriod:
      break;
    case Occasion::kStart:
      return "start";
    case Occasion::kStop:
      return "stop";
    case Occasion::kRequest:
      return "request";
    case Occasion::kOutlier:
      return "outlier";
  }
  return "period";
}

std::size_t Report::size() const {
  std::size_t count = metrics.size();
  if (snapshot) {
    for (const FamilySnapshot& family : snapshot->families) count += family.samples.size();
  }
  return count;
}

}  // namespace connscope::metrics
