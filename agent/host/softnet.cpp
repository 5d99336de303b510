// SPDX-License-Identifier: Apache-2.0
//
// softnet: how CPUs take packets off their queues. Source: /proc/net/softnet_stat, a line of hexadecimal numbers for
// each CPU (net/core/net-procfs.c); later kernels have more of them.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::softnet {
namespace {

constexpr const char* kFile = "net/softnet_stat";
constexpr std::size_t kCpuField = 12;

struct Statistic {
  std::size_t field;
  const char* name;
  const char* help;
  metrics::MetricType type = kCounter;
};
constexpr auto kStatistics = std::to_array<Statistic>({
    {0, "node_softnet_processed_total", "Packets taken."},
    {1, "node_softnet_dropped_total", "Packets dropped since the queue was full."},
    {2, "node_softnet_times_squeezed_total", "Times that packets were left over for the next turn."},
    {8, "node_softnet_cpu_collision_total", "Collisions on a device's lock."},
    {9, "node_softnet_received_rps_total", "Wake-ups for packets that other CPUs passed on."},
    {10, "node_softnet_flow_limit_count_total", "Packets dropped by the limit of a flow."},
    {11, "node_softnet_backlog_len", "Packets in the queue.", kGauge},
});

class Softnet final : public Collector {
 public:
  Softnet() : Collector("softnet"), table_(add_table({"cpu"})) {
    for (const Statistic& statistic : kStatistics) table_.add_column({statistic.name, statistic.help, statistic.type});
  }

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    for (std::uint64_t at = 0; !rest.empty(); ++at) {
      const std::string_view line = take_line(rest);
      const Fields<16> fields(line);
      // CPUs that are off have no line, so that lines can be counted only where they do not say whose they are.
      const auto cpu = fields.size() > kCpuField ? to_number(fields[kCpuField], 16) : at;
      if (fields.size() < 9 || !cpu || !take(*cpu, fields)) return malformed(kFile, line);
    }
    return {};
  }

  bool take(std::uint64_t cpu, const Fields<16>& fields) {
    table_.row({std::to_string(cpu)});
    for (std::size_t i = 0; i < kStatistics.size() && kStatistics[i].field < fields.size(); ++i) {
      const auto number = to_number(fields[kStatistics[i].field], 16);
      if (!number) return false;
      table_.set(i, *number);
    }
    return true;
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"softnet", true, make_plain<Softnet>};

}  // namespace connscope::host::collectors::softnet
