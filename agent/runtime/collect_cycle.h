// SPDX-License-Identifier: Apache-2.0
//
// CollectCycle: starts the probes, and on each run drains them, retires identities that are gone, and publishes a
// snapshot. Owns the registry, the identities and the probes. The collecting thread only, but for the exchange.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/control/server.h"
#include "agent/detail/connection_feed.h"
#include "agent/host/host_metrics.h"
#include "agent/identity/identity_table.h"
#include "agent/ingest/ingest.h"
#include "agent/metrics/registry.h"
#include "agent/probe/identity_probe.h"
#include "agent/probe/probe.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/exemplars.h"
#include "agent/runtime/new_programs.h"
#include "agent/runtime/problem_log.h"
#include "agent/runtime/self_metrics.h"
#include "agent/runtime/settings.h"
#include "agent/runtime/snapshot_exchange.h"

namespace connscope::runtime {

using ProbesFactory =
    std::function<Result<std::vector<std::unique_ptr<probe::Probe>>>(const probe::ProbeContext&, config::Section)>;

class CollectCycle {
 public:
  using Clock = std::chrono::steady_clock;

  /// Makes the probes, which read their sections of `root`; starts nothing.
  static Result<std::unique_ptr<CollectCycle>> create(Settings settings, config::Section root,
                                                      std::unique_ptr<probe::IdentityProbe> identity_probe,
                                                      const ProbesFactory& make_probes, const std::string& version);
  /// The host's metrics, which every snapshot has from now on.
  void add_host(std::unique_ptr<host::HostMetrics> host) { host_ = std::move(host); }
  CollectCycle(const CollectCycle&) = delete;
  CollectCycle& operator=(const CollectCycle&) = delete;
  ~CollectCycle() = default;

  /// Loads and attaches. A probe that cannot start is logged and stays off.
  void start();
  void run(Clock::time_point now);
  /// Before the last run(): what applications have sent by now is in it.
  void finish_input() { ingest_->finish(); }
  /// Answers host_exchange(): reads the collectors that its questions name, and no probe.
  void run_host(Clock::time_point now);
  /// New identities are looked at at once, so that excluded processes are known to the kernel.
  void take_news();
  [[nodiscard]] int news_fd() const { return identity_probe_->news_fd(); }

  /// Reports to the document what a reload cannot change. `wanted` was made from that document, whose root is `root`.
  void check_reload(const CollectCycle& wanted, config::Section root) const;
  void apply(Settings settings);
  void show_reload(bool success);
  /// What the collecting thread has been at work since the start.
  void show_control(const control::ServerCounts& counts) { self_->show_control(counts); }
  void show_busy(std::chrono::nanoseconds busy) { self_->show_busy(busy); }

  /// For the parts of the agent that have families of their own.
  [[nodiscard]] metrics::Registry& registry() { return registry_; }
  [[nodiscard]] SnapshotExchange& exchange() { return exchange_; }
  /// For questions about some collectors of the host's metrics, whose snapshots have the families of those alone.
  [[nodiscard]] SnapshotExchange& host_exchange() { return host_exchange_; }
  [[nodiscard]] detail::ConnectionFeed& connections() { return connections_; }
  [[nodiscard]] FilteredSeries& filtered() { return filtered_; }
  /// Names of the collectors of the host's metrics that are on.
  [[nodiscard]] std::vector<std::string> collectors() const;
  /// Has new processes looked at for libraries, where a probe wants that. After start().
  Status follow_new_programs(EventLoop& loop);

 private:
  CollectCycle(Settings settings, std::unique_ptr<probe::IdentityProbe> identity_probe);
  [[nodiscard]] std::set<std::string> probe_names() const;
  void start_one(probe::Probe& probe, const probe::SharedMaps& shared);
  void collect_one(probe::Probe& probe, Clock::time_point now);
  void tell_problems(const std::string& name, const std::vector<probe::HookStatus>& hooks);
  void collect_applications(Clock::time_point now);
  void collect_host(Clock::time_point now, metrics::Snapshot& snapshot, const std::set<std::string>& asked = {});
  void retire(Clock::time_point now);
  void note(const std::string& part, const Status& outcome);

  metrics::Registry registry_;
  std::unique_ptr<probe::IdentityProbe> identity_probe_;
  identity::IdentityTable identities_;
  detail::ConnectionFeed connections_;
  Exemplars exemplars_{connections_};
  probe::LibraryWatch libraries_;
  std::vector<std::unique_ptr<probe::Probe>> probes_;
  std::unique_ptr<host::HostMetrics> host_;    // null when no part of the agent
  std::unique_ptr<NewPrograms> new_programs_;  // nullptr: nobody hangs programs in libraries
  std::unique_ptr<SelfMetrics> self_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::map<std::string, std::string> off_;  // why a probe is off, by its name
  ProblemLog problems_;
  /// Hooks and problems that the last report of each probe had, which are in the log.
  std::map<std::string, std::set<std::pair<std::string, std::string>>> told_;
  FilteredSeries filtered_;
  SnapshotExchange exchange_;
  SnapshotExchange host_exchange_;
};

}  // namespace connscope::runtime
