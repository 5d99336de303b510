// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/reporting.h"

#include <spdlog/spdlog.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <set>
#include <utility>

#include "agent/metrics/registrar.h"

namespace connscope::runtime {
namespace {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;

policy::Moment now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

void log_line(std::string_view line) { spdlog::info("report: {}", line); }

/// How the log names it.
std::string part_of(const std::string& exporter) { return "exporter " + exporter; }

std::uint64_t nanoseconds(double seconds) { return static_cast<std::uint64_t>(std::llround(seconds * 1e9)); }
double seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

}  // namespace

SnapshotSchedule::Intervals ReportingPlan::snapshot_intervals() const {
  SnapshotSchedule::Intervals intervals;
  for (const auto& exporter : exporters)
    if (exporter.snapshot_interval) intervals[exporter.name] = *exporter.snapshot_interval;
  return intervals;
}

std::set<std::string, std::less<>> ReportingPlan::used_exporters() const {
  std::set<std::string, std::less<>> names;
  for (const auto& policy : set.policies) names.insert(policy.to.begin(), policy.to.end());
  for (const auto& [name, interval] : snapshot_intervals()) names.insert(name);
  return names;
}

ReportingPlan ReportingPlan::parse(const config::Section& root) {
  ReportingPlan plan;
  plan.exporters = exporters::make_report_exporters(root, {log_line});
  std::vector<std::string_view> names;
  for (const auto& exporter : plan.exporters) {
    if (!exporter.snapshot_interval) names.emplace_back(exporter.name);
    if (exporter.accumulates) plan.set.accumulating.insert(exporter.name);
  }
  plan.set.policies = policy::parse_policies(root, names);
  return plan;
}

struct Reporting::Families {
  struct Count {
    const char* name;
    const char* help;
    const char* unit;
    std::atomic<std::uint64_t> exporters::PushCounts::*value;
    Family<Counter>* family = nullptr;
  };
  std::array<Count, 6> counts{
      {{"connscope_export_reports", "Reports that an exporter has sent.", "", &exporters::PushCounts::reports},
       {"connscope_export_packets", "Packets that an exporter has sent.", "", &exporters::PushCounts::packets},
       {"connscope_export_bytes", "What an exporter has sent.", "bytes", &exporters::PushCounts::bytes},
       {"connscope_export_failures", "Reports whose sending ended in an error.", "", &exporters::PushCounts::failures},
       {"connscope_export_dropped_reports",
        "Reports that had no room in the queue of an exporter, or no time at the end.", "",
        &exporters::PushCounts::dropped},
       {"connscope_export_refused_values", "Values that an exporter's format cannot say, or that are too long for it.",
        "", &exporters::PushCounts::refused}}};
  Family<Gauge>* queue_length = nullptr;

  Status add_to(metrics::Registry& registry) {
    metrics::Registrar registrar(registry);
    for (Count& count : counts) registrar.add(count.family, count.name, count.help, count.unit, {"exporter"});
    registrar.add(queue_length, "connscope_export_queue_length", "Reports that wait for an exporter.", "",
                  {"exporter"});
    return registrar.outcome();
  }
};

Reporting::Reporting(std::shared_ptr<Families> families) : families_(std::move(families)) {}

Result<std::unique_ptr<Reporting>> Reporting::create(ReportingPlan plan, metrics::Registry& registry) {
  auto families = std::make_shared<Families>();
  if (auto added = families->add_to(registry); !added) return added.error();
  std::unique_ptr<Reporting> reporting(new Reporting(std::move(families)));
  Reporting* self = reporting.get();
  policy::Reporter::Sinks sinks;
  sinks.report = [self](const std::string& exporter, metrics::ReportPtr report) {
    self->receivers_[exporter].loop->push(std::move(report));
  };
  sinks.bounds = [self](const auto& key, const auto& bounds) { self->set_bounds(key, bounds); };
  sinks.warn = [](const std::string& sentence) { spdlog::warn("{}", sentence); };
  reporting->start_receivers(plan);
  reporting->reporter_ = std::make_unique<policy::Reporter>(std::move(plan.set), now(), std::move(sinks));
  return reporting;
}

/// A receiver that stays keeps its queue, and sends it by the new exporter.
void Reporting::start_receivers(ReportingPlan& plan) {
  const auto used = plan.used_exporters();
  snapshots_.set(plan.snapshot_intervals(), now().steady);
  for (auto& [name, receiver] : receivers_)
    if (receiver.loop && used.count(name) == 0) retire(name, receiver);
  for (auto& configured : plan.exporters) {
    if (used.count(configured.name) == 0) continue;
    Receiver& receiver = receivers_[configured.name];
    const bool takes_snapshots = configured.snapshot_interval.has_value();
    const bool takes_others = std::exchange(receiver.takes_snapshots, takes_snapshots) != takes_snapshots;
    if (receiver.loop && takes_others) retire(configured.name, receiver);
    if (receiver.loop) {
      receiver.loop->replace(std::move(configured.exporter));
    } else {
      // Of most exporters' snapshots only the newest is worth sending: each has all there is.
      const bool newest_alone = takes_snapshots && !configured.wants_each_snapshot;
      const std::size_t max_reports = newest_alone ? 1 : exporters::PushLoop::kMaxReports;
      receiver.loop =
          std::make_unique<exporters::PushLoop>(std::move(configured.exporter), receiver.counts, max_reports);
    }
  }
}

void Reporting::retire(const std::string& name, Receiver& receiver) {
  receiver.loop->finish(std::chrono::steady_clock::now() + kDrainTime);
  retired_.push_back(std::move(receiver.loop));
  problems_.forget(part_of(name));
}

Status Reporting::start(EventLoop& loop, std::function<void()> collect) {
  collect_ = std::move(collect);
  timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return Error::from_errno("timerfd_create", errno);
  arm();
  return loop.watch(timer_.get(), [this] { on_timer(); });
}

void Reporting::on_timer() {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof(expirations)) < 0) return;
  collect_();
  reporter_->report_due(now());
  push_snapshots(snapshots_.take_due(now().steady), metrics::Occasion::kPeriod);
  arm();
}

void Reporting::push_snapshots(const std::vector<std::string>& exporters, metrics::Occasion occasion) {
  if (!latest_) return;
  for (const std::string& exporter : exporters) {
    metrics::Report report{"", occasion, latest_->taken_at, true, {}, {}, 0, latest_};
    receivers_[exporter].loop->push(std::make_shared<const metrics::Report>(std::move(report)));
  }
}

/// Without anything due the timer is off.
void Reporting::arm() {
  if (!timer_) return;
  itimerspec spec{};
  auto due = reporter_->next_due();
  if (const auto snapshot_due = snapshots_.next_due()) due = std::min(due.value_or(*snapshot_due), *snapshot_due);
  if (due) {
    // The steady clock is CLOCK_MONOTONIC. A time of 0 would switch the timer off.
    const auto at = std::max(due->time_since_epoch(), std::chrono::steady_clock::duration(1));
    spec.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    spec.it_value.tv_nsec = std::chrono::nanoseconds(at % std::chrono::seconds(1)).count();
  }
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0)
    spdlog::error("{}", Error::from_errno("no reports are made: timerfd_settime", errno).message());
}

void Reporting::before_collect() {
  retired_.erase(std::remove_if(retired_.begin(), retired_.end(), [](const auto& loop) { return loop->is_finished(); }),
                 retired_.end());
  for (auto& [name, receiver] : receivers_) {
    show(name, receiver);
    if (receiver.loop) problems_.note(part_of(name), receiver.loop->problem(), Severity::kWarning);
  }
}

void Reporting::show(const std::string& name, const Receiver& receiver) {
  for (const auto& count : families_->counts)
    if (auto series = count.family->with({name})) (*series)->follow((*receiver.counts).*count.value);
  if (auto series = families_->queue_length->with({name})) (*series)->set(receiver.counts->queued.load());
}

void Reporting::after_collect(const metrics::SnapshotPtr& snapshot) {
  latest_ = snapshot;
  reporter_->observe(snapshot, now());
}

void Reporting::apply(ReportingPlan plan) {
  start_receivers(plan);
  reporter_->apply(std::move(plan.set), now());
  listen_to_outliers();
  arm();
}

void Reporting::finish() {
  std::map<std::string_view, std::uint64_t> lost_before;
  for (const auto& [name, receiver] : receivers_)
    if (receiver.loop) lost_before[name] = receiver.loop->lost();
  reporter_->report_at_stop(now());
  push_snapshots(snapshots_.names(), metrics::Occasion::kStop);
  for (auto& [name, receiver] : receivers_)
    if (receiver.loop) receiver.loop->finish(std::chrono::steady_clock::now() + kDrainTime);
  for (auto& [name, receiver] : receivers_) {
    if (!receiver.loop) continue;
    receiver.loop->wait();
    tell_lost(name, receiver.loop->lost() - lost_before[name], receiver.loop->problem());
  }
}

/// What is lost now is in no scrape any more.
void Reporting::tell_lost(const std::string& name, std::uint64_t reports, const std::string& problem) {
  if (reports == 0) return;
  spdlog::warn("{}: {} reports were not sent before the end{}", part_of(name), reports,
               problem.empty() ? problem : ": " + problem);
}

Status Reporting::move(const std::string& glob, std::string_view policy) { return reporter_->move(glob, policy); }

Status Reporting::report_now(std::string_view policy) {
  collect_();
  return reporter_->report_now(policy, now());
}

void Reporting::connect(detail::ConnectionFeed& feed) {
  feed_ = &feed;
  listen_to_outliers();
}

void Reporting::listen_to_outliers() {
  if (feed_ == nullptr) return;
  outliers_.reset();
  if (reporter_->wants_outliers())
    outliers_ = feed_->subscribe(detail::kOutlier, [this](const detail::Connection& c) { take_outlier(c); });
}

void Reporting::take_outlier(const detail::Connection& connection) {
  metrics::Outlier outlier{connection.process,
                           std::string(detail::id_of(connection.metric)),
                           connection.time,
                           seconds(connection.duration_ns),
                           seconds(connection.mean_ns),
                           connection.pid,
                           connection.peer,
                           connection.host};
  reporter_->take_outlier(std::move(outlier), now());
}

void Reporting::set_bounds(const policy::OutlierWatch::Key& key, const std::optional<policy::OutlierBounds>& bounds) {
  const auto metric = detail::metric_of(key.second);
  if (feed_ == nullptr || !metric) return;  // of what nobody tells single events
  if (bounds) {
    feed_->set_bounds(key.first, *metric,
                      {nanoseconds(bounds->low), nanoseconds(bounds->high), nanoseconds(bounds->mean)});
  } else {
    feed_->clear_bounds(key.first, *metric);
  }
}

}  // namespace connscope::runtime
