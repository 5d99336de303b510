// SPDX-License-Identifier: Apache-2.0
//
// interrupts: interrupts by line and CPU. Source: /proc/interrupts (proc(5)): a heading of CPUs, then
// "NAME: COUNT… [CHIP EDGE DEVICES]", where names that are numbers are lines of hardware.
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::interrupts {
namespace {

constexpr const char* kFile = "interrupts";

class Interrupts final : public Collector {
 public:
  Interrupts()
      : Collector("interrupts"),
        table_(add_table({"cpu", "type", "info", "devices"},
                         {{"node_interrupts_total", "Interrupts by their line and CPU.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    if (!take_heading(take_line(rest))) return malformed(kFile, content.text);
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view values = line;
      const std::string_view name = trimmed(take_until(values, ':'));
      // ERR and MIS are of no CPU.
      if (name.empty() || name == "ERR" || name == "MIS") continue;
      if (!take(name, values)) return malformed(kFile, line);
    }
    return {};
  }

  bool take_heading(std::string_view heading) {
    cpus_.clear();
    for (auto cpu = take_field(heading); !cpu.empty(); cpu = take_field(heading)) {
      if (!cpu.starts_with("CPU")) return false;
      cpus_.emplace_back(cpu.substr(3));
    }
    return !cpus_.empty();
  }

  bool take(std::string_view name, std::string_view values) {
    counts_.clear();
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
      const auto count = to_number(take_field(values));
      if (!count) return false;
      counts_.push_back(*count);
    }
    const bool is_hardware = to_number(name).has_value();
    const std::string_view info = is_hardware ? take_field(values) : trimmed(values);
    const std::string_view devices = is_hardware ? trimmed(values) : std::string_view();
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
      table_.row({cpus_[i], name, info, devices});
      table_.set(0, counts_[i]);
    }
    return true;
  }

  Table& table_;
  std::vector<std::string> cpus_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace

extern const CollectorType kType{"interrupts", false, make_plain<Interrupts>};

}  // namespace connscope::host::collectors::interrupts
