// SPDX-License-Identifier: Apache-2.0
//
// stat: what the kernel counts as a whole. Source: /proc/stat (proc(5)).
#include <array>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::stat {
namespace {

constexpr const char* kFile = "stat";
/// In the order of the line, which has their sum first (include/linux/interrupt.h).
constexpr auto kSoftirqs = std::to_array<std::string_view>(
    {"hi", "timer", "net_tx", "net_rx", "block", "block_iopoll", "tasklet", "sched", "hrtimer", "rcu"});
constexpr auto kFields =
    std::to_array<std::string_view>({"intr", "ctxt", "processes", "btime", "procs_running", "procs_blocked"});

class Stat final : public Collector {
 public:
  explicit Stat(bool with_softirq)
      : Collector("stat"),
        with_softirq_(with_softirq),
        table_(add_table({}, {{"node_intr_total", "Interrupts served.", kCounter},
                              {"node_context_switches_total", "Context switches.", kCounter},
                              {"node_forks_total", "Processes and threads begun.", kCounter},
                              {"node_boot_time_seconds", "When the system was booted, in Unix time."},
                              {"node_procs_running", "Tasks that run or could."},
                              {"node_procs_blocked", "Tasks that wait for I/O."}})),
        softirqs_(add_table({"vector"}, {{"node_softirqs_total", "Soft interrupts by their vector.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    table_.row({});
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view values = line;
      const std::string_view name = take_field(values);
      if (name == "softirq" && with_softirq_) read_softirqs(values);
      for (std::size_t i = 0; i < kFields.size(); ++i) {
        if (name != kFields[i]) continue;
        const auto number = to_number(take_field(values));
        if (!number) return malformed(kFile, line);
        table_.set(i, *number);
      }
    }
    return {};
  }

  void read_softirqs(std::string_view values) {
    take_field(values);
    for (const std::string_view vector : kSoftirqs) {
      const auto number = to_number(take_field(values));
      if (!number) return;
      softirqs_.row({vector});
      softirqs_.set(0, *number);
    }
  }

  bool with_softirq_;
  Table& table_;
  Table& softirqs_;
};

constexpr std::array kFlags = {Flag{"collector.stat.softirq", "false", "Serve node_softirqs_total"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  return std::unique_ptr<Collector>(std::make_unique<Stat>(flags.is_on("collector.stat.softirq")));
}

}  // namespace

extern const CollectorType kType{"stat", true, make, kFlags};

}  // namespace connscope::host::collectors::stat
