// SPDX-License-Identifier: Apache-2.0
//
// SelfMetrics: the families that the agent has about itself (METRICS.md, "The agent itself"): its build, its process,
// its probes, BPF programs and maps, what was lost, collects, reloads and the series budget. The collecting thread
// only.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/control/server.h"
#include "agent/identity/identity_table.h"
#include "agent/metrics/registry.h"
#include "agent/probe/probe.h"
#include "agent/runtime/filtered_series.h"

namespace connscope::runtime {

class SelfMetrics {
 public:
  /// Registers every family. `registry` outlives this.
  static Result<SelfMetrics> create(metrics::Registry& registry, const std::string& version);

  /// `problem`: why the probe is off, when it is.
  void show_probe(std::string_view name, const probe::ProbeReport& report, const std::string& problem);
  /// Called before the probes are shown: hooks that changed their reason would otherwise stand there twice.
  void forget_hooks();
  void show_collect(std::string_view collector, std::chrono::nanoseconds duration, bool success);
  void show_reload(bool success, metrics::WallTime now);
  void show_control(const control::ServerCounts& counts);
  void show_limits(const identity::IdentityTable& identities);
  /// `busy`: since the start.
  void show_busy(std::chrono::nanoseconds busy);
  /// What the config and the scrapes leave out.
  Status show_left_out(const Result<identity::LeftOutCounts>& processes, const FilteredSeries& series);
  /// Reads /proc/self.
  Status show_process();

 private:
  struct Families;
  SelfMetrics(metrics::Registry& registry, std::shared_ptr<Families> families)
      : registry_(&registry), families_(std::move(families)) {}

  metrics::Registry* registry_;
  std::shared_ptr<Families> families_;
  std::map<std::string, std::uint64_t> run_time_ns_;  // by program, as shown last
  double cpu_seconds_ = 0;                            // likewise
  double busy_seconds_ = 0;                           // likewise
};

}  // namespace connscope::runtime
