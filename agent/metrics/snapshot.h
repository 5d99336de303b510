// SPDX-License-Identifier: Apache-2.0
//
// Snapshot: every family with every series as they were at the end of one collect. Immutable; the collecting thread
// makes it, and encoders, push loops and reports read it from any thread for as long as they hold the pointer.
// Series of a family come in the order in which they were first seen; families by name, so that a scrape is stable.
// Source: OpenMetrics 1.0, "Data Model".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/metrics/bucket_layout.h"
#include "agent/metrics/number.h"

namespace connscope::metrics {

enum class MetricType { kUnknown, kGauge, kCounter, kStateSet, kInfo, kHistogram, kGaugeHistogram, kSummary };

/// OpenMetrics' name of the type: "unknown", "gauge", "counter", "stateset", "info", "histogram", "gaugehistogram",
/// "summary".
[[nodiscard]] const char* to_string(MetricType type);

using Labels = std::vector<std::pair<std::string, std::string>>;
using WallTime = std::chrono::system_clock::time_point;

/// What a family is. `name` is OpenMetrics' family name: no `_total`, no `_info`, but with its unit as suffix.
struct FamilyDescriptor {
  std::string name;
  std::string help;
  std::string unit;  ///< "seconds", "bytes", or empty; a suffix of `name` when set
  std::vector<std::string> label_names;
  /// The label whose value becomes "other" when the series budget is spent; empty: the family is never folded.
  std::string fold_label;
  /// Dotted id (metric_id.h); empty: the registry gives it the one that follows from the name.
  std::string id{};
  /// The totals are something else's, which began before the agent did, as the kernel's since boot: periods of policies
  /// begin with what was seen first.
  bool external = false;
  /// The collector of the host's metrics that the family is of, for `?collect[]=`; empty: of none.
  std::string collector = {};
};

struct CounterValue {
  Number total;
  WallTime created;
};
struct GaugeValue {
  Number value;
};
struct UnknownValue {
  Number value;
};
/// A histogram, or a gauge histogram. `counts` is not cumulative and has layout->bucket_count() entries.
struct HistogramValue {
  BucketLayout::Ptr layout;
  std::vector<std::uint64_t> counts;
  double sum = 0;
  WallTime created;
};
struct SummaryValue {
  std::vector<std::pair<double, double>> quantiles;  ///< quantile in [0, 1] and its value
  std::uint64_t count = 0;
  double sum = 0;
  WallTime created;
};
/// The info's own labels, beside those of the series.
struct InfoValue {
  Labels labels;
};
struct StateSetValue {
  std::vector<std::pair<std::string, bool>> states;
};

using Value =
    std::variant<UnknownValue, GaugeValue, CounterValue, StateSetValue, InfoValue, HistogramValue, SummaryValue>;

struct Sample {
  /// One value a label name of the descriptor, in its order. Empty values are left out by encoders.
  std::shared_ptr<const std::vector<std::string>> label_values;
  Value value;
};

/// One event that a series has counted, told by itself: it leads from a number to a case. OpenMetrics knows them of
/// counters and of buckets.
struct Exemplar {
  Labels labels;     ///< within what exemplar.h allows
  double value = 0;  ///< of a counter: by how much the event has raised it; of a bucket: what fell into it
  WallTime time;
};

/// Which series of a family an exemplar is of, and where in it.
struct PlacedExemplar {
  std::size_t sample = 0;  ///< index in the family's samples
  std::size_t bucket = 0;  ///< index in the layout's text bounds, their number for +Inf; 0 in a counter
  std::shared_ptr<const Exemplar> exemplar;
};

struct FamilySnapshot {
  std::shared_ptr<const FamilyDescriptor> descriptor;
  MetricType type = MetricType::kUnknown;
  std::vector<Sample> samples;
  std::vector<PlacedExemplar> exemplars = {};  ///< by sample and bucket, one for each at most; mostly there are none
};

struct Snapshot {
  std::vector<FamilySnapshot> families;
  WallTime taken_at;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace connscope::metrics
