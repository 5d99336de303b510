// SPDX-License-Identifier: Apache-2.0
//
// dmi: what the machine is. Source: Documentation/ABI/testing/sysfs-class-dmi. Serial numbers are for root alone.
#include <array>
#include <string>

#include "agent/host/collector.h"

namespace connscope::host::collectors::dmi {
namespace {

constexpr auto kFields = std::to_array<const char*>(
    {"bios_date", "bios_release", "bios_vendor", "bios_version", "board_asset_tag", "board_name", "board_serial",
     "board_vendor", "board_version", "chassis_asset_tag", "chassis_serial", "chassis_vendor", "chassis_version",
     "product_family", "product_name", "product_serial", "product_sku", "product_uuid", "product_version"});

std::vector<std::string> labels() {
  std::vector<std::string> names(kFields.begin(), kFields.end());
  names.emplace_back("system_vendor");  // whose file is called sys_vendor
  return names;
}

class Dmi final : public Collector {
 public:
  Dmi()
      : Collector("dmi"),
        info_(add_table(labels(), {{"node_dmi_info", "What the firmware says of the machine; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    if (kernel.list(Root::kSys, {"class/dmi/id"}).error != 0) return {};
    std::vector<std::string> words;
    for (const char* field : kFields) words.emplace_back(kernel.line(Root::kSys, {"class/dmi/id/", field}));
    words.emplace_back(kernel.line(Root::kSys, {"class/dmi/id/sys_vendor"}));
    const std::vector<std::string_view> values(words.begin(), words.end());
    info_.row(values);
    info_.set(0, 1U);
    return {};
  }

  Table& info_;
};

}  // namespace

extern const CollectorType kType{"dmi", true, make_plain<Dmi>};

}  // namespace connscope::host::collectors::dmi
