// SPDX-License-Identifier: Apache-2.0
//
// Probe: the user half of one probe. It loads and attaches its BPF object, and at each collect reads the cells that the
// programs have counted in and adds what is new to its metric families.
//
// Made by bpf/catalog.cpp, owned by the runtime. All calls come from the collecting thread. A probe that cannot start
// is off: start() says why, report() shows it, and the rest of the agent goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/detail/connection_feed.h"
#include "agent/identity/identity_table.h"
#include "agent/metrics/registry.h"
#include "agent/probe/library_watch.h"

namespace connscope::probe {

/// Maps that one object owns and others use, by name. Descriptors are borrowed from the owner.
using SharedMaps = std::map<std::string, int>;

/// What a probe works with. All of it outlives the probe.
struct ProbeContext {
  metrics::Registry& registry;
  identity::IdentityTable& identities;
  detail::ConnectionFeed& connections;
  LibraryWatch& libraries;
};

/// One BPF program and where it hangs.
struct HookStatus {
  std::string program;
  std::string hook;     ///< section name: "tp_btf/inet_sock_set_state"
  std::string problem;  ///< why it is not attached; empty when it is
  std::string variant;  ///< which way to see its events it belongs to, where there are several
};

/// The kernel's own figures about a program; run time and runs stay 0 while kernel.bpf_stats_enabled is 0.
struct ProgramStats {
  std::string program;
  std::uint64_t run_time_ns = 0;
  std::uint64_t runs = 0;
  std::uint64_t skipped = 0;  ///< runs left out because the program was running on that CPU already (recursion_misses)
};

struct MapUsage {
  std::string map;
  std::uint64_t entries = 0;
  std::uint64_t max_entries = 0;
};

struct LostEvents {
  std::string cause;
  std::uint64_t count = 0;
};

struct ProbeReport {
  bool up = false;
  std::vector<HookStatus> hooks;
  std::vector<ProgramStats> programs;
  std::vector<MapUsage> maps;
  std::vector<LostEvents> lost;
};

class Probe {
 public:
  virtual ~Probe() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Loads and attaches. `shared`: the maps of the identity probe, which must have started, and of the probes before
  /// it.
  virtual Status start(const SharedMaps& shared) = 0;
  /// Reads its own config section again and reports to it each key whose change needs a restart.
  virtual void check_reload(config::Section section) const = 0;
  /// Detaches every program; what was counted can still be collected.
  virtual void stop() = 0;
  /// Adds to the families what has been counted since the last call.
  virtual Status collect(std::chrono::steady_clock::time_point now) = 0;
  /// Identities whose processes are gone: nothing counts for them any more. Their cells may be deleted.
  virtual void retire(const std::vector<std::uint64_t>& identities) = 0;
  [[nodiscard]] virtual ProbeReport report() const = 0;
  /// Maps that the probes after it in the catalog use; empty until it has started.
  [[nodiscard]] virtual SharedMaps shared_maps() const { return {}; }
};

}  // namespace connscope::probe
