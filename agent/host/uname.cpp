// SPDX-License-Identifier: Apache-2.0
//
// uname: which kernel runs, and where. Source: uname(2).
#include "agent/host/collector.h"

namespace connscope::host::collectors::uname {
namespace {

class Uname final : public Collector {
 public:
  Uname()
      : Collector("uname"),
        info_(add_table({"sysname", "release", "version", "machine", "nodename", "domainname"},
                        {{"node_uname_info", "The kernel and the host's names; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    utsname name{};
    if (kernel.uname(name) != 0) return Error::from_errno("uname", errno);
    info_.row({name.sysname, name.release, name.version, name.machine, name.nodename, name.domainname});
    info_.set(0, 1U);
    return {};
  }

  Table& info_;
};

}  // namespace

extern const CollectorType kType{"uname", true, make_plain<Uname>};

}  // namespace connscope::host::collectors::uname
