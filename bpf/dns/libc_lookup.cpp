// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/libc_lookup.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/library_hooks.h"
#include "agent/probe/library_uprobes.h"
#include "agent/probe/map_drain.h"
#include "agent/probe/probe.h"
#include "agent/probe/processes.h"
#include "bpf/attempt/attempt_maps.h"
#include "bpf/dns/libc_library.h"
#include "bpf/dns/libc_lookup.skel.h"
#include "bpf/dns/lookup_cells.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {
namespace {

/// Where the agent cannot see whether a thread still lives, no look-up takes so long.
constexpr std::chrono::minutes kLongestLookup{10};

struct Settings {
  probe::LibrarySettings libraries;
  std::uint32_t threads = 0;
  std::uint32_t cells = 0;

  static Settings parse(config::Section section) {
    return {probe::LibrarySettings::parse(section),
            static_cast<std::uint32_t>(section.integer("threads", 8192, 8, 1 << 22)),
            static_cast<std::uint32_t>(section.integer("cells", 8192, 8, 1 << 22))};
  }
};

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}

/// The returns first: a call that was entered before them would stay in `lookups`.
std::vector<probe::LibraryProgram> programs() {
  using probe::HangAt;
  return {{"on_return",
           HangAt::kReturn,
           {"getaddrinfo", "getnameinfo", "gethostbyname_r", "gethostbyname2_r", "gethostbyaddr_r"}},
          {"on_getaddrinfo", HangAt::kEntry, {"getaddrinfo"}},
          {"on_getnameinfo", HangAt::kEntry, {"getnameinfo"}},
          {"on_gethostbyname", HangAt::kEntry, {"gethostbyname_r"}},
          {"on_gethostbyname2", HangAt::kEntry, {"gethostbyname2_r"}},
          {"on_gethostbyaddr", HangAt::kEntry, {"gethostbyaddr_r"}}};
}

class LibcLookup final : public probe::Probe {
 public:
  LibcLookup(const probe::ProbeContext& context, Settings settings, const LookupCells::Families& families)
      : settings_(settings),
        owners_(context.identities),
        cells_(families, owners_),
        libraries_(context.libraries, is_c_library, settings.libraries),
        sees_threads_(probe::sees_all_processes()) {}

  [[nodiscard]] std::string_view name() const override { return "libc_lookup"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override { cells_.retire(object_, identities); }
  [[nodiscard]] probe::ProbeReport report() const override;
  /// What is looked up now, for whoever sees the queries.
  [[nodiscard]] probe::SharedMaps shared_maps() const override {
    return up_ ? probe::SharedMaps{{"lookups", object_.map_fd("lookups")}} : probe::SharedMaps{};
  }

 private:
  void configure(libc_lookup_bpf& skeleton);
  /// Deletes the look-ups of threads that died in the middle.
  Status bury();
  [[nodiscard]] bool is_dead(std::uint32_t thread, const lookup& lookup) const;

  Settings settings_;
  Owners owners_;
  LookupCells cells_;
  probe::BpfObject object_;
  probe::LibraryHooks libraries_;  // its links go before the programs
  probe::MapDrain<std::uint32_t, lookup> lookup_drain_{1};
  bool sees_threads_;
  bool follows_attempts_ = false;
  bool up_ = false;
};

void LibcLookup::configure(libc_lookup_bpf& skeleton) {
  skeleton.rodata->follows_attempts = follows_attempts_ ? 1 : 0;
  libraries_.prepare(skeleton.obj, programs());
  bpf_map__set_max_entries(skeleton.maps.lookups, settings_.threads);
  for (bpf_map* cells : {skeleton.maps.lookup_ended, skeleton.maps.lookup_queries})
    bpf_map__set_max_entries(cells, settings_.cells);
}

Status LibcLookup::start(const probe::SharedMaps& shared) {
  follows_attempts_ = follows_attempts(shared);
  const auto configure = [this](libc_lookup_bpf& skeleton) { this->configure(skeleton); };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<libc_lookup_bpf>(configure), shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto started = libraries_.start(object_, programs()); !started) return started;
  const auto problems = libraries_.uprobes().problems();
  if (libraries_.uprobes().attached() == 0 && !problems.empty())
    return Error(problems.front().problem).context(problems.front().hook);
  up_ = true;
  return {};
}

void LibcLookup::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  settings_.libraries.check_reload(wanted.libraries, section);
  if (wanted.threads != settings_.threads) section.fail("threads", restart);
  if (wanted.cells != settings_.cells) section.fail("cells", restart);
}

void LibcLookup::stop() {
  libraries_.stop();
  up_ = false;
}

bool LibcLookup::is_dead(std::uint32_t thread, const lookup& lookup) const {
  if (sees_threads_) return ::kill(static_cast<pid_t>(thread), 0) != 0 && errno == ESRCH;
  return now_ns() - lookup.since_ns > static_cast<std::uint64_t>(std::chrono::nanoseconds(kLongestLookup).count());
}

Status LibcLookup::bury() {
  std::vector<std::uint32_t> dead;
  const auto read = lookup_drain_.read(object_.map_fd("lookups"), [&](std::uint32_t thread, const lookup& lookup) {
    if (is_dead(thread, lookup)) dead.push_back(thread);
  });
  if (!read) return read.error().context("lookups");
  for (const std::uint32_t thread : dead) bpf_map_delete_elem(object_.map_fd("lookups"), &thread);
  return {};
}

Status LibcLookup::collect(Clock::time_point now) {
  if (!up_ && object_.map_fd("lookups") < 0) return {};  // never started
  if (auto drained = cells_.collect(object_, now); !drained) return drained;
  if (auto buried = bury(); !buried) return buried;
  if (!up_) return {};
  const auto looked = libraries_.look_when_due();
  return looked ? Status() : looked.error();
}

probe::ProbeReport LibcLookup::report() const {
  if (object_.map_fd("lookups") < 0) return {};
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  const bool hangs = libraries_.uprobes().attached() > 0;
  for (probe::HookStatus& hook : report.hooks)
    hook.problem = hangs ? "" : "no process has a C library that it can hang in";
  report.maps = {{"lookups", lookup_drain_.entries(), object_.max_entries("lookups")}};
  libraries_.describe(report);
  const auto cells = cells_.usage(object_);
  report.maps.insert(report.maps.end(), cells.begin(), cells.end());
  return report;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_libc_lookup(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  auto families = LookupCells::create_families(context.registry);
  if (!families) return families.error();
  return std::unique_ptr<probe::Probe>(std::make_unique<LibcLookup>(context, settings, *families));
}

}  // namespace connscope::bpf
