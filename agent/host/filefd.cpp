// SPDX-License-Identifier: Apache-2.0
//
// filefd: open files of the whole system. Source: /proc/sys/fs/file-nr (proc_sys_fs(5)).
#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::filefd {
namespace {

constexpr const char* kFile = "sys/fs/file-nr";

class Filefd final : public Collector {
 public:
  Filefd()
      : Collector("filefd"),
        table_(add_table({}, {{"node_filefd_allocated", "Open files of the system."},
                              {"node_filefd_maximum", "How many there may be."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    const Fields<3> fields(content.text);
    const auto allocated = to_number(fields[0]);
    const auto maximum = to_number(fields[2]);
    if (!allocated || !maximum) return malformed(kFile, content.text);
    table_.row({});
    table_.set(0, *allocated);
    table_.set(1, *maximum);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"filefd", true, make_plain<Filefd>};

}  // namespace connscope::host::collectors::filefd
