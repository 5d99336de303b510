// SPDX-License-Identifier: Apache-2.0
//
// powersupplyclass: batteries and mains. Source: Documentation/ABI/testing/sysfs-class-power.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::powersupplyclass {
namespace {

constexpr std::string_view kFolder = "class/power_supply";

struct Attribute {
  std::string_view file;
  const char* name;
  double scale = 1;
};
constexpr double kMicro = 1e-6;
constexpr double kTenth = 0.1;
constexpr auto kAttributes = std::to_array<Attribute>({
    {"authentic", "node_power_supply_authentic"},
    {"calibrate", "node_power_supply_calibrate"},
    {"capacity", "node_power_supply_capacity"},
    {"capacity_alert_max", "node_power_supply_capacity_alert_max"},
    {"capacity_alert_min", "node_power_supply_capacity_alert_min"},
    {"cyclecount", "node_power_supply_cyclecount"},
    {"cycle_count", "node_power_supply_cyclecount"},
    {"online", "node_power_supply_online"},
    {"present", "node_power_supply_present"},
    {"time_to_empty_now", "node_power_supply_time_to_empty_seconds"},
    {"time_to_full_now", "node_power_supply_time_to_full_seconds"},
    {"current_boot", "node_power_supply_current_boot", kMicro},
    {"current_max", "node_power_supply_current_max", kMicro},
    {"current_now", "node_power_supply_current_ampere", kMicro},
    {"energy_empty", "node_power_supply_energy_empty", kMicro},
    {"energy_empty_design", "node_power_supply_energy_empty_design", kMicro},
    {"energy_full", "node_power_supply_energy_full", kMicro},
    {"energy_full_design", "node_power_supply_energy_full_design", kMicro},
    {"energy_now", "node_power_supply_energy_watthour", kMicro},
    {"charge_empty", "node_power_supply_charge_empty", kMicro},
    {"charge_full", "node_power_supply_charge_full", kMicro},
    {"charge_full_design", "node_power_supply_charge_full_design", kMicro},
    {"charge_now", "node_power_supply_charge_ampere", kMicro},
    {"power_now", "node_power_supply_power_watt", kMicro},
    {"voltage_max", "node_power_supply_voltage_max", kMicro},
    {"voltage_max_design", "node_power_supply_voltage_max_design", kMicro},
    {"voltage_min", "node_power_supply_voltage_min", kMicro},
    {"voltage_min_design", "node_power_supply_voltage_min_design", kMicro},
    {"voltage_now", "node_power_supply_voltage_volt", kMicro},
    {"temp", "node_power_supply_temp_celsius", kTenth},
    {"temp_alert_max", "node_power_supply_temp_alert_max_celsius", kTenth},
    {"temp_alert_min", "node_power_supply_temp_alert_min_celsius", kTenth},
    {"temp_ambient", "node_power_supply_temp_ambient_celsius", kTenth},
});

class PowerSupplies final : public Collector {
 public:
  explicit PowerSupplies(Filter supplies)
      : Collector("powersupplyclass"),
        supplies_(std::move(supplies)),
        table_(add_table({"power_supply"})),
        info_(add_table({"power_supply", "capacity_level", "charge_type", "health", "manufacturer", "model_name",
                         "serial_number", "status", "technology", "type", "usb_type", "scope"},
                        {{"node_power_supply_info", "What the supply says of itself in words; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& supply : kernel.list(Root::kSys, {kFolder}).names)
      if (supplies_.passes(supply)) read_supply(kernel, supply);
    return {};
  }

  void read_supply(Kernel& kernel, const std::string& supply) {
    table_.row({supply});
    for (const Attribute& attribute : kAttributes) {
      const auto value = kernel.integer(Root::kSys, {kFolder, "/", supply, "/", attribute.file});
      if (!value) continue;
      const std::size_t column = table_.column_for(attribute.name, [&] {
        return Column{attribute.name, "Power supplies: " + std::string(attribute.file) + "."};
      });
      table_.set(column, static_cast<double>(*value) * attribute.scale);
    }
    const auto word = [&](std::string_view file) {
      return std::string(kernel.line(Root::kSys, {kFolder, "/", supply, "/", file}));
    };
    info_.row({supply, word("capacity_level"), word("charge_type"), word("health"), word("manufacturer"),
               word("model_name"), word("serial_number"), word("status"), word("technology"), word("type"),
               word("usb_type"), word("scope")});
    info_.set(0, 1U);
  }

  Filter supplies_;
  Table& table_;
  Table& info_;
};

constexpr std::array kFlags = {Flag{"collector.powersupply.ignored-supplies", "^$", "Power supplies to leave out"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto supplies = flags.exclude("collector.powersupply.ignored-supplies");
  if (!supplies) return supplies.error();
  return std::unique_ptr<Collector>(std::make_unique<PowerSupplies>(std::move(*supplies)));
}

}  // namespace

extern const CollectorType kType{"powersupplyclass", true, make, kFlags};

}  // namespace connscope::host::collectors::powersupplyclass
