// SPDX-License-Identifier: Apache-2.0
//
// cpu: how the CPUs spend their time, and what they are. Sources: /proc/stat, /proc/cpuinfo (proc(5)), and
// /sys/devices/system/cpu (Documentation/ABI/testing/sysfs-devices-system-cpu).
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

#include "agent/host/collector.h"
#include "agent/host/cpu_list.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::cpu {
namespace {

constexpr const char* kFile = "stat";
/// USER_HZ, which is 100 for every program on every architecture that Linux is built for today.
constexpr double kTicksPerSecond = 100;
constexpr auto kModes =
    std::to_array<std::string_view>({"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"});
constexpr std::size_t kIdle = 3;
constexpr auto kGuestModes = std::to_array<std::string_view>({"user", "nice"});
constexpr std::size_t kTimes = kModes.size() + kGuestModes.size();
/// Idle time may fall a little, since the kernel estimates it; by more than this the CPU was taken off and is back.
constexpr double kFallOfReturn = 3;

using Times = std::array<double, kTimes>;

/// No time falls in what is shown: to a reader that would be a restart, and so a large rise.
void clamp(Times& shown, const Times& now) {
  const bool is_back = now[kIdle] < shown[kIdle] - kFallOfReturn;
  for (std::size_t i = 0; i < kTimes; ++i) shown[i] = is_back ? now[i] : std::max(shown[i], now[i]);
}

class Cpu final : public Collector {
 public:
  Cpu(bool with_guest, bool with_info)
      : Collector("cpu"),
        with_guest_(with_guest),
        with_info_(with_info),
        times_(add_table({"cpu", "mode"}, {{"node_cpu_seconds_total", "Time of the CPU by what it did.", kCounter}})),
        guest_(add_table({"cpu", "mode"},
                         {{"node_cpu_guest_seconds_total", "Time of the CPU in virtual machines.", kCounter}})),
        cores_(add_table({"package", "core"}, {{"node_cpu_core_throttles_total",
                                                "How often the core was slowed down for its heat.", kCounter}})),
        packages_(add_table({"package"}, {{"node_cpu_package_throttles_total",
                                           "How often the package was slowed down for its heat.", kCounter}})),
        isolated_(add_table({"cpu"}, {{"node_cpu_isolated", "1: the scheduler leaves the CPU alone."}})),
        info_(add_table(
            {"package", "core", "cpu", "vendor", "family", "model", "model_name", "microcode", "stepping", "cachesize"},
            {{"node_cpu_info", "What the CPU is; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    if (auto outcome = read_times(kernel); !outcome) return outcome;
    read_throttles(kernel);
    for (const std::uint64_t cpu : cpus_of_list(kernel.line(Root::kSys, {"devices/system/cpu/isolated"}))) {
      isolated_.row({std::to_string(cpu)});
      isolated_.set(0, 1U);
    }
    if (with_info_) read_info(kernel);
    return {};
  }

  Status read_times(Kernel& kernel) {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (!line.starts_with("cpu")) break;  // they come first
      if (line.size() > 3 && line[3] != ' ' && !take_cpu(line)) return malformed(kFile, line);
    }
    return {};
  }

  bool take_cpu(std::string_view line) {
    const Fields<1 + kTimes> fields(line);
    if (fields.size() < 1 + 4) return false;  // the oldest kernels had four
    Times now{};
    for (std::size_t i = 0; i + 1 < fields.size(); ++i) {
      const auto ticks = to_number(fields[i + 1]);
      if (!ticks) return false;
      now[i] = static_cast<double>(*ticks) / kTicksPerSecond;
    }
    show(fields[0].substr(3), now);
    return true;
  }

  void show(std::string_view cpu, const Times& now) {
    auto known = shown_.find(cpu);
    if (known == shown_.end()) known = shown_.emplace(cpu, now).first;
    clamp(known->second, now);
    const Times& shown = known->second;
    for (std::size_t i = 0; i < kModes.size(); ++i) {
      times_.row({cpu, kModes[i]});
      times_.set(0, shown[i]);
    }
    for (std::size_t i = 0; with_guest_ && i < kGuestModes.size(); ++i) {
      guest_.row({cpu, kGuestModes[i]});
      guest_.set(0, shown[kModes.size() + i]);
    }
  }

  /// Threads of a core share its counter, and cores of a package theirs.
  void read_throttles(Kernel& kernel) {
    if (kernel.list(Root::kSys, {"devices/system/cpu/cpu0/thermal_throttle"}).error != 0) return;
    for (const std::string& cpu : kernel.list(Root::kSys, {"devices/system/cpu"}).names) {
      if (!is_numbered(cpu, "cpu")) continue;
      const std::string folder = "devices/system/cpu/" + cpu;
      const std::string package(kernel.line(Root::kSys, {folder, "/topology/physical_package_id"}));
      const std::string core(kernel.line(Root::kSys, {folder, "/topology/core_id"}));
      if (package.empty() || core.empty()) continue;
      if (const auto n = kernel.number(Root::kSys, {folder, "/thermal_throttle/core_throttle_count"});
          n && cores_.row({package, core}))
        cores_.set(0, *n);
      if (const auto n = kernel.number(Root::kSys, {folder, "/thermal_throttle/package_throttle_count"});
          n && packages_.row({package}))
        packages_.set(0, *n);
    }
  }

  void read_info(Kernel& kernel) {
    const Content content = kernel.read(Root::kProc, {"cpuinfo"});
    std::unordered_map<std::string_view, std::string_view> facts;
    std::string_view rest = content.text;
    while (!rest.empty()) {
      std::string_view line = take_line(rest);
      const std::string_view key = trimmed(take_until(line, ':'));
      if (!key.empty()) facts[key] = trimmed(line);
      if ((key.empty() || rest.empty()) && facts.count("processor") != 0) {
        info_.row({facts["physical id"], facts["core id"], facts["processor"], facts["vendor_id"], facts["cpu family"],
                   facts["model"], facts["model name"], facts["microcode"], facts["stepping"], facts["cache size"]});
        info_.set(0, 1U);
      }
      if (key.empty()) facts.clear();
    }
  }

  bool with_guest_;
  bool with_info_;
  Table& times_;
  Table& guest_;
  Table& cores_;
  Table& packages_;
  Table& isolated_;
  Table& info_;
  std::unordered_map<std::string, Times, TextHash, std::equal_to<>> shown_;  // by CPU
};

constexpr std::array kFlags = {Flag{"collector.cpu.guest", "true", "Serve node_cpu_guest_seconds_total"},
                               Flag{"collector.cpu.info", "false", "Serve node_cpu_info"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  return std::unique_ptr<Collector>(
      std::make_unique<Cpu>(flags.is_on("collector.cpu.guest"), flags.is_on("collector.cpu.info")));
}

}  // namespace

extern const CollectorType kType{"cpu", true, make, kFlags};

}  // namespace connscope::host::collectors::cpu
