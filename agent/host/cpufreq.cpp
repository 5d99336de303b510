// SPDX-License-Identifier: Apache-2.0
//
// cpufreq: frequencies of the CPUs. Source: Documentation/admin-guide/pm/cpufreq.rst (policy attributes, in kHz).
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/cpu_list.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::cpufreq {
namespace {

constexpr std::string_view kFolder = "devices/system/cpu";
constexpr std::uint64_t kHertz = 1000;

struct Attribute {
  std::string_view file;
  const char* name;
  const char* help;
};
constexpr auto kAttributes = std::to_array<Attribute>({
    {"cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Frequency, as the hardware says."},
    {"cpuinfo_min_freq", "node_cpu_frequency_min_hertz", "The least that the hardware can."},
    {"cpuinfo_max_freq", "node_cpu_frequency_max_hertz", "The most that the hardware can."},
    {"scaling_cur_freq", "node_cpu_scaling_frequency_hertz", "Frequency, as the governor knows it."},
    {"scaling_min_freq", "node_cpu_scaling_frequency_min_hertz", "The least that the governor may choose."},
    {"scaling_max_freq", "node_cpu_scaling_frequency_max_hertz", "The most that the governor may choose."},
});

class Cpufreq final : public Collector {
 public:
  Cpufreq()
      : Collector("cpufreq"),
        table_(add_table({"cpu"})),
        governors_(
            add_table({"cpu", "governor"}, {{"node_cpu_scaling_governor", "1: the governor that is at work."}})) {
    for (const Attribute& attribute : kAttributes) table_.add_column({attribute.name, attribute.help});
  }

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& name : kernel.list(Root::kSys, {kFolder}).names)
      if (is_numbered(name, "cpu")) read_cpu(kernel, name);
    return {};
  }

  void read_cpu(Kernel& kernel, const std::string& name) {
    const std::string_view cpu = std::string_view(name).substr(3);
    const std::string governor(kernel.line(Root::kSys, {kFolder, "/", name, "/cpufreq/scaling_governor"}));
    if (governor.empty()) return;  // no frequency scaling
    table_.row({cpu});
    for (std::size_t i = 0; i < kAttributes.size(); ++i) {
      const auto value = kernel.number(Root::kSys, {kFolder, "/", name, "/cpufreq/", kAttributes[i].file});
      if (value) table_.set(i, *value * kHertz);
    }
    std::string_view available = kernel.line(Root::kSys, {kFolder, "/", name, "/cpufreq/scaling_available_governors"});
    for (auto one = take_field(available); !one.empty(); one = take_field(available)) {
      governors_.row({cpu, one});
      governors_.set(0, one == governor ? 1U : 0U);
    }
  }

  Table& table_;
  Table& governors_;
};

}  // namespace

extern const CollectorType kType{"cpufreq", true, make_plain<Cpufreq>};

}  // namespace connscope::host::collectors::cpufreq
