// SPDX-License-Identifier: Apache-2.0
//
// hwmon: sensors. Source: Documentation/hwmon/sysfs-interface.rst: files KINDn_ITEM in /sys/class/hwmon/hwmonN, or in
// its device/ with older drivers.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::hwmon {
namespace {

constexpr std::string_view kFolder = "class/hwmon";

/// What the kinds of sensors measure.
struct Kind {
  std::string_view prefix;
  std::string_view unit;
  double scale;
};
constexpr auto kKinds = std::to_array<Kind>({{"temp", "celsius", 1e-3},
                                             {"in", "volts", 1e-3},
                                             {"fan", "rpm", 1},
                                             {"curr", "amps", 1e-3},
                                             {"power", "watt", 1e-6},
                                             {"energy", "joule_total", 1e-6},
                                             {"humidity", "", 1e-6},
                                             {"freq", "freq_mhz", 1e-6},
                                             {"pwm", "", 1},
                                             {"intrusion", "", 1}});

/// "temp2_crit_alarm": a sensor, and what the file says of it ("crit_alarm"; empty for pwm2).
struct Item {
  const Kind* kind;
  std::string_view sensor;
  std::string_view item;
};

std::optional<Item> item_of(std::string_view file) {
  const std::string_view sensor = file.substr(0, file.find('_'));
  const std::size_t digits = sensor.find_first_of("0123456789");
  if (digits == std::string_view::npos || !to_number(sensor.substr(digits))) return std::nullopt;
  for (const Kind& kind : kKinds) {
    if (kind.prefix != sensor.substr(0, digits)) continue;
    return Item{&kind, sensor, file.substr(std::min(file.size(), sensor.size() + 1))};
  }
  return std::nullopt;
}

/// Alarms and switches are no measurements, so that they have no unit of one.
bool is_flag(std::string_view item) {
  return item.ends_with("alarm") || item == "beep" || item == "enable" || item == "fault";
}

/// "node_hwmon_temp_crit_celsius".
std::string metric_name(const Item& item) {
  std::string name = "node_hwmon_" + std::string(item.kind->prefix);
  if (!item.item.empty() && item.item != "input") name.append("_").append(item.item);
  // Alarms of temperatures have always been called so.
  const bool has_unit = !item.kind->unit.empty() && (!is_flag(item.item) || item.kind->prefix == "temp");
  return has_unit && item.item != "type" ? name.append("_").append(item.kind->unit) : name;
}

std::string legal(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    name += is_plain ? c : '_';
  }
  return name;
}

class Hwmon final : public Collector {
 public:
  Hwmon()
      : Collector("hwmon"),
        sensors_(add_table({"chip", "sensor"})),
        labels_(add_table({"chip", "sensor", "label"},
                          {{"node_hwmon_sensor_label", "What the chip calls the sensor; always 1."}})),
        chips_(add_table({"chip", "chip_name"}, {{"node_hwmon_chip_names", "What the chip is called; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& name : kernel.list(Root::kSys, {kFolder}).names) {
      const std::string folder = std::string(kFolder) + "/" + name;
      const std::string chip = chip_of(kernel, folder, name);
      const std::string chip_name = legal(kernel.line(Root::kSys, {folder, "/name"}));
      if (!chip_name.empty()) {
        chips_.row({chip, chip_name});
        chips_.set(0, 1U);
      }
      read_sensors(kernel, folder, chip);
      read_sensors(kernel, folder + "/device", chip);
    }
    return {};
  }

  /// By the bus and the address of its device, since hwmonN is another one after the next boot.
  static std::string chip_of(Kernel& kernel, const std::string& folder, const std::string& name) {
    const auto last_part = [&](std::string_view link) {
      const std::string_view target = kernel.link(Root::kSys, {folder, link}).text;
      return legal(target.substr(target.rfind('/') + 1));
    };
    const std::string device = last_part("/device");
    if (device.empty()) {
      const std::string own(kernel.line(Root::kSys, {folder, "/name"}));
      return own.empty() ? name : legal(own);
    }
    const std::string bus = last_part("/device/subsystem");
    return bus.empty() ? device : bus + "_" + device;
  }

  void read_sensors(Kernel& kernel, const std::string& folder, const std::string& chip) {
    for (const std::string& file : kernel.list(Root::kSys, {folder}).names) {
      const auto item = item_of(file);
      if (!item) continue;
      const std::string_view text = kernel.line(Root::kSys, {folder, "/", file});
      if (item->item == "label") {
        if (text.empty()) continue;
        labels_.row({chip, item->sensor, text});
        labels_.set(0, 1U);
      } else if (const auto value = to_real(text)) {
        show(chip, *item, *value);
      }
    }
  }

  void show(const std::string& chip, const Item& item, double value) {
    const std::string name = metric_name(item);
    const std::size_t column = sensors_.column_for(name, [&] {
      return Column{name, "Sensors: " + std::string(item.kind->prefix) + " " + std::string(item.item) + ".",
                    name.ends_with("_total") ? kCounter : kGauge};
    });
    sensors_.row({chip, item.sensor});
    sensors_.set(column, is_flag(item.item) ? value : value * item.kind->scale);
  }

  Table& sensors_;
  Table& labels_;
  Table& chips_;
};

}  // namespace

extern const CollectorType kType{"hwmon", true, make_plain<Hwmon>};

}  // namespace connscope::host::collectors::hwmon
