// SPDX-License-Identifier: Apache-2.0
//
// thermal_zone: temperatures and what cools them. Source: Documentation/ABI/testing/sysfs-class-thermal.
#include "agent/host/collector.h"
#include "agent/host/cpu_list.h"

namespace connscope::host::collectors::thermal_zone {
namespace {

constexpr std::string_view kFolder = "class/thermal";
constexpr std::string_view kZone = "thermal_zone";
constexpr std::string_view kCooling = "cooling_device";
constexpr double kMillidegree = 1e-3;

class ThermalZone final : public Collector {
 public:
  ThermalZone()
      : Collector("thermal_zone"),
        zones_(
            add_table({"zone", "type"}, {{"node_thermal_zone_temp", "Temperature of the zone in degrees Celsius."}})),
        cooling_(add_table({"name", "type"},
                           {{"node_cooling_device_cur_state", "How much the device cools now; 0: not at all."},
                            {"node_cooling_device_max_state", "The most that it can."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& name : kernel.list(Root::kSys, {kFolder}).names) {
      if (is_numbered(name, kZone)) read_zone(kernel, name);
      if (is_numbered(name, kCooling)) read_cooling(kernel, name);
    }
    return {};
  }

  void read_zone(Kernel& kernel, const std::string& name) {
    const std::string type(kernel.line(Root::kSys, {kFolder, "/", name, "/type"}));
    const auto temperature = kernel.integer(Root::kSys, {kFolder, "/", name, "/temp"});
    if (!temperature) return;  // a zone may have no reading now
    zones_.row({std::string_view(name).substr(kZone.size()), type});
    zones_.set(0, static_cast<double>(*temperature) * kMillidegree);
  }

  void read_cooling(Kernel& kernel, const std::string& name) {
    const std::string type(kernel.line(Root::kSys, {kFolder, "/", name, "/type"}));
    const auto now = kernel.integer(Root::kSys, {kFolder, "/", name, "/cur_state"});
    const auto most = kernel.integer(Root::kSys, {kFolder, "/", name, "/max_state"});
    if (!now || !most) return;
    cooling_.row({std::string_view(name).substr(kCooling.size()), type});
    cooling_.set(0, *now);
    cooling_.set(1, *most);
  }

  Table& zones_;
  Table& cooling_;
};

}  // namespace

extern const CollectorType kType{"thermal_zone", true, make_plain<ThermalZone>};

}  // namespace connscope::host::collectors::thermal_zone
