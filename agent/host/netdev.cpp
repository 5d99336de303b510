// SPDX-License-Identifier: Apache-2.0
//
// netdev: what network devices carry. Sources: /proc/net/dev (proc_pid_net(5)), whose heading names the fields of each
// direction, and for frames that nobody took /sys/class/net/DEVICE/statistics/rx_nohandler.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::netdev {
namespace {

constexpr const char* kFile = "net/dev";
constexpr std::size_t kMaxFields = 32;

class Netdev final : public Collector {
 public:
  explicit Netdev(Filter devices)
      : Collector("netdev"),
        devices_(std::move(devices)),
        table_(add_table({"device"}, {{"node_network_receive_nohandler_total", "Frames received that no protocol took.",
                                       kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    take_line(rest);  // "Inter-| Receive | Transmit"
    if (!take_heading(take_line(rest))) return malformed(kFile, content.text);
    names_.clear();
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (!take_device(line)) return malformed(kFile, line);
    }
    for (const std::string& name : names_) {
      const auto unhandled = kernel.number(Root::kSys, {"class/net/", name, "/statistics/rx_nohandler"});
      table_.row({name});
      if (unhandled) table_.set(0, *unhandled);
    }
    return {};
  }

  bool take_heading(std::string_view heading) {
    columns_.clear();
    take_until(heading, '|');
    for (const std::string_view direction : {"receive", "transmit"}) {
      std::string_view names = take_until(heading, '|');
      for (auto name = take_field(names); !name.empty(); name = take_field(names)) {
        if (columns_.size() == kMaxFields) return false;
        const std::string key = std::string(direction) + "_" + std::string(name);
        columns_.push_back(table_.column_for(key, [&] {
          return Column{"node_network_" + key + "_total", "Network devices: " + key + ".", kCounter};
        }));
      }
    }
    return !columns_.empty();
  }

  bool take_device(std::string_view line) {
    const std::size_t colon = line.rfind(':');  // names of aliases have one too
    if (colon == std::string_view::npos) return false;
    const std::string_view device = trimmed(line.substr(0, colon));
    if (!devices_.passes(device)) return true;
    const Fields<kMaxFields> fields(line.substr(colon + 1));
    if (fields.size() != columns_.size()) return false;
    table_.row({device});
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto number = to_number(fields[i]);
      if (!number) return false;
      table_.set(columns_[i], *number);
    }
    names_.emplace_back(device);
    return true;
  }

  Filter devices_;
  Table& table_;
  std::vector<std::size_t> columns_;  // of the line's fields
  std::vector<std::string> names_;
};

constexpr std::array kFlags = {
    Flag{"collector.netdev.device-exclude", "^lo$", "Network devices to leave out (not with device-include)"},
    Flag{"collector.netdev.device-include", "", "Network devices to serve (not with device-exclude)"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto devices = flags.filter("collector.netdev.device");
  if (!devices) return devices.error();
  return std::unique_ptr<Collector>(std::make_unique<Netdev>(std::move(*devices)));
}

}  // namespace

extern const CollectorType kType{"netdev", true, make, kFlags};

}  // namespace connscope::host::collectors::netdev
