// SPDX-License-Identifier: Apache-2.0
//
// Reporting: the policies of the config at work in the running agent. It feeds a policy::Reporter with the snapshots of
// the collects, has a timer of its own on the event loop for what is due, and gives reports to a PushLoop for each
// exporter that a policy names, and snapshots to one for each exporter that pushes those; and it has the families
// connscope_export_* about these. The collecting thread only; the push loops have threads of their own, which take
// neither signals nor locks of this one.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/config/document.h"
#include "agent/detail/connection_feed.h"
#include "agent/metrics/registry.h"
#include "agent/policy/reporter.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/problem_log.h"
#include "agent/runtime/snapshot_schedule.h"
#include "exporters/push_loop.h"
#include "exporters/report_exporter.h"

namespace connscope::runtime {

/// What the config says of reports, read whole before any of it holds.
struct ReportingPlan {
  policy::PolicySet set;
  std::vector<exporters::ConfiguredExporter> exporters;

  /// Those that push snapshots, and how often.
  [[nodiscard]] SnapshotSchedule::Intervals snapshot_intervals() const;
  /// Those that have anything to send: named by a policy, or pushing snapshots.
  [[nodiscard]] std::set<std::string, std::less<>> used_exporters() const;
  /// Problems go to the document that `root` belongs to.
  static ReportingPlan parse(const config::Section& root);
};

class Reporting {
 public:
  /// How long the receivers have at the end to take what is queued.
  static constexpr std::chrono::seconds kDrainTime{5};

  /// Registers its families. Reports go out from now on.
  static Result<std::unique_ptr<Reporting>> create(ReportingPlan plan, metrics::Registry& registry);
  Reporting(const Reporting&) = delete;
  Reporting& operator=(const Reporting&) = delete;
  /// Waits for push loops that still send what they had when a reload ended their use.
  ~Reporting() = default;

  /// `collect` runs a collect, which ends in after_collect(): reports have the news up to their own time.
  Status start(EventLoop& loop, std::function<void()> collect);
  /// Outliers come from there, and their bounds go there. `feed` outlives this.
  void connect(detail::ConnectionFeed& feed);

  /// Brings connscope_export_* up to date, for the snapshot that is to be made.
  void before_collect();
  void after_collect(const metrics::SnapshotPtr& snapshot);
  void apply(ReportingPlan plan);
  /// The last reports, after the last collect. Waits for the push loops, for kDrainTime beside what one datagram's
  /// receiver may take, and says in the log what they have lost.
  void finish();

  // What people ask for at run time.
  [[nodiscard]] const policy::Reporter& reporter() const { return *reporter_; }
  Status move(const std::string& glob, std::string_view policy);
  Status report_now(std::string_view policy);

 private:
  struct Families;
  /// One exporter by its name, for as long as the agent runs: its counts never fall.
  struct Receiver {
    std::shared_ptr<exporters::PushCounts> counts = std::make_shared<exporters::PushCounts>();
    std::unique_ptr<exporters::PushLoop> loop;  // nullptr while it has nothing to send
    bool takes_snapshots = false;
  };

  explicit Reporting(std::shared_ptr<Families> families);
  void start_receivers(ReportingPlan& plan);
  void retire(const std::string& name, Receiver& receiver);
  void show(const std::string& name, const Receiver& receiver);
  static void tell_lost(const std::string& name, std::uint64_t reports, const std::string& problem);
  void push_snapshots(const std::vector<std::string>& exporters, metrics::Occasion occasion);
  void on_timer();
  void arm();
  void listen_to_outliers();
  void take_outlier(const detail::Connection& connection);
  void set_bounds(const policy::OutlierWatch::Key& key, const std::optional<policy::OutlierBounds>& bounds);

  std::shared_ptr<Families> families_;
  std::map<std::string, Receiver, std::less<>> receivers_;
  ProblemLog problems_;
  std::vector<std::unique_ptr<exporters::PushLoop>> retired_;  // that send what they have still
  std::unique_ptr<policy::Reporter> reporter_;
  SnapshotSchedule snapshots_;
  metrics::SnapshotPtr latest_;
  UniqueFd timer_;
  std::function<void()> collect_;
  detail::ConnectionFeed* feed_ = nullptr;
  detail::ConnectionFeed::Subscription outliers_;
};

}  // namespace connscope::runtime
