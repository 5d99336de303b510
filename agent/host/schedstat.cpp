// SPDX-License-Identifier: Apache-2.0
//
// schedstat: what the scheduler counts for each CPU. Source: /proc/schedstat (Documentation/scheduler/sched-stats.rst),
// which has "cpuN" and nine numbers: the last three are run time, wait time (both in nanoseconds) and time slices.
#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::schedstat {
namespace {

constexpr const char* kFile = "schedstat";
constexpr double kNanosecond = 1e-9;

class Schedstat final : public Collector {
 public:
  Schedstat()
      : Collector("schedstat"),
        table_(add_table({"cpu"}, {{"node_schedstat_running_seconds_total", "Time that tasks ran.", kCounter},
                                   {"node_schedstat_waiting_seconds_total", "Time that tasks waited to run.", kCounter},
                                   {"node_schedstat_timeslices_total", "Time slices that tasks had.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (!line.starts_with("cpu")) continue;
      const Fields<10> fields(line);
      const auto running = to_number(fields[7]);
      const auto waiting = to_number(fields[8]);
      const auto slices = to_number(fields[9]);
      if (!running || !waiting || !slices) return malformed(kFile, line);
      table_.row({fields[0].substr(3)});
      table_.set(0, static_cast<double>(*running) * kNanosecond);
      table_.set(1, static_cast<double>(*waiting) * kNanosecond);
      table_.set(2, *slices);
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"schedstat", true, make_plain<Schedstat>};

}  // namespace connscope::host::collectors::schedstat
