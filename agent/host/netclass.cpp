// SPDX-License-Identifier: Apache-2.0
//
// netclass: what network devices are. Source: /sys/class/net (Documentation/ABI/testing/sysfs-class-net).
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::netclass {
namespace {

constexpr const char* kFolder = "class/net";
constexpr double kBytesPerMegabit = 1e6 / 8;

struct Attribute {
  const char* file;
  const char* name;
  metrics::MetricType type = kGauge;
};
constexpr auto kAttributes = std::to_array<Attribute>({
    {"addr_assign_type", "node_network_address_assign_type"},
    {"carrier", "node_network_carrier"},
    {"carrier_changes", "node_network_carrier_changes_total", kCounter},
    {"carrier_up_count", "node_network_carrier_up_changes_total", kCounter},
    {"carrier_down_count", "node_network_carrier_down_changes_total", kCounter},
    {"dev_id", "node_network_device_id"},
    {"dormant", "node_network_dormant"},
    {"flags", "node_network_flags"},
    {"ifindex", "node_network_iface_id"},
    {"iflink", "node_network_iface_link"},
    {"link_mode", "node_network_iface_link_mode"},
    {"mtu", "node_network_mtu_bytes"},
    {"name_assign_type", "node_network_name_assign_type"},
    {"netdev_group", "node_network_net_dev_group"},
    {"tx_queue_len", "node_network_transmit_queue_length"},
    {"type", "node_network_protocol_type"},
});
constexpr std::size_t kUp = kAttributes.size();
constexpr std::size_t kSpeed = kUp + 1;

class Netclass final : public Collector {
 public:
  Netclass(Filter devices, bool without_bad_speed)
      : Collector("netclass"),
        devices_(std::move(devices)),
        without_bad_speed_(without_bad_speed),
        table_(add_table({"device"})),
        info_(add_table({"device", "address", "broadcast", "duplex", "operstate", "ifalias"},
                        {{"node_network_info", "What the device says of itself in words; always 1."}})) {
    for (const Attribute& attribute : kAttributes)
      table_.add_column({attribute.name, std::string("The device's ") + attribute.file + " in sysfs.", attribute.type});
    table_.add_column({"node_network_up", "1: the device's operstate is up."});
    table_.add_column({"node_network_speed_bytes", "Speed of the link in bytes a second; below zero: not known."});
  }

 private:
  Status read(Kernel& kernel) override {
    const Listing devices = kernel.list(Root::kSys, {kFolder});
    if (devices.error != 0) return absent_or_error({{}, devices.error}, kFolder);
    for (const std::string& device : devices.names)
      if (devices_.passes(device)) read_device(kernel, device);
    return {};
  }

  /// A device may not answer to some (one that is down has no carrier) or vanish meanwhile.
  void read_device(Kernel& kernel, const std::string& device) {
    const std::string operstate(kernel.line(Root::kSys, {"class/net/", device, "/operstate"}));
    if (operstate.empty()) return;
    table_.row({device});
    for (std::size_t i = 0; i < kAttributes.size(); ++i) {
      const auto value = to_prefixed_number(kernel.line(Root::kSys, {"class/net/", device, "/", kAttributes[i].file}));
      if (value) table_.set(i, *value);
    }
    table_.set(kUp, operstate == "up" ? 1U : 0U);
    const auto speed = kernel.integer(Root::kSys, {"class/net/", device, "/speed"});
    if (speed && (*speed >= 0 || !without_bad_speed_))
      table_.set(kSpeed, static_cast<double>(*speed) * kBytesPerMegabit);
    read_words(kernel, device, operstate);
  }

  void read_words(Kernel& kernel, const std::string& device, const std::string& operstate) {
    const auto word = [&](std::string_view file) {
      return std::string(kernel.line(Root::kSys, {"class/net/", device, "/", file}));
    };
    info_.row({device, word("address"), word("broadcast"), word("duplex"), operstate, word("ifalias")});
    info_.set(0, 1U);
  }

  Filter devices_;
  bool without_bad_speed_;
  Table& table_;
  Table& info_;
};

constexpr std::array kFlags = {
    Flag{"collector.netclass.ignored-devices", "^$", "Network devices to leave out"},
    Flag{"collector.netclass.ignore-invalid-speed", "false", "Leave out speeds that are not known"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto devices = flags.exclude("collector.netclass.ignored-devices");
  if (!devices) return devices.error();
  return std::unique_ptr<Collector>(
      std::make_unique<Netclass>(std::move(*devices), flags.is_on("collector.netclass.ignore-invalid-speed")));
}

}  // namespace

extern const CollectorType kType{"netclass", true, make, kFlags};

}  // namespace connscope::host::collectors::netclass
