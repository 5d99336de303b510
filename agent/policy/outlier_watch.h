// SPDX-License-Identifier: Apache-2.0
//
// OutlierWatch: the means that outliers are measured by, for each process and metric id whose policy asks for them, and
// the outliers that wait for their report. A mean is that of the samples of the period so far; while these are fewer
// than the rule asks for, that of the last period that had enough (FEATURES L20, "Mistakes" 7). Only what succeeded
// counts: a time-out is a failure, not a slow success. The events themselves are judged where they happen, by the
// bounds that come from here. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/report.h"
#include "agent/policy/gatherer.h"
#include "agent/policy/policy.h"

namespace connscope::policy {

/// In seconds. A value below `low` or above `high` is an outlier.
struct OutlierBounds {
  double low = 0;
  double high = 0;
  double mean = 0;
  bool operator==(const OutlierBounds&) const = default;
};

class OutlierWatch {
 public:
  /// Process and metric id.
  using Key = std::pair<std::string, std::string>;
  /// Told when bounds change; nothing: there are none any more.
  using OnBounds = std::function<void(const Key&, const std::optional<OutlierBounds>&)>;

  explicit OutlierWatch(OnBounds on_bounds) : on_bounds_(std::move(on_bounds)) {}

  /// Looks at the periods of all metrics anew.
  void update(const Gatherer::Metrics& metrics, const std::vector<Policy>& policies);

 private:
  struct Baseline {
    std::size_t policy = Metric::kNoPolicy;
    std::uint64_t samples = 0;  // of the period so far
    double sum = 0;
    std::optional<double> last_mean;
    std::optional<OutlierBounds> told;
    bool is_current = false;
  };
  void sum_up(const Gatherer::Metrics& metrics, const std::vector<Policy>& policies);
  void tell(const Key& key, Baseline& baseline, const OutlierRule& rule);

  OnBounds on_bounds_;
  std::map<Key, Baseline> baselines_;
};

/// The outliers of one policy until their report: a bounded number, and how many there was no room for.
class OutlierQueue {
 public:
  /// Keeps `keep` of them, and counts the others.
  void add(metrics::Outlier outlier, std::size_t keep);
  /// For those that are sent at once: true for the first `keep`; the others are counted.
  [[nodiscard]] bool may_send(std::size_t keep);
  /// Gives them to the report.
  void take_into(metrics::Report& report);

 private:
  std::vector<metrics::Outlier> kept_;
  std::size_t sent_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace connscope::policy
