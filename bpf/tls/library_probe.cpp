// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/library_probe.h"

#include <limits>
#include <memory>
#include <utility>

namespace connscope::bpf {
namespace {

/// Maps of processes that one look reads, at some 50 µs each; at the start all are read.
constexpr std::size_t kReadsPerLook = 500;
/// The maps of the probe `tls`, one of which tells of all.
constexpr char kMapOfTls[] = "tls_sessions";

probe::LibraryUprobes::Sources sources_of(const TlsLibrary& library) {
  probe::LibraryUprobes::Sources sources;
  if (library.is_library) sources.push_back(std::make_unique<probe::MappedLibraries>(library.is_library));
  if (library.is_executable) sources.push_back(std::make_unique<probe::Executables>(library.is_executable));
  return sources;
}

}  // namespace

LibrarySettings LibrarySettings::parse(config::Section section) {
  using namespace std::chrono_literals;
  return {section.duration("rescan", 10s, 100ms, 1h),
          static_cast<std::size_t>(section.integer("libraries", 256, 1, 10'000))};
}

LibraryProbe::LibraryProbe(const TlsLibrary& library, LibrarySettings settings, LibraryInfo info)
    : library_(library),
      settings_(settings),
      uprobes_(sources_of(library), settings.libraries, library.kind),
      info_(std::move(info)) {}

Result<std::unique_ptr<probe::Probe>> LibraryProbe::make(const TlsLibrary& library, const probe::ProbeContext& context,
                                                         config::Section section) {
  const LibrarySettings settings = LibrarySettings::parse(section);
  auto info = LibraryInfo::create(context.registry, library.label);
  if (!info) return info.error();
  return std::unique_ptr<probe::Probe>(new LibraryProbe(library, settings, std::move(*info)));
}

Status LibraryProbe::load(const probe::SharedMaps& shared) {
  if (shared.count(kMapOfTls) == 0) return Error("it needs the probe tls, which is off");
  if (probe::uprobe_multi_refusal().empty()) way_ = probe::UprobeWay::kMulti;
  std::vector<probe::LibraryProgram> programs;
  const auto open = library_.open([&](std::vector<probe::LibraryProgram> opened) {
    programs = std::move(opened);
    for (const probe::LibraryProgram& each : programs) probe::prepare_uprobe(each.program, way_);
  });
  auto object = probe::BpfObject::load(open, shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  uprobes_.set_programs(std::move(programs), way_);
  return {};
}

Status LibraryProbe::start(const probe::SharedMaps& shared) {
  if (auto loaded = load(shared); !loaded) return loaded;
  if (auto looked = look(std::numeric_limits<std::size_t>::max()); !looked) return looked;
  up_ = true;
  return {};
}

void LibraryProbe::check_reload(config::Section section) const {
  const LibrarySettings wanted = LibrarySettings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.rescan != settings_.rescan) section.fail("rescan", restart);
  if (wanted.libraries != settings_.libraries) section.fail("libraries", restart);
}

void LibraryProbe::stop() {
  uprobes_.detach();
  info_.show({});
  up_ = false;
}

Status LibraryProbe::look(std::size_t max_reads) {
  last_look_ = Clock::now();
  if (auto looked = uprobes_.look(max_reads); !looked) return looked;
  info_.show(uprobes_.copies());
  return {};
}

Status LibraryProbe::collect(Clock::time_point now) {
  static_cast<void>(now);
  return up_ && Clock::now() - last_look_ >= settings_.rescan ? look(kReadsPerLook) : Status();
}

probe::ProbeReport LibraryProbe::report() const {
  if (object_.map_fd("ledger") < 0) return {};  // never started
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  // That nobody uses the library just now is no problem.
  for (probe::HookStatus& hook : report.hooks) {
    hook.variant = way_ == probe::UprobeWay::kMulti ? "uprobe_multi" : "perf";
    hook.problem.clear();
  }
  const auto problems = uprobes_.problems();
  report.hooks.insert(report.hooks.end(), problems.begin(), problems.end());
  report.maps = {{"libraries", uprobes_.attached(), uprobes_.limit()}};
  return report;
}

}  // namespace connscope::bpf
