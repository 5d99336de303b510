// SPDX-License-Identifier: Apache-2.0
//
// A registry, a Reporter and a clock that moves when a test says so. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/policy/reporter.h"

namespace connscope::policy::test {

inline Policy policy_of(std::string name, std::vector<std::string> report, std::chrono::milliseconds interval,
                        std::vector<std::string> to = {"log"}) {
  Policy policy;
  policy.name = std::move(name);
  policy.report = std::move(report);
  policy.interval = interval;
  policy.to = std::move(to);
  return policy;
}

class Stage {
 public:
  explicit Stage(PolicySet set) : reporter_(std::move(set), now(), sinks()) {}

  /// As the agent does: a collect, then what is due.
  void pass(std::chrono::milliseconds time) {
    passed_ += time;
    collect();
    reporter_.report_due(now());
  }
  void collect() { reporter_.observe(registry_.snapshot(), now()); }

  [[nodiscard]] Moment now() const {
    return {std::chrono::steady_clock::time_point(passed_), metrics::WallTime(std::chrono::hours(1) + passed_)};
  }
  metrics::Registry& registry() { return registry_; }
  Reporter& reporter() { return reporter_; }

  metrics::Counter& counter(const std::string& name, const std::string& process = "ui") {
    auto* family = registry_.family<metrics::Counter>({name, "", "", {"process"}, ""}).value();
    return *family->with({process}).value();
  }
  metrics::Gauge& gauge(const std::string& name, const std::string& process = "ui") {
    auto* family = registry_.family<metrics::Gauge>({name, "", "", {"process"}, ""}).value();
    return *family->with({process}).value();
  }
  /// Durations of n.cn.tcp: the buckets of the probes.
  metrics::Histogram& connects(const std::string& outcome, const std::string& process = "ui") {
    static const auto layout = metrics::BucketLayout::exponential(2, -80, 28, 4);
    auto* family = registry_
                       .family<metrics::Histogram>({"conn_tcp_connect_duration_seconds",
                                                    "",
                                                    "seconds",
                                                    {"process", "ip_family", "outcome"},
                                                    "",
                                                    "n.cn.tcp"},
                                                   layout)
                       .value();
    return *family->with({process, "ipv4", outcome}).value();
  }
  metrics::Counter& failures(const std::string& stage, const std::string& reason, const std::string& process = "ui") {
    auto* family =
        registry_
            .family<metrics::Counter>({"conn_failures", "", "", {"process", "stage", "reason"}, "", "n.cn.failures"})
            .value();
    return *family->with({process, stage, reason}).value();
  }

  using Sent = std::vector<std::pair<std::string, metrics::ReportPtr>>;
  /// What exporters were given since the last call.
  Sent take() { return std::exchange(sent_, {}); }
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }
  [[nodiscard]] const std::map<OutlierWatch::Key, OutlierBounds>& bounds() const { return bounds_; }

 private:
  Reporter::Sinks sinks() {
    return {[this](const std::string& exporter, metrics::ReportPtr report) {
              sent_.emplace_back(exporter, std::move(report));
            },
            [this](const OutlierWatch::Key& key, const std::optional<OutlierBounds>& bounds) {
              bounds_.erase(key);
              if (bounds) bounds_.emplace(key, *bounds);
            },
            [this](const std::string& sentence) { warnings_.push_back(sentence); }};
  }

  std::chrono::milliseconds passed_{0};
  metrics::Registry registry_;
  Sent sent_;
  std::vector<std::string> warnings_;
  std::map<OutlierWatch::Key, OutlierBounds> bounds_;
  Reporter reporter_;
};

inline bool has(const metrics::Report& report, const std::string& name) {
  const auto& metrics = report.metrics;
  return std::any_of(metrics.begin(), metrics.end(), [&name](const auto& metric) { return metric.id.name() == name; });
}

/// The reported metric of that name, without which a test cannot go on.
inline const metrics::ReportedMetric& find(const metrics::Report& report, const std::string& name) {
  for (const auto& metric : report.metrics)
    if (metric.id.name() == name) return metric;
  throw std::runtime_error(name + " is not in the report");
}

/// What a counter was reported to have risen by; 0 when it is not in the report.
inline double sum_of(const metrics::Report& report, const std::string& name) {
  return has(report, name) ? metrics::as_double(std::get<metrics::Sum>(find(report, name).reading).total) : 0;
}

inline const metrics::Aggregate& aggregate_of(const metrics::Report& report, const std::string& name) {
  return std::get<metrics::Distribution>(find(report, name).reading).aggregate;
}

}  // namespace connscope::policy::test
