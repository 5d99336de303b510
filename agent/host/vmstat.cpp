// SPDX-License-Identifier: Apache-2.0
//
// vmstat: events of virtual memory. Source: /proc/vmstat (proc(5)): "NAME NUMBER", of which some rise and some do not.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::vmstat {
namespace {

constexpr const char* kFile = "vmstat";

class Vmstat final : public Collector {
 public:
  explicit Vmstat(Filter fields) : Collector("vmstat"), fields_(std::move(fields)), table_(add_table({})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    table_.row({});
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<3> fields(line);
      const auto number = to_integer(fields[1]);
      if (fields.size() != 2 || !number) return malformed(kFile, line);
      if (!fields_.passes(fields[0])) continue;
      const std::string_view name = fields[0];
      const std::size_t column = table_.column_for(name, [name] {
        return Column{"node_vmstat_" + std::string(name), "The field " + std::string(name) + " of /proc/vmstat.",
                      kUntyped};
      });
      table_.set(column, *number);
    }
    return {};
  }

  Filter fields_;
  Table& table_;
};

constexpr std::array kFlags = {Flag{"collector.vmstat.fields", "^(oom_kill|pgpg|pswp|pg.*fault).*", "Fields to serve"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto fields = flags.include("collector.vmstat.fields");
  if (!fields) return fields.error();
  return std::unique_ptr<Collector>(std::make_unique<Vmstat>(std::move(*fields)));
}

}  // namespace

extern const CollectorType kType{"vmstat", true, make, kFlags};

}  // namespace connscope::host::collectors::vmstat
