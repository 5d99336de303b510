// SPDX-License-Identifier: Apache-2.0
//
// Report: what a policy has gathered of its metrics over one period, or since it began to accumulate them (FEATURES L1,
// L2, L17). Made by agent/policy on the collecting thread; immutable after that, so that push loops and exporters read
// it from any thread for as long as they hold the pointer. Values are in the unit of the metric's descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "agent/metrics/aggregate.h"
#include "agent/metrics/metric_id.h"
#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// What a histogram took in: go and no-go, and the buckets that each fell into.
struct Distribution {
  explicit Distribution(WallTime start) : aggregate(start) {}
  Aggregate aggregate;
  BucketLayout::Ptr layout;                  ///< none before the first observation, and for summaries
  std::vector<std::uint64_t> go_buckets;     ///< not cumulative; empty while there is no go
  std::vector<std::uint64_t> no_go_buckets;  ///< likewise
};

/// How much a counter rose.
struct Sum {
  std::uint64_t updates = 0;  ///< in how many collects it rose
  Number total = std::uint64_t{0};
};

/// A gauge, as it was last.
struct Level {
  Number value = std::uint64_t{0};
};

using Reading = std::variant<Distribution, OutcomeHistogram, Sum, Level>;

/// Adds what came later to `into`; both are of one metric.
void merge(Reading& into, const Reading& later);
/// One that nothing has gone into yet, of the same kind.
[[nodiscard]] Reading emptied(const Reading& reading, WallTime start);

struct ReportedMetric {
  std::shared_ptr<const FamilyDescriptor> descriptor;
  MetricId id;
  WallTime start;  ///< of what `reading` has gathered
  Reading reading;
};

/// One event that was far from the mean of those before it (FEATURES L20).
struct Outlier {
  std::string process;
  std::string id;  ///< of its metric: "n.cn.tcp"
  WallTime at;
  double seconds = 0;
  double mean_seconds = 0;
  std::uint32_t pid = 0;
  std::string peer;  ///< address and port; empty where that is not known
  std::string host;  ///< likewise
};

/// Why a report was made.
enum class Occasion { kPeriod, kStart, kStop, kRequest, kOutlier };
[[nodiscard]] const char* to_string(Occasion occasion);

struct Report {
  std::string policy;
  Occasion occasion = Occasion::kPeriod;
  WallTime end;
  /// True: readings are of all reports so far; false: of the time since the last one.
  bool accumulated = false;
  std::vector<ReportedMetric> metrics;  ///< by name and tags
  std::vector<Outlier> outliers;
  std::uint64_t outliers_left_out = 0;  ///< that there was no room for
  /// Instead of metrics: every series as it was at `end`, for what pushes a whole exposition.
  SnapshotPtr snapshot{};

  /// How many metrics it holds in memory.
  [[nodiscard]] std::size_t size() const;
};

using ReportPtr = std::shared_ptr<const Report>;

}  // namespace connscope::metrics
