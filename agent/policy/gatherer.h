// SPDX-License-Identifier: Apache-2.0
//
// Gatherer: follows the registry from snapshot to snapshot and gathers what happened into metrics, whether a policy has
// them or not (FEATURES L13). Totals for life are not touched: a metric keeps its period beside them. Series that are
// one metric to a policy come together: `outcome` makes go and no-go, `stage` and `reason` the buckets of an outcome
// histogram. Infos, statesets and gauge histograms are state that only a scrape shows.
// Keeps one snapshot alive to compare the next with. One thread at a time; there is no clock in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/metrics/report.h"
#include "agent/metrics/snapshot.h"
#include "agent/policy/news.h"

namespace connscope::policy {

struct Metric {
  static constexpr std::size_t kNoPolicy = static_cast<std::size_t>(-1);

  std::shared_ptr<const metrics::FamilyDescriptor> descriptor;
  metrics::MetricId id;
  std::string name;  ///< PREFIX.id
  std::size_t policy = kNoPolicy;
  metrics::WallTime start;                      ///< of `period`
  metrics::Reading period = metrics::Sum();     ///< since the last report
  metrics::WallTime first_start;                ///< of `accumulated`
  std::optional<metrics::Reading> accumulated;  ///< of the reports so far, when an exporter wants that
  bool has_news = false;                        ///< since the last report
  std::size_t series = 0;                       ///< that the registry still has
};

class Gatherer {
 public:
  /// By name and tags.
  using Metrics = std::map<std::string, Metric, std::less<>>;
  using OnNew = std::function<void(Metric&)>;

  /// `start`: when the first period begins. `on_new` is told of each metric when it appears.
  Gatherer(metrics::WallTime start, OnNew on_new) : last_seen_at_(start), on_new_(std::move(on_new)) {}

  /// From now on the families of the host's collectors too, of which there are many; their totals are the kernel's, and
  /// periods of these begin with what is seen first.
  void gather_host() { gathers_host_ = true; }
  void observe(const metrics::SnapshotPtr& snapshot);
  [[nodiscard]] Metrics& metrics() { return metrics_; }
  [[nodiscard]] const Metrics& metrics() const { return metrics_; }
  /// Forgets metrics whose series are gone and that have nothing left to report.
  void forget_gone();

 private:
  struct Series {
    std::shared_ptr<const std::vector<std::string>> values;  // kept, so that the address is not used again
    Metric* metric = nullptr;
    SeriesRole role;
    const metrics::Value* before = nullptr;  // in previous_
    std::uint64_t seen_in = 0;
  };
  struct Family {
    std::shared_ptr<const metrics::FamilyDescriptor> descriptor;
    /// The registry keeps a series' label values at one address, unless the family gets another label.
    std::unordered_map<const std::vector<std::string>*, Series> series;
  };

  [[nodiscard]] bool is_gathered(const metrics::FamilySnapshot& family) const;
  void observe_family(const metrics::FamilySnapshot& snapshot);
  static void carry_over(Family& family, const metrics::FamilySnapshot& snapshot);
  Series& series_of(Family& family, const metrics::FamilySnapshot& snapshot, const metrics::Sample& sample);
  Metric& metric_of(const metrics::FamilySnapshot& snapshot, metrics::MetricId id);
  void drop_vanished_series(Family& family) const;

  metrics::WallTime last_seen_at_;
  OnNew on_new_;
  metrics::SnapshotPtr previous_;
  std::map<std::string, Family, std::less<>> families_;
  Metrics metrics_;
  std::uint64_t round_ = 0;
  bool gathers_host_ = false;
};

}  // namespace connscope::policy
