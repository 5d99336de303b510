// SPDX-License-Identifier: Apache-2.0
//
// nvme: NVMe controllers. Source: /sys/class/nvme (drivers/nvme/host/sysfs.c).
#include <string>

#include "agent/host/collector.h"

namespace connscope::host::collectors::nvme {
namespace {

constexpr std::string_view kFolder = "class/nvme";

class Nvme final : public Collector {
 public:
  Nvme()
      : Collector("nvme"),
        info_(add_table({"device", "firmware_revision", "model", "serial", "state"},
                        {{"node_nvme_info", "What the controller is; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& device : kernel.list(Root::kSys, {kFolder}).names) {
      const auto word = [&](std::string_view file) {
        return std::string(kernel.line(Root::kSys, {kFolder, "/", device, "/", file}));
      };
      info_.row({device, word("firmware_rev"), word("model"), word("serial"), word("state")});
      info_.set(0, 1U);
    }
    return {};
  }

  Table& info_;
};

}  // namespace

extern const CollectorType kType{"nvme", true, make_plain<Nvme>};

}  // namespace connscope::host::collectors::nvme
