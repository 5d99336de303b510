// SPDX-License-Identifier: Apache-2.0
//
// cgroup: what units and containers use of CPU, memory and I/O. Source: Documentation/admin-guide/cgroup-v2.rst.
// One series a unit, or a container of it: a cgroup counts what is below it too, so that of several cgroups with the
// same labels the outermost counts, and a unit counts its containers.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/pressure_file.h"
#include "agent/host/text.h"
#include "agent/identity/cgroup_path.h"

namespace connscope::host::collectors::cgroup {
namespace {

constexpr const char* kUnified = "fs/cgroup";
constexpr const char* kHybrid = "fs/cgroup/unified";  // where version 1 is in use beside it
constexpr std::size_t kDeepest = 16;
constexpr double kMicrosecond = 1e-6;

/// A key of a file, and the column that its value goes to.
struct Key {
  std::string_view name;
  std::size_t column;
  double unit;
};
constexpr auto kCpuKeys = std::to_array<Key>({{"user_usec", 0, kMicrosecond},
                                              {"system_usec", 1, kMicrosecond},
                                              {"throttled_usec", 2, kMicrosecond},
                                              {"nr_periods", 3, 1},
                                              {"nr_throttled", 4, 1}});
constexpr std::size_t kMemory = 5;
constexpr std::size_t kMemoryLimit = 6;
constexpr std::size_t kOomKills = 7;
constexpr std::size_t kTasks = 8;
constexpr auto kIoKeys = std::to_array<Key>({{"rbytes=", 0, 1}, {"wbytes=", 1, 1}, {"rios=", 2, 1}, {"wios=", 3, 1}});

struct Resource {
  const char* file;
  std::string_view name;
};
constexpr auto kResources =
    std::to_array<Resource>({{"cpu.pressure", "cpu"}, {"memory.pressure", "memory"}, {"io.pressure", "io"}});

class Cgroup final : public Collector {
 public:
  Cgroup()
      : Collector("cgroup"),
        table_(add_table(
            {"unit", "container"},
            {{"connscope_cgroup_cpu_user_seconds_total", "CPU time in user mode.", kCounter},
             {"connscope_cgroup_cpu_system_seconds_total", "CPU time in the kernel.", kCounter},
             {"connscope_cgroup_cpu_throttled_seconds_total", "Time held back by the limit of CPU time.", kCounter},
             {"connscope_cgroup_cpu_periods_total", "Periods of the limit of CPU time.", kCounter},
             {"connscope_cgroup_cpu_throttled_periods_total", "Periods in which it held tasks back.", kCounter},
             {"connscope_cgroup_memory_bytes", "Memory in use."},
             {"connscope_cgroup_memory_limit_bytes", "The limit of memory; none where there is no limit."},
             {"connscope_cgroup_oom_kills_total", "Processes killed since memory ran out.", kCounter},
             {"connscope_cgroup_tasks", "Processes and threads."}})),
        io_(add_table({"unit", "container", "device"},
                      {{"connscope_cgroup_io_read_bytes_total", "Bytes read from the device.", kCounter},
                       {"connscope_cgroup_io_written_bytes_total", "Bytes written to the device.", kCounter},
                       {"connscope_cgroup_io_reads_total", "Reads from the device.", kCounter},
                       {"connscope_cgroup_io_writes_total", "Writes to the device.", kCounter}})),
        pressure_(add_table(
            {"unit", "container", "resource"},
            {{"connscope_cgroup_pressure_waiting_seconds_total", "Time in which a task waited for it.", kCounter},
             {"connscope_cgroup_pressure_stalled_seconds_total", "Time in which all waited for it.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const bool is_unified = static_cast<bool>(kernel.read(Root::kSys, {kUnified, "/cgroup.controllers"}));
    walk(kernel, is_unified ? kUnified : kHybrid, "", 0);
    return {};
  }

  /// Folders are cgroups, and their files have a dot in the name; so may folders: it is tried.
  void walk(Kernel& kernel, const std::string& root, const std::string& path, std::size_t depth) {
    if (depth == kDeepest) return;
    for (const std::string& name : kernel.list(Root::kSys, {root, path}).names) {
      const std::string below = path + "/" + name;
      if (is_attribute(name) || kernel.list(Root::kSys, {root, below}).error != 0) continue;
      read_cgroup(kernel, root + below, below);
      walk(kernel, root, below, depth + 1);
    }
  }

  static bool is_attribute(std::string_view name) {
    for (const std::string_view controller :
         {"cgroup.", "cpu.", "cpuset.", "memory.", "io.", "pids.", "irq.", "rdma.", "hugetlb.", "misc.", "dmem."})
      if (name.starts_with(controller)) return true;
    return false;
  }

  void read_cgroup(Kernel& kernel, const std::string& folder, std::string_view path) {
    const std::string_view unit = identity::systemd_unit(path);
    const std::string_view container = identity::container_id(path);
    if (unit.empty() && container.empty()) return;  // a slice
    if (!table_.row({unit, container})) return;     // inside one that has been counted
    read_cpu(kernel, folder);
    set_number(kernel, folder, "/memory.current", kMemory);
    set_number(kernel, folder, "/memory.max", kMemoryLimit);
    set_number(kernel, folder, "/pids.current", kTasks);
    std::string_view events = kernel.read(Root::kSys, {folder, "/memory.events"}).text;
    while (!events.empty()) {
      const Fields<2> fields(take_line(events));
      const auto number = to_number(fields[1]);
      if (fields[0] == "oom_kill" && number) table_.set(kOomKills, *number);
    }
    read_io(kernel, folder, unit, container);
    read_pressure(kernel, folder, unit, container);
  }

  void read_cpu(Kernel& kernel, const std::string& folder) {
    std::string_view rest = kernel.read(Root::kSys, {folder, "/cpu.stat"}).text;
    while (!rest.empty()) {
      const Fields<2> fields(take_line(rest));
      const auto number = to_number(fields[1]);
      for (const Key& key : kCpuKeys)
        if (fields[0] == key.name && number) table_.set(key.column, static_cast<double>(*number) * key.unit);
    }
  }

  /// "max" is no number: there is no limit.
  void set_number(Kernel& kernel, const std::string& folder, std::string_view file, std::size_t column) {
    if (const auto number = kernel.number(Root::kSys, {folder, file})) table_.set(column, *number);
  }

  /// "8:0 rbytes=1 wbytes=2 …".
  void read_io(Kernel& kernel, const std::string& folder, std::string_view unit, std::string_view container) {
    std::string_view rest = kernel.read(Root::kSys, {folder, "/io.stat"}).text;
    while (!rest.empty()) {
      const Fields<8> fields(take_line(rest));
      if (fields.size() < 2) continue;
      io_.row({unit, container, fields[0]});
      for (std::size_t i = 1; i < fields.size(); ++i)
        for (const Key& key : kIoKeys)
          if (const auto number = to_number(fields[i].starts_with(key.name) ? fields[i].substr(key.name.size()) : ""))
            io_.set(key.column, *number);
    }
  }

  void read_pressure(Kernel& kernel, const std::string& folder, std::string_view unit, std::string_view container) {
    for (const Resource& resource : kResources) {
      const auto stalls = stalls_of(kernel.read(Root::kSys, {folder, "/", resource.file}).text);
      if (!stalls || !stalls->some_seconds) continue;
      pressure_.row({unit, container, resource.name});
      pressure_.set(0, *stalls->some_seconds);
      if (stalls->full_seconds) pressure_.set(1, *stalls->full_seconds);
    }
  }

  Table& table_;
  Table& io_;
  Table& pressure_;
};

}  // namespace

extern const CollectorType kType{"cgroup", true, make_plain<Cgroup>};

}  // namespace connscope::host::collectors::cgroup
