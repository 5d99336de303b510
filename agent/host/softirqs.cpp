// SPDX-License-Identifier: Apache-2.0
//
// softirqs: soft interrupts by type and CPU. Source: /proc/softirqs (proc(5)): a heading of CPUs, then "NAME: COUNT…".
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::softirqs {
namespace {

constexpr const char* kFile = "softirqs";

class Softirqs final : public Collector {
 public:
  Softirqs()
      : Collector("softirqs"),
        table_(add_table({"cpu", "type"},
                         {{"node_softirqs_functions_total", "Soft interrupts by type and CPU.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    const std::string_view heading = take_line(rest);
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view values = line;
      const std::string_view type = trimmed(take_until(values, ':'));
      std::string_view cpus = heading;
      for (auto cpu = take_field(cpus); !cpu.empty(); cpu = take_field(cpus)) {
        const auto count = to_number(take_field(values));
        if (!count || !cpu.starts_with("CPU")) return malformed(kFile, line);
        table_.row({cpu.substr(3), type});
        table_.set(0, *count);
      }
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"softirqs", false, make_plain<Softirqs>};

}  // namespace connscope::host::collectors::softirqs
