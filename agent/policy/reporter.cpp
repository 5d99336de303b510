// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/reporter.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace connscope::policy {
namespace {

using metrics::Occasion;
using metrics::Report;

/// The time after `now` that is a whole number of intervals after `due`.
std::chrono::steady_clock::time_point next_after(std::chrono::steady_clock::time_point due,
                                                 std::chrono::milliseconds interval,
                                                 std::chrono::steady_clock::time_point now) {
  if (due > now) return due;
  return due + ((now - due) / interval + 1) * interval;
}

/// Ends the metric's period, after its totals have taken it in.
metrics::ReportedMetric end_period(Metric& metric, bool accumulates, metrics::WallTime now) {
  if (accumulates) {
    if (!metric.accumulated) {
      metric.accumulated = metrics::emptied(metric.period, metric.start);
      metric.first_start = metric.start;
    }
    metrics::merge(*metric.accumulated, metric.period);
  } else {
    metric.accumulated.reset();
  }
  metrics::Reading next = metrics::emptied(metric.period, now);
  metrics::ReportedMetric reported{metric.descriptor, metric.id, metric.start,
                                   std::exchange(metric.period, std::move(next))};
  metric.start = now;
  metric.has_news = false;
  return reported;
}

}  // namespace

Reporter::Reporter(PolicySet set, Moment now, Sinks sinks)
    : sinks_(std::move(sinks)),
      gatherer_(now.wall, [this](Metric& metric) { metric.policy = book_.assign(metric.name); }),
      watch_(sinks_.bounds) {
  apply(std::move(set), now);
}

void Reporter::apply(PolicySet set, Moment now) {
  accumulating_ = std::move(set.accumulating);
  for (const auto& move : book_.set(std::move(set.policies), now.steady))
    sinks_.warn("the move of \"" + move.glob + "\" ends: policy " + move.policy + " is gone");
  if (!book_.policies().empty()) gatherer_.gather_host();
  schedule(now);
  assign_all();
  watch_outliers();
}

void Reporter::schedule(Moment now) {
  std::map<std::string, Schedule, std::less<>> schedules;
  for (const Policy& policy : book_.policies()) {
    const auto old = schedules_.find(policy.name);
    Schedule& schedule = schedules[policy.name];
    if (old != schedules_.end()) schedule = std::move(old->second);
    if (old != schedules_.end() && schedule.interval == policy.interval) continue;
    schedule.interval = policy.interval;
    if (policy.interval) schedule.due = now.steady + *policy.interval;
  }
  schedules_ = std::move(schedules);
}

void Reporter::assign_all() {
  for (auto& [key, metric] : gatherer_.metrics()) metric.policy = book_.assign(metric.name);
}

void Reporter::watch_outliers() { watch_.update(gatherer_.metrics(), book_.policies()); }

void Reporter::observe(const metrics::SnapshotPtr& snapshot, Moment now) {
  gatherer_.observe(snapshot);
  watch_outliers();
  for (const std::string& sentence : book_.take_warnings(now.steady)) sinks_.warn(sentence);
  if (std::exchange(has_started_, true)) return;
  for (const Policy& policy : book_.policies())
    if (policy.at_start) report(policy, Occasion::kStart, now);
}

std::optional<std::chrono::steady_clock::time_point> Reporter::next_due() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  for (const auto& [name, schedule] : schedules_)
    if (schedule.interval && (!next || schedule.due < *next)) next = schedule.due;
  return next;
}

std::optional<std::chrono::steady_clock::time_point> Reporter::due_of(std::size_t policy) const {
  const Schedule& schedule = schedules_.at(book_.policies()[policy].name);
  if (!schedule.interval) return std::nullopt;
  return schedule.due;
}

void Reporter::report_due(Moment now) {
  for (const Policy& policy : book_.policies()) {
    Schedule& schedule = schedules_.at(policy.name);
    if (!schedule.interval || schedule.due > now.steady) continue;
    schedule.due = next_after(schedule.due, *schedule.interval, now.steady);
    report(policy, Occasion::kPeriod, now);
  }
  gatherer_.forget_gone();
}

void Reporter::report_at_stop(Moment now) {
  for (const Policy& policy : book_.policies())
    if (policy.at_stop) report(policy, Occasion::kStop, now);
}

Status Reporter::report_now(std::string_view policy, Moment now) {
  const auto index = book_.find(policy);
  if (!index) return book_.unknown(policy);
  report(book_.policies()[*index], Occasion::kRequest, now);
  return {};
}

Status Reporter::move(const std::string& glob, std::string_view policy) {
  if (auto moved = book_.move(glob, policy); !moved) return moved;
  assign_all();
  watch_outliers();
  return {};
}

bool Reporter::accumulates(const Policy& policy) const {
  return std::any_of(policy.to.begin(), policy.to.end(),
                     [this](const std::string& exporter) { return accumulating_.count(exporter) != 0; });
}

void Reporter::report(const Policy& policy, Occasion occasion, Moment now) {
  const bool keeps_totals = accumulates(policy);
  const std::size_t index = *book_.find(policy.name);
  Report period{policy.name, occasion, now.wall, false, {}, {}, 0};
  Report totals{policy.name, occasion, now.wall, true, {}, {}, 0};
  for (auto& [key, metric] : gatherer_.metrics()) {
    const bool is_told = metric.has_news || policy.inactivity || occasion == Occasion::kStart;
    if (metric.policy != index || !is_told) continue;
    period.metrics.push_back(end_period(metric, keeps_totals, now.wall));
    if (keeps_totals) totals.metrics.push_back({metric.descriptor, metric.id, metric.first_start, *metric.accumulated});
  }
  schedules_.at(policy.name).outliers.take_into(period);
  totals.outliers = period.outliers;
  totals.outliers_left_out = period.outliers_left_out;
  if (!period.metrics.empty() || !period.outliers.empty() || period.outliers_left_out != 0)
    deliver(policy, std::move(period), std::move(totals));
}

void Reporter::deliver(const Policy& policy, Report period, Report totals) {
  const auto of_period = std::make_shared<const Report>(std::move(period));
  const auto of_all = std::make_shared<const Report>(std::move(totals));
  for (const std::string& exporter : policy.to)
    sinks_.report(exporter, accumulating_.count(exporter) != 0 ? of_all : of_period);
}

bool Reporter::wants_outliers() const {
  const auto& policies = book_.policies();
  return std::any_of(policies.begin(), policies.end(),
                     [](const Policy& policy) { return policy.outliers.has_value(); });
}

void Reporter::take_outlier(metrics::Outlier outlier, Moment now) {
  const std::size_t index = book_.assign(outlier.process + "." + outlier.id);
  if (index == Metric::kNoPolicy || !book_.policies()[index].outliers) return;
  const Policy& policy = book_.policies()[index];
  OutlierQueue& queue = schedules_.at(policy.name).outliers;
  if (!policy.outliers->at_once) return queue.add(std::move(outlier), policy.outliers->keep);
  if (!queue.may_send(policy.outliers->keep)) return;
  Report report{policy.name, Occasion::kOutlier, now.wall, false, {}, {std::move(outlier)}, 0};
  deliver(policy, report, report);
}

}  // namespace connscope::policy
