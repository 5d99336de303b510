// SPDX-License-Identifier: Apache-2.0
//
// pressure: how long tasks have waited for CPUs, memory, I/O and interrupts. Source: /proc/pressure
// (Documentation/accounting/psi.rst).
#include <array>

#include "agent/host/collector.h"
#include "agent/host/pressure_file.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::pressure {
namespace {

struct Resource {
  std::string_view file;
  std::size_t some;
  std::size_t full;
};
/// Of CPUs only "some" has a meaning for the whole system, of interrupts only "full".
constexpr std::size_t kNone = SIZE_MAX;
constexpr auto kResources = std::to_array<Resource>(
    {{"pressure/cpu", 0, kNone}, {"pressure/memory", 1, 2}, {"pressure/io", 3, 4}, {"pressure/irq", kNone, 5}});

class Pressure final : public Collector {
 public:
  Pressure()
      : Collector("pressure"),
        table_(add_table(
            {}, {{"node_pressure_cpu_waiting_seconds_total", "Time in which a task waited for a CPU.", kCounter},
                 {"node_pressure_memory_waiting_seconds_total", "Time in which a task waited for memory.", kCounter},
                 {"node_pressure_memory_stalled_seconds_total", "Time in which all waited for memory.", kCounter},
                 {"node_pressure_io_waiting_seconds_total", "Time in which a task waited for I/O.", kCounter},
                 {"node_pressure_io_stalled_seconds_total", "Time in which all waited for I/O.", kCounter},
                 {"node_pressure_irq_stalled_seconds_total", "Time in which all waited for interrupts.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    for (const Resource& resource : kResources) {
      const Content content = kernel.read(Root::kProc, {resource.file});
      if (!content) {
        if (auto outcome = absent_or_error(content, resource.file); !outcome) return outcome;
        continue;
      }
      const auto stalls = stalls_of(content.text);
      if (!stalls) return malformed(resource.file, content.text);
      if (resource.some != kNone && stalls->some_seconds) table_.set(resource.some, *stalls->some_seconds);
      if (resource.full != kNone && stalls->full_seconds) table_.set(resource.full, *stalls->full_seconds);
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"pressure", true, make_plain<Pressure>};

}  // namespace connscope::host::collectors::pressure
