// SPDX-License-Identifier: Apache-2.0
//
// Reporter: the policies at work. It is fed with snapshots, knows when the next report is due, and hands reports to the
// exporters that their policy names. It has no clock, no thread and no socket: the caller passes the time and takes the
// reports, so that tests drive it with a clock of their own. What has been gathered outlives every change of policies:
// the sum of all reports of a counter, and what is not reported yet, is its total for life (FEATURES L13, L14, L17).
// One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/report.h"
#include "agent/policy/gatherer.h"
#include "agent/policy/outlier_watch.h"
#include "agent/policy/policy.h"
#include "agent/policy/policy_book.h"

namespace connscope::policy {

/// One moment, by both clocks: schedules follow the first, reports tell the second.
struct Moment {
  std::chrono::steady_clock::time_point steady;
  metrics::WallTime wall;
};

/// What the config says of reports.
struct PolicySet {
  std::vector<Policy> policies;
  /// Exporters whose reports accumulate; those of the others begin anew with each report.
  std::set<std::string, std::less<>> accumulating;
};

class Reporter {
 public:
  struct Sinks {
    std::function<void(const std::string& exporter, metrics::ReportPtr report)> report;
    OutlierWatch::OnBounds bounds;
    std::function<void(const std::string& sentence)> warn;
  };

  Reporter(PolicySet set, Moment now, Sinks sinks);
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  ~Reporter() = default;

  /// Takes in what happened since the snapshot before. The first one makes the reports of the start.
  void observe(const metrics::SnapshotPtr& snapshot, Moment now);
  /// When a report is due; nothing while there is no policy with an interval.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_due() const;
  /// Makes the reports that are due. Times that were missed are not made up for.
  void report_due(Moment now);
  /// The reports of the end.
  void report_at_stop(Moment now);

  /// Other policies from now on. Those that keep name and interval keep their time.
  void apply(PolicySet set, Moment now);
  Status move(const std::string& glob, std::string_view policy);
  Status report_now(std::string_view policy, Moment now);
  /// An event outside the bounds.
  void take_outlier(metrics::Outlier outlier, Moment now);

  [[nodiscard]] const PolicyBook& book() const { return book_; }
  [[nodiscard]] const Gatherer::Metrics& metrics() const { return gatherer_.metrics(); }
  /// Nothing for a manual policy.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due_of(std::size_t policy) const;
  /// Whether any policy asks for outliers.
  [[nodiscard]] bool wants_outliers() const;

 private:
  struct Schedule {
    std::optional<std::chrono::milliseconds> interval;
    std::chrono::steady_clock::time_point due;
    OutlierQueue outliers;
  };

  void schedule(Moment now);
  void assign_all();
  void watch_outliers();
  void report(const Policy& policy, metrics::Occasion occasion, Moment now);
  [[nodiscard]] bool accumulates(const Policy& policy) const;
  void deliver(const Policy& policy, metrics::Report period, metrics::Report totals);

  Sinks sinks_;
  PolicyBook book_;
  std::set<std::string, std::less<>> accumulating_;
  Gatherer gatherer_;
  OutlierWatch watch_;
  std::map<std::string, Schedule, std::less<>> schedules_;  // by policy
  bool has_started_ = false;
};

}  // namespace connscope::policy
