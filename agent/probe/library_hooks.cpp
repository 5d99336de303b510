// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/library_hooks.h"

#include <limits>
#include <memory>
#include <utility>

namespace connscope::probe {
namespace {

/// Maps of processes that one look reads, at some 50 µs each; at the start all are read.
constexpr std::size_t kReadsPerLook = 500;

UprobeWay way_of_this_kernel() { return uprobe_multi_refusal().empty() ? UprobeWay::kMulti : UprobeWay::kPerf; }

LibraryUprobes::Sources shared_libraries(MappedLibraries::Wanted wanted) {
  LibraryUprobes::Sources sources;
  sources.push_back(std::make_unique<MappedLibraries>(std::move(wanted)));
  return sources;
}

}  // namespace

LibrarySettings LibrarySettings::parse(config::Section section) {
  using namespace std::chrono_literals;
  return {section.duration("rescan", 10s, 100ms, 1h),
          static_cast<std::size_t>(section.integer("libraries", 256, 1, 10'000))};
}

void LibrarySettings::check_reload(const LibrarySettings& wanted, config::Section section) const {
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.rescan != rescan) section.fail("rescan", restart);
  if (wanted.libraries != libraries) section.fail("libraries", restart);
}

LibraryHooks::LibraryHooks(LibraryWatch& watch, LibraryUprobes::Sources sources, LibrarySettings settings,
                           LibraryKind kind)
    : watch_(watch), settings_(settings), uprobes_(std::move(sources), settings.libraries, std::move(kind)) {
  watch_.enter(*this);
}

LibraryHooks::LibraryHooks(LibraryWatch& watch, MappedLibraries::Wanted wanted, LibrarySettings settings)
    : LibraryHooks(watch, shared_libraries(std::move(wanted)), settings) {}

LibraryHooks::~LibraryHooks() { watch_.leave(*this); }

void LibraryHooks::prepare(const bpf_object* object, const std::vector<LibraryProgram>& programs) {
  if (!way_) way_ = way_of_this_kernel();
  for (const LibraryProgram& each : programs)
    if (bpf_program* program = bpf_object__find_program_by_name(object, each.name.c_str()); program != nullptr)
      prepare_uprobe(program, *way_);
}

Status LibraryHooks::start(const BpfObject& object, std::vector<LibraryProgram> programs) {
  for (LibraryProgram& program : programs) {
    program.fd = object.program_fd(program.name);
    if (program.fd < 0) return Error("no program " + program.name);
  }
  uprobes_.set_programs(std::move(programs), way_.value_or(UprobeWay::kPerf));
  if (auto looked = look(std::numeric_limits<std::size_t>::max()); !looked) return looked;
  is_started_ = true;
  return {};
}

Result<bool> LibraryHooks::look_when_due() {
  const bool has_looked = std::exchange(has_looked_at_one_, false);
  if (!is_started_ || Clock::now() - last_look_ < settings_.rescan) return has_looked;
  if (auto looked = look(kReadsPerLook); !looked) return looked.error();
  return true;
}

void LibraryHooks::look_at(const ProcessNews& news) {
  if (!is_started_) return;
  uprobes_.look_at(news);
  has_looked_at_one_ = true;
}

void LibraryHooks::stop() {
  uprobes_.detach();
  is_started_ = false;
}

void LibraryHooks::describe(ProbeReport& report) const {
  for (HookStatus& hook : report.hooks) hook.variant = way_ == UprobeWay::kMulti ? "uprobe_multi" : "perf";
  const auto problems = uprobes_.problems();
  report.hooks.insert(report.hooks.end(), problems.begin(), problems.end());
  report.maps.push_back({"libraries", uprobes_.attached(), uprobes_.limit()});
}

Status LibraryHooks::look(std::size_t max_reads) {
  last_look_ = Clock::now();
  return uprobes_.look(max_reads);
}

}  // namespace connscope::probe
