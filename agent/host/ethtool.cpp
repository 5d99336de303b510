// SPDX-License-Identifier: Apache-2.0
//
// ethtool: what drivers count for themselves, and who they are. Source: ethtool ioctls (include/uapi/linux/ethtool.h).
// The names are the drivers' own, so that all are untyped.
#include <array>
#include <map>
#include <string>

#include "agent/base/take_until.h"
#include "agent/host/collector.h"

namespace connscope::host::collectors::ethtool {
namespace {

/// "rx_queue_0_bytes" is received_queue_0_bytes: the directions have been spelled out in these names from the start.
std::string metric_name(std::string_view statistic) {
  std::string words;
  for (const char c : statistic) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool is_upper = c >= 'A' && c <= 'Z';
    words += is_plain ? c : is_upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  std::string name = "node_ethtool";
  std::string_view rest = words;
  while (!rest.empty()) {
    const std::string_view word = take_until(rest, '_');
    if (word.empty()) continue;
    name.append("_").append(word == "rx" ? "received" : word == "tx" ? "transmitted" : word);
  }
  return name;
}

class Ethtool final : public Collector {
 public:
  Ethtool(Filter devices, Filter statistics)
      : Collector("ethtool"),
        devices_(std::move(devices)),
        statistics_(std::move(statistics)),
        table_(add_table({"device"})),
        info_(add_table({"bus_info", "device", "driver", "expansion_rom_version", "firmware_version", "version"},
                        {{"node_ethtool_info", "The device's driver; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& device : kernel.list(Root::kSys, {"class/net"}).names) {
      if (!devices_.passes(device)) continue;
      if (const auto driver = kernel.driver(device)) {
        info_.row({driver->bus, device, driver->name, driver->rom_version, driver->firmware, driver->version});
        info_.set(0, 1U);
      }
      table_.row({device});
      for (const auto& [name, value] : kernel.driver_statistics(device)) show(name, value);
    }
    return {};
  }

  void show(const std::string& statistic, std::uint64_t value) {
    if (!statistics_.passes(statistic)) return;
    const std::string name = metric_name(statistic);
    const std::size_t column = table_.column_for(name, [&] {
      return Column{name, "The driver's statistic " + statistic + ".", kUntyped};
    });
    table_.set(column, value);
  }

  Filter devices_;
  Filter statistics_;
  Table& table_;
  Table& info_;
};

constexpr std::array kFlags = {
    Flag{"collector.ethtool.device-include", "", "Network devices to serve (not with device-exclude)"},
    Flag{"collector.ethtool.device-exclude", "", "Network devices to leave out (not with device-include)"},
    Flag{"collector.ethtool.metrics-include", ".*", "Statistics to serve, by the drivers' names"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto devices = flags.filter("collector.ethtool.device");
  if (!devices) return devices.error();
  auto statistics = flags.include("collector.ethtool.metrics-include");
  if (!statistics) return statistics.error();
  return std::unique_ptr<Collector>(std::make_unique<Ethtool>(std::move(*devices), std::move(*statistics)));
}

}  // namespace

extern const CollectorType kType{"ethtool", false, make, kFlags};

}  // namespace connscope::host::collectors::ethtool
