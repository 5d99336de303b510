// SPDX-License-Identifier: Apache-2.0
//
// loadavg: how many tasks run or wait, over the last minutes. Source: /proc/loadavg (proc(5)).
#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::loadavg {
namespace {

constexpr const char* kFile = "loadavg";

class Loadavg final : public Collector {
 public:
  Loadavg()
      : Collector("loadavg"),
        table_(add_table({}, {{"node_load1", "Load average over one minute."},
                              {"node_load5", "Load average over five minutes."},
                              {"node_load15", "Load average over fifteen minutes."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    const Fields<3> fields(content.text);
    table_.row({});
    for (std::size_t i = 0; i < 3; ++i) {
      const auto load = to_real(fields[i]);
      if (!load) return malformed(kFile, content.text);
      table_.set(i, *load);
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"loadavg", true, make_plain<Loadavg>};

}  // namespace connscope::host::collectors::loadavg
