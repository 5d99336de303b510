// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/self_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "agent/base/file.h"
#include "agent/metrics/registrar.h"

namespace connscope::runtime {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Info;

struct SelfMetrics::Families {
  Family<Info>* build = nullptr;
  Family<Gauge>* probe_up = nullptr;
  Family<Info>* probe = nullptr;
  Family<Counter>* bpf_run_seconds = nullptr;
  Family<Counter>* bpf_runs = nullptr;
  Family<Counter>* bpf_skipped = nullptr;
  Family<Gauge>* map_entries = nullptr;
  Family<Gauge>* map_max_entries = nullptr;
  Family<Counter>* lost_events = nullptr;
  Family<Gauge>* collect_duration = nullptr;
  Family<Gauge>* collect_success = nullptr;
  Family<Gauge>* reload_success = nullptr;
  Family<Gauge>* reload_time = nullptr;
  Family<Gauge>* series = nullptr;
  Family<Counter>* folded = nullptr;
  Family<Gauge>* identities = nullptr;
  Family<Counter>* control_requests = nullptr;
  Family<Counter>* control_dropped = nullptr;
  Family<Counter>* busy = nullptr;
  Family<Counter>* excluded = nullptr;
  Family<Counter>* filtered = nullptr;
  Family<Counter>* cpu = nullptr;
  Family<Gauge>* resident = nullptr;
  Family<Gauge>* virtual_memory = nullptr;
  Family<Gauge>* threads = nullptr;
  Family<Gauge>* start_time = nullptr;
  Family<Gauge>* open_fds = nullptr;
  Family<Gauge>* max_fds = nullptr;
  Family<Gauge>* max_virtual_memory = nullptr;
};

namespace {

/// For families without labels, or with values that are known to be right in number.
template <class S>
S* series_of(Family<S>* family, const std::vector<std::string>& values) {
  auto series = family->with(values);
  return series ? *series : nullptr;
}

template <class V>
void set(Family<Gauge>* family, const std::vector<std::string>& values, V value) {
  if (Gauge* gauge = series_of(family, values)) gauge->set(metrics::Number(value));
}

void follow(Family<Counter>* family, const std::vector<std::string>& values, std::uint64_t total) {
  if (Counter* counter = series_of(family, values)) counter->follow(total);
}

std::uint64_t open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  std::uint64_t count = 0;
  while (directory && ::readdir(directory.get()) != nullptr) ++count;
  return count > 3 ? count - 3 : 0;  // ".", ".." and the directory's own
}

/// The fields of /proc/self/stat from the third on: the second may hold spaces and brackets.
std::vector<std::string> stat_fields(const std::string& stat) {
  std::vector<std::string> fields;
  std::istringstream words(stat.substr(std::min(stat.rfind(')') + 2, stat.size())));
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double boot_time_seconds() {
  const auto stat = read_file("/proc/stat");
  const std::string marker = "\nbtime ";
  const auto at = stat ? stat->find(marker) : std::string::npos;
  if (at == std::string::npos) return 0;
  const auto begin = at + marker.size();
  return static_cast<double>(number_of(stat->substr(begin, stat->find('\n', begin) - begin)));
}

}  // namespace

Result<SelfMetrics> SelfMetrics::create(metrics::Registry& registry, const std::string& version) {
  auto made = std::make_shared<Families>();
  Families& families = *made;
  metrics::Registrar registrar(registry);
  registrar.add(families.build, "connscope_build", "The running build.", "", {});
  registrar.add(families.probe_up, "connscope_probe_up",
                "1: the probe counts; 0: it is off, connscope_probe_info says why.", "", {"probe"});
  registrar.add(families.probe, "connscope_probe", "Where a probe hangs; reason: why it does not.", "",
                {"probe", "hook", "reason", "variant"});
  registrar.add(families.bpf_run_seconds, "connscope_bpf_run_seconds",
                "Run time of a BPF program; counts only while kernel.bpf_stats_enabled is 1.", "seconds", {"program"});
  registrar.add(families.bpf_runs, "connscope_bpf_runs",
                "Runs of a BPF program; counts only while kernel.bpf_stats_enabled is 1.", "", {"program"});
  registrar.add(families.bpf_skipped, "connscope_bpf_runs_skipped",
                "Runs of a BPF program that the kernel left out, since the program was running on that CPU already.",
                "", {"program"});
  registrar.add(families.map_entries, "connscope_bpf_map_entries", "Entries in a BPF map.", "", {"map"});
  registrar.add(families.map_max_entries, "connscope_bpf_map_max_entries", "Entries that a BPF map has room for.", "",
                {"map"});
  registrar.add(families.lost_events, "connscope_lost_events", "Events that a probe could not count properly.", "",
                {"probe", "cause"});
  registrar.add(families.collect_duration, "connscope_collect_duration_seconds", "How long the last collect took.",
                "seconds", {"collector"});
  registrar.add(families.collect_success, "connscope_collect_success", "1: the last collect went well.", "",
                {"collector"});
  registrar.add(families.reload_success, "connscope_config_last_reload_successful",
                "1: the last config that was read is in force.", "", {});
  registrar.add(families.reload_time, "connscope_config_last_reload_success_timestamp_seconds",
                "When the config in force was read.", "seconds", {});
  registrar.add(families.series, "connscope_series", "Series of a family.", "", {"family"});
  registrar.add(families.folded, "connscope_series_folded", "Label values that a limit folded into \"other\".", "",
                {"label"});
  registrar.add(families.identities, "connscope_identities", "Process identities that are known.", "", {});
  registrar.add(families.control_requests, "connscope_control_requests", "Requests on the control socket.", "", {});
  registrar.add(families.control_dropped, "connscope_control_dropped",
                "Clients of the control socket that got no whole answer, by why.", "", {"reason"});
  registrar.add(families.busy, "connscope_busy_seconds",
                "The collecting thread's time at work, outside its wait for something to do.", "seconds", {},
                "cpu.svc");
  registrar.add(families.excluded, "connscope_excluded_processes",
                "Processes that the config leaves out, counted when they were first looked at.", "", {"by"});
  registrar.add(families.filtered, "connscope_filtered_series", "Series that scrapes left out, as they were asked to.",
                "", {"by"});
  registrar.add(families.cpu, "process_cpu_seconds", "User and system CPU time of the agent.", "seconds", {});
  registrar.add(families.resident, "process_resident_memory_bytes", "Resident memory of the agent.", "bytes", {});
  registrar.add(families.virtual_memory, "process_virtual_memory_bytes", "Virtual memory of the agent.", "bytes", {});
  registrar.add(families.threads, "process_threads", "Threads of the agent.", "", {});
  registrar.add(families.start_time, "process_start_time_seconds", "When the agent started, in Unix time.", "seconds",
                {});
  registrar.add(families.open_fds, "process_open_fds", "Open file descriptors of the agent.", "", {});
  registrar.add(families.max_fds, "process_max_fds", "Its limit of open file descriptors.", "", {});
  registrar.add(families.max_virtual_memory, "process_virtual_memory_max_bytes", "Its limit of virtual memory.",
                "bytes", {});
  if (!registrar.outcome()) return registrar.outcome().error();
  if (Info* build = series_of(families.build, {})) build->set({{"version", version}, {"compiler", __VERSION__}});
  return SelfMetrics(registry, std::move(made));
}

void SelfMetrics::show_probe(std::string_view name, const probe::ProbeReport& report, const std::string& problem) {
  const std::string probe(name);
  set(families_->probe_up, {probe}, std::uint64_t{report.up ? 1U : 0U});
  if (report.hooks.empty()) series_of(families_->probe, {probe, "", problem, ""});
  for (const auto& hook : report.hooks) series_of(families_->probe, {probe, hook.hook, hook.problem, hook.variant});
  for (const auto& stats : report.programs) {
    const std::string program = probe + "/" + stats.program;
    follow(families_->bpf_runs, {program}, stats.runs);
    follow(families_->bpf_skipped, {program}, stats.skipped);
    const std::uint64_t shown = std::exchange(run_time_ns_[program], stats.run_time_ns);
    if (Counter* counter = series_of(families_->bpf_run_seconds, {program}))
      (void)counter->add(static_cast<double>(stats.run_time_ns - shown) / 1e9);
  }
  for (const auto& map : report.maps) {
    set(families_->map_entries, {probe + "/" + map.map}, map.entries);
    set(families_->map_max_entries, {probe + "/" + map.map}, map.max_entries);
  }
  for (const auto& lost : report.lost) follow(families_->lost_events, {probe, lost.cause}, lost.count);
}

void SelfMetrics::forget_hooks() { families_->probe->clear(); }

void SelfMetrics::show_collect(std::string_view collector, std::chrono::nanoseconds duration, bool success) {
  const std::string name(collector);
  set(families_->collect_duration, {name}, std::chrono::duration<double>(duration).count());
  set(families_->collect_success, {name}, std::uint64_t{success ? 1U : 0U});
}

void SelfMetrics::show_reload(bool success, metrics::WallTime now) {
  set(families_->reload_success, {}, std::uint64_t{success ? 1U : 0U});
  if (success) set(families_->reload_time, {}, std::chrono::duration<double>(now.time_since_epoch()).count());
}

void SelfMetrics::show_limits(const identity::IdentityTable& identities) {
  set(families_->identities, {}, std::uint64_t{identities.size()});
  follow(families_->folded, {"prefix"}, identities.folded());
  for (const auto& [label, count] : registry_->budget().folds()) follow(families_->folded, {label}, count);
  registry_->visit([this](const metrics::FamilyBase& family) {
    set(families_->series, {family.descriptor().name}, std::uint64_t{family.size()});
  });
}

void SelfMetrics::show_control(const control::ServerCounts& counts) {
  follow(families_->control_requests, {}, counts.requests);
  follow(families_->control_dropped, {"refused"}, counts.refused);
  follow(families_->control_dropped, {"slow_reader"}, counts.slow_readers);
  follow(families_->control_dropped, {"displaced"}, counts.displaced);
}

void SelfMetrics::show_busy(std::chrono::nanoseconds busy) {
  const auto seconds = std::chrono::duration<double>(busy).count();
  if (Counter* counter = series_of(families_->busy, {}))
    (void)counter->add(seconds - std::exchange(busy_seconds_, seconds));
}

Status SelfMetrics::show_left_out(const Result<identity::LeftOutCounts>& processes, const FilteredSeries& series) {
  follow(families_->filtered, {"name"}, series.by_name);
  follow(families_->filtered, {"prefix"}, series.by_prefix);
  if (!processes) return processes.error();
  follow(families_->excluded, {"rule"}, (*processes)[LEFT_OUT_BY_RULE]);
  follow(families_->excluded, {"exclude"}, (*processes)[LEFT_OUT_BY_EXCLUDE]);
  return {};
}

Status SelfMetrics::show_process() {
  const auto stat = read_file("/proc/self/stat");
  if (!stat) return stat.error();
  const auto fields = stat_fields(*stat);
  if (fields.size() < 22) return Error("/proc/self/stat: too few fields");
  // proc(5): utime is field 14, so 11 from the third on.
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double cpu = static_cast<double>(number_of(fields[11]) + number_of(fields[12])) / ticks_per_second;
  if (Counter* counter = series_of(families_->cpu, {})) (void)counter->add(cpu - std::exchange(cpu_seconds_, cpu));
  set(families_->threads, {}, number_of(fields[17]));
  set(families_->start_time, {}, boot_time_seconds() + static_cast<double>(number_of(fields[19])) / ticks_per_second);
  set(families_->virtual_memory, {}, number_of(fields[20]));
  set(families_->resident, {}, number_of(fields[21]) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  set(families_->open_fds, {}, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) set(families_->max_fds, {}, std::uint64_t{limit.rlim_cur});
  if (::getrlimit(RLIMIT_AS, &limit) == 0) set(families_->max_virtual_memory, {}, std::uint64_t{limit.rlim_cur});
  return {};
}

}  // namespace connscope::runtime
