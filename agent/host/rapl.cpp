// SPDX-License-Identifier: Apache-2.0
//
// rapl: energy that the processor's domains used. Source: Documentation/power/powercap/powercap.rst.
// A zone is called "package-0" or "core": the number becomes the label.
#include <array>
#include <map>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::rapl {
namespace {

constexpr std::string_view kFolder = "class/powercap";
constexpr double kMicrojoule = 1e-6;

class Rapl final : public Collector {
 public:
  explicit Rapl(bool with_zone_label)
      : Collector("rapl"), with_zone_label_(with_zone_label), joules_(add_table({"index", "path", "rapl_zone"})) {}

 private:
  Status read(Kernel& kernel) override {
    counts_.clear();
    for (const std::string& zone : kernel.list(Root::kSys, {kFolder}).names) {
      if (!zone.starts_with("intel-rapl:") && !zone.starts_with("intel-rapl-mmio:")) continue;
      const std::string name(kernel.line(Root::kSys, {kFolder, "/", zone, "/name"}));
      const auto used = kernel.number(Root::kSys, {kFolder, "/", zone, "/energy_uj"});
      // Only root may read it on most systems: then there is no data.
      if (!name.empty() && used) show(zone, name, static_cast<double>(*used) * kMicrojoule, kernel);
    }
    return {};
  }

  void show(const std::string& zone, const std::string& name, double joules, const Kernel& kernel) {
    const std::size_t dash = name.rfind('-');
    const bool is_numbered = dash != std::string::npos && to_number(std::string_view(name).substr(dash + 1));
    const std::string kind = is_numbered ? name.substr(0, dash) : name;
    const std::string index = is_numbered ? name.substr(dash + 1) : std::to_string(counts_[kind]++);
    const std::string metric = with_zone_label_ ? "node_rapl_joules_total" : "node_rapl_" + kind + "_joules_total";
    const std::size_t column = joules_.column_for(metric, [&] {
      return Column{metric, "Energy that the domain used, in joules.", kCounter};
    });
    joules_.row({index, kernel.path(Root::kSys, {kFolder, "/", zone}), with_zone_label_ ? kind : ""});
    joules_.set(column, joules);
  }

  bool with_zone_label_;
  Table& joules_;
  std::map<std::string, std::uint64_t> counts_;  // of zones that have no number of their own
};

constexpr std::array kFlags = {
    Flag{"collector.rapl.enable-zone-label", "false", "One family with the zone as label, not one a zone"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  return std::unique_ptr<Collector>(std::make_unique<Rapl>(flags.is_on("collector.rapl.enable-zone-label")));
}

}  // namespace

extern const CollectorType kType{"rapl", true, make, kFlags};

}  // namespace connscope::host::collectors::rapl
