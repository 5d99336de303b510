// SPDX-License-Identifier: Apache-2.0
//
// LibraryProbe: the user half that the probes of TLS libraries have in common. Their programs hang in every copy of the
// library that a process maps, and count in the maps of the probe `tls`, which also exposes them; so there is nothing
// to collect here but new copies of the library, which it shows.
//
// The collecting thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/executables.h"
#include "agent/probe/library_hooks.h"
#include "agent/probe/library_uprobes.h"
#include "agent/probe/mapped_libraries.h"
#include "agent/probe/probe.h"
#include "bpf/tls/library_info.h"

namespace connscope::bpf {

/// What one library's probe is made of.
struct TlsLibrary {
  /// Takes the object that is opened, before it is loaded.
  using Prepare = std::function<void(const bpf_object*)>;
  template <class Skeleton>
  static probe::BpfObject::Opener open_with(const Prepare& prepare) {
    return probe::BpfObject::opener<Skeleton>([prepare](const Skeleton& skeleton) { prepare(skeleton.obj); });
  }

  std::string name;   ///< of the probe
  std::string label;  ///< of the library, where it is shown
  std::function<probe::BpfObject::Opener(Prepare)> open;
  std::vector<probe::LibraryProgram> programs;
  probe::MappedLibraries::Wanted is_library;  ///< where there are shared ones
  probe::Executables::Wanted is_executable;   ///< where there are executables that it may be linked into
  probe::LibraryKind kind = {};
};

class LibraryProbe final : public probe::Probe {
 public:
  using Clock = std::chrono::steady_clock;

  static Result<std::unique_ptr<probe::Probe>> make(const TlsLibrary& library, const probe::ProbeContext& context,
                                                    config::Section section);

  [[nodiscard]] std::string_view name() const override { return library_.name; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override { static_cast<void>(identities); }
  [[nodiscard]] probe::ProbeReport report() const override;

 private:
  LibraryProbe(const TlsLibrary& library, probe::LibraryWatch& watch, probe::LibrarySettings settings,
               LibraryInfo info);
  void show_copies() { info_.show(hooks_.uprobes().copies()); }

  TlsLibrary library_;
  probe::LibrarySettings settings_;
  probe::BpfObject object_;
  probe::LibraryHooks hooks_;  // its links go before the programs
  LibraryInfo info_;
  bool up_ = false;
};

}  // namespace connscope::bpf
