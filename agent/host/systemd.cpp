// SPDX-License-Identifier: Apache-2.0
//
// systemd: states of its units, and what some kinds of them count. Where there is no systemd there are no series.
// Source: org.freedesktop.systemd1(5).
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "agent/host/collector.h"
#include "agent/host/service_manager.h"

namespace connscope::host::collectors::systemd {
namespace {

constexpr auto kStates =
    std::to_array<std::string_view>({"active", "activating", "deactivating", "inactive", "failed"});
constexpr std::uint64_t kNoNumber = std::numeric_limits<std::uint64_t>::max();  // systemd's "not known" and "no limit"
constexpr double kMicroseconds = 1e6;

enum PerUnit : std::size_t { kStarted, kTasks, kTasksMax, kRestarts, kTriggered, kAccepted, kConnections, kRefused };

/// "252.39-1~deb12u2" is 252.39.
double number_of_version(std::string_view version) {
  version.remove_prefix(std::min(version.find_first_of("0123456789"), version.size()));
  double number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number, std::chars_format::fixed);
  return number;
}

class Systemd final : public Collector {
 public:
  Systemd(Filter units, UnitWishes wishes)
      : Collector("systemd"),
        units_(std::move(units)),
        wishes_(std::move(wishes)),
        states_(
            add_table({"name", "state", "type"}, {{"node_systemd_unit_state", "1: the state that the unit is in."}})),
        counts_(add_table({"state"}, {{"node_systemd_units", "Units by their state."}})),
        per_unit_(add_table(
            {"name"},
            {{"node_systemd_unit_start_time_seconds", "When the unit became active, in Unix time; 0: it is not."},
             {"node_systemd_unit_tasks_current", "Tasks of the service."},
             {"node_systemd_unit_tasks_max", "The most tasks that the service may have."},
             {"node_systemd_service_restart_total", "Restarts of the service by systemd.", kCounter},
             {"node_systemd_timer_last_trigger_seconds", "When the timer last triggered, in Unix time."},
             {"node_systemd_socket_accepted_connections_total", "Connections that the socket has accepted.", kCounter},
             {"node_systemd_socket_current_connections", "Connections that the socket has."},
             {"node_systemd_socket_refused_connections_total", "Connections that the socket has refused."}})),
        running_(add_table({}, {{"node_systemd_system_running", "1: systemd says that the system is running."}})),
        version_(
            add_table({"version"}, {{"node_systemd_version", "The version of systemd, its number as the value."}})) {
    wishes_.wanted = [this](const std::string& name) { return units_.passes(name); };
  }

 private:
  Status read(Kernel& kernel) override {
    const auto manager = kernel.service_manager(wishes_);
    if (!manager) return manager.error();
    if (*manager) show(**manager);
    return {};
  }

  void show(const ServiceManager& manager) {
    for (const Unit& unit : manager.units) {
      for (const std::string_view state : kStates) {
        states_.row({unit.name, state, unit.type});
        states_.set(0, state == unit.active_state ? 1U : 0U);
      }
      show_figures(unit);
    }
    for (const std::string_view state : kStates) {
      const auto count = manager.counts.find(std::string(state));
      counts_.row({state});
      counts_.set(0, count == manager.counts.end() ? 0U : count->second);
    }
    running_.row({});
    running_.set(0, manager.state == "running" ? 1U : 0U);
    version_.row({manager.version});
    version_.set(0, number_of_version(manager.version));
  }

  void show_figures(const Unit& unit) {
    per_unit_.row({unit.name});
    if (unit.started_us)
      per_unit_.set(kStarted,
                    unit.active_state == "active" ? static_cast<double>(*unit.started_us) / kMicroseconds : 0.0);
    if (unit.last_trigger_us) per_unit_.set(kTriggered, static_cast<double>(*unit.last_trigger_us) / kMicroseconds);
    const auto set = [this](PerUnit column, const std::optional<std::uint64_t>& number) {
      if (number && *number != kNoNumber) per_unit_.set(column, *number);
    };
    set(kTasks, unit.tasks);
    set(kTasksMax, unit.tasks_max);
    set(kRestarts, unit.restarts);
    set(kAccepted, unit.accepted_connections);
    set(kConnections, unit.connections);
    set(kRefused, unit.refused_connections);
  }

  Filter units_;
  UnitWishes wishes_;
  Table& states_;
  Table& counts_;
  Table& per_unit_;
  Table& running_;
  Table& version_;
};

constexpr const char* kInclude = "collector.systemd.unit-include";
constexpr const char* kExclude = "collector.systemd.unit-exclude";
constexpr std::array kFlags = {
    Flag{kInclude, ".+", "Units to show, by their whole name"},
    Flag{kExclude, ".+\\.(automount|device|mount|scope|slice|target)", "Units to leave out, by their whole name"},
    Flag{"collector.systemd.enable-task-metrics", "false", "Tasks of services and their limit"},
    Flag{"collector.systemd.enable-restarts-metrics", "false", "Restarts of services"},
    Flag{"collector.systemd.enable-start-time-metrics", "false", "Start times of units"}};

/// Unlike other patterns, these are of the whole name.
std::string anchored(const std::string& pattern) { return "^(?:" + pattern + ")$"; }

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  for (const char* name : {kInclude, kExclude})
    if (auto legal = Pattern::compile(flags.text(name)); !legal) return legal.error().context(std::string("--") + name);
  auto units = Filter::create(anchored(flags.text(kInclude)), anchored(flags.text(kExclude)));
  if (!units) return units.error();
  UnitWishes wishes;
  wishes.tasks = flags.is_on("collector.systemd.enable-task-metrics");
  wishes.restarts = flags.is_on("collector.systemd.enable-restarts-metrics");
  wishes.start_times = flags.is_on("collector.systemd.enable-start-time-metrics");
  return std::unique_ptr<Collector>(std::make_unique<Systemd>(std::move(*units), std::move(wishes)));
}

}  // namespace

extern const CollectorType kType{"systemd", true, make, kFlags};

}  // namespace connscope::host::collectors::systemd
