// SPDX-License-Identifier: Apache-2.0
//
// meminfo: the kernel's account of memory. Source: /proc/meminfo (proc(5)): "NAME: NUMBER[ kB]".
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::meminfo {
namespace {

constexpr const char* kFile = "meminfo";

/// "Active(anon)" is Active_anon.
std::string metric_name(std::string_view field, bool is_bytes) {
  std::string name = "node_memory_";
  for (const char c : field)
    if (c != ')') name += c == '(' ? '_' : c;
  return is_bytes ? name + "_bytes" : name;
}

class Meminfo final : public Collector {
 public:
  Meminfo() : Collector("meminfo"), table_(add_table({})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    table_.row({});
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view value = line;
      const std::string_view name = take_until(value, ':');
      const Fields<3> fields(value);
      const auto number = to_number(fields[0]);
      const bool is_bytes = fields.size() == 2;
      if (!number || fields.size() > 2 || (is_bytes && fields[1] != "kB") || name.empty())
        return malformed(kFile, line);
      const std::size_t column = table_.column_for(name, [&] {
        return Column{metric_name(name, is_bytes), "The field " + std::string(name) + " of /proc/meminfo."};
      });
      table_.set(column, is_bytes ? *number * 1024 : *number);
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"meminfo", true, make_plain<Meminfo>};

}  // namespace connscope::host::collectors::meminfo
