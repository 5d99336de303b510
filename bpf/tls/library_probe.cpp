// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/library_probe.h"

#include <memory>
#include <utility>

namespace connscope::bpf {
namespace {

/// The maps of the probe `tls`, one of which tells of all.
constexpr char kMapOfTls[] = "tls_sessions";

probe::LibraryUprobes::Sources sources_of(const TlsLibrary& library) {
  probe::LibraryUprobes::Sources sources;
  if (library.is_library) sources.push_back(std::make_unique<probe::MappedLibraries>(library.is_library));
  if (library.is_executable) sources.push_back(std::make_unique<probe::Executables>(library.is_executable));
  return sources;
}

probe::LibraryKind kind_of(const TlsLibrary& library) {
  probe::LibraryKind kind = library.kind;
  kind.speaks_tls = true;
  return kind;
}

}  // namespace

LibraryProbe::LibraryProbe(const TlsLibrary& library, probe::LibraryWatch& watch, probe::LibrarySettings settings,
                           LibraryInfo info)
    : library_(library),
      settings_(settings),
      hooks_(watch, sources_of(library), settings, kind_of(library)),
      info_(std::move(info)) {}

Result<std::unique_ptr<probe::Probe>> LibraryProbe::make(const TlsLibrary& library, const probe::ProbeContext& context,
                                                         config::Section section) {
  const auto settings = probe::LibrarySettings::parse(section);
  auto info = LibraryInfo::create(context.registry, library.label);
  if (!info) return info.error();
  return std::unique_ptr<probe::Probe>(new LibraryProbe(library, context.libraries, settings, std::move(*info)));
}

Status LibraryProbe::start(const probe::SharedMaps& shared) {
  if (shared.count(kMapOfTls) == 0) return Error("it needs the probe tls, which is off");
  const auto open = library_.open([this](const bpf_object* object) { hooks_.prepare(object, library_.programs); });
  auto object = probe::BpfObject::load(open, shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto started = hooks_.start(object_, library_.programs); !started) return started;
  show_copies();
  up_ = true;
  return {};
}

void LibraryProbe::check_reload(config::Section section) const {
  settings_.check_reload(probe::LibrarySettings::parse(section), section);
}

void LibraryProbe::stop() {
  hooks_.stop();
  info_.show({});
  up_ = false;
}

Status LibraryProbe::collect(Clock::time_point now) {
  static_cast<void>(now);
  const auto looked = hooks_.look_when_due();
  if (!looked) return looked.error();
  if (*looked) show_copies();
  return {};
}

probe::ProbeReport LibraryProbe::report() const {
  if (object_.map_fd("ledger") < 0) return {};  // never started
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  // That nobody uses the library just now is no problem.
  for (probe::HookStatus& hook : report.hooks) hook.problem.clear();
  hooks_.describe(report);
  return report;
}

}  // namespace connscope::bpf
