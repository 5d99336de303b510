// SPDX-License-Identifier: Apache-2.0
//
// LibraryHooks: what a probe needs whose programs hang in libraries: which way of hanging the kernel has, when to look
// for copies again, and what to report of them. The collecting thread only.
#pragma once

#include <bpf/libbpf.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/library_uprobes.h"
#include "agent/probe/library_watch.h"
#include "agent/probe/mapped_libraries.h"
#include "agent/probe/probe.h"
#include "agent/probe/uprobe.h"

namespace connscope::probe {

/// Keys of the config that all such probes have.
struct LibrarySettings {
  std::chrono::milliseconds rescan{};
  std::size_t libraries = 0;

  static LibrarySettings parse(config::Section section);
  /// Reports to `section`, from which `wanted` was read, what of it needs a restart.
  void check_reload(const LibrarySettings& wanted, config::Section section) const;
};

class LibraryHooks {
 public:
  /// Enters `watch`, which outlives it.
  LibraryHooks(LibraryWatch& watch, LibraryUprobes::Sources sources, LibrarySettings settings, LibraryKind kind = {});
  /// Shared libraries alone.
  LibraryHooks(LibraryWatch& watch, MappedLibraries::Wanted wanted, LibrarySettings settings);
  LibraryHooks(const LibraryHooks&) = delete;
  LibraryHooks& operator=(const LibraryHooks&) = delete;
  ~LibraryHooks();

  /// To be called before the load, for all programs that are to hang.
  void prepare(const bpf_object* object, const std::vector<LibraryProgram>& programs);
  /// The same of the loaded object, which outlives the hooks' use: hangs them, in that order, in all that runs now.
  Status start(const BpfObject& object, std::vector<LibraryProgram> programs);
  /// Looks for copies that are new or gone when it is time to, unless stopped; true: these may be others than before.
  Result<bool> look_when_due();
  /// Looks for new ones in one process, unless stopped.
  void look_at(const ProcessNews& news);
  void stop();

  [[nodiscard]] const LibraryUprobes& uprobes() const { return uprobes_; }
  /// Adds to the programs of a report how they hang, the copies that they do not hang in, and how many they do.
  void describe(ProbeReport& report) const;

 private:
  using Clock = std::chrono::steady_clock;
  Status look(std::size_t max_reads);

  LibraryWatch& watch_;
  LibrarySettings settings_;
  std::optional<UprobeWay> way_;  ///< known from the first load on
  LibraryUprobes uprobes_;
  Clock::time_point last_look_;
  bool has_looked_at_one_ = false;  ///< since look_when_due was called last
  bool is_started_ = false;
};

}  // namespace connscope::probe
