// SPDX-License-Identifier: Apache-2.0
//
// sockstat: sockets by protocol. Sources: /proc/net/sockstat and sockstat6 (proc_pid_net(5)): "PROTOCOL: NAME NUMBER
// …".
#include <unistd.h>

#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::sockstat {
namespace {

class Sockstat final : public Collector {
 public:
  Sockstat()
      : Collector("sockstat"),
        page_bytes_(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))),
        table_(add_table({}, {})) {}

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    for (const char* file : {"net/sockstat", "net/sockstat6"}) {
      const Content content = kernel.read(Root::kProc, {file});
      const Status outcome = content ? take(content.text, file) : absent_or_error(content, file);
      if (!outcome) return outcome;
    }
    return {};
  }

  Status take(std::string_view rest, const char* file) {
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view fields = line;
      const std::string_view protocol = take_until(fields, ':');
      for (auto name = take_field(fields); !name.empty(); name = take_field(fields)) {
        const auto number = to_number(take_field(fields));
        if (!number) return malformed(file, line);
        show(protocol, name, "", *number);
        if (name == "mem") show(protocol, name, "_bytes", *number * page_bytes_);  // which it has in pages
      }
    }
    return {};
  }

  void show(std::string_view protocol, std::string_view name, std::string_view suffix, std::uint64_t number) {
    field_.assign(protocol).append("_").append(name).append(suffix);
    const std::size_t column = table_.column_for(field_, [this] {
      return Column{"node_sockstat_" + field_, "Sockets: " + field_ + ", as the kernel counts them."};
    });
    table_.set(column, number);
  }

  std::uint64_t page_bytes_;
  Table& table_;
  std::string field_;  // reused
};

}  // namespace

extern const CollectorType kType{"sockstat", true, make_plain<Sockstat>};

}  // namespace connscope::host::collectors::sockstat
