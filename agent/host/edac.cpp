// SPDX-License-Identifier: Apache-2.0
//
// edac: memory errors. Source: Documentation/admin-guide/ras.rst, "EDAC memory controllers".
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/cpu_list.h"

namespace connscope::host::collectors::edac {
namespace {

constexpr std::string_view kFolder = "devices/system/edac/mc";
constexpr std::string_view kController = "mc";
constexpr std::string_view kRow = "csrow";

class Edac final : public Collector {
 public:
  Edac()
      : Collector("edac"),
        controllers_(add_table({"controller"},
                               {{"node_edac_correctable_errors_total", "Memory errors that were corrected.", kCounter},
                                {"node_edac_uncorrectable_errors_total", "Memory errors that were not.", kCounter}})),
        rows_(add_table(
            {"controller", "csrow"},
            {{"node_edac_csrow_correctable_errors_total", "Memory errors of a row that were corrected.", kCounter},
             {"node_edac_csrow_uncorrectable_errors_total", "Memory errors of a row that were not.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& name : kernel.list(Root::kSys, {kFolder}).names)
      if (is_numbered(name, kController)) read_controller(kernel, name);
    return {};
  }

  void read_controller(Kernel& kernel, const std::string& name) {
    const std::string folder = std::string(kFolder) + "/" + name + "/";
    const std::string_view controller = std::string_view(name).substr(kController.size());
    controllers_.row({controller});
    count(kernel, controllers_, folder, {"ce_count", "ue_count"});
    // Errors that belong to no row.
    rows_.row({controller, "unknown"});
    count(kernel, rows_, folder, {"ce_noinfo_count", "ue_noinfo_count"});
    for (const std::string& row : kernel.list(Root::kSys, {folder}).names) {
      if (!is_numbered(row, kRow)) continue;
      rows_.row({controller, std::string_view(row).substr(kRow.size())});
      count(kernel, rows_, folder + row + "/", {"ce_count", "ue_count"});
    }
  }

  static void count(Kernel& kernel, Table& table, const std::string& folder, std::array<std::string_view, 2> files) {
    for (std::size_t i = 0; i < files.size(); ++i)
      if (const auto number = kernel.number(Root::kSys, {folder, files[i]})) table.set(i, *number);
  }

  Table& controllers_;
  Table& rows_;
};

}  // namespace

extern const CollectorType kType{"edac", true, make_plain<Edac>};

}  // namespace connscope::host::collectors::edac
