// SPDX-License-Identifier: Apache-2.0
//
// arp: neighbours by device. Source: /proc/net/arp (proc_pid_net(5)).
#include <array>
#include <map>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::arp {
namespace {

constexpr const char* kFile = "net/arp";

class Arp final : public Collector {
 public:
  explicit Arp(Filter filter)
      : Collector("arp"),
        filter_(std::move(filter)),
        entries_(add_table({"device"}, {{"node_arp_entries", "Entries of the ARP table, by device."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    counts_.clear();
    std::string_view rest = content.text;
    take_line(rest);  // the heading
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<6> fields(line);
      if (fields.size() != 6) return malformed(kFile, line);
      if (filter_.passes(fields[5])) ++counts_[fields[5]];
    }
    for (const auto& [device, count] : counts_) {
      entries_.row({device});
      entries_.set(0, count);
    }
    return {};
  }

  Filter filter_;
  Table& entries_;
  std::map<std::string_view, std::uint64_t> counts_;  // views into what was read last
};

constexpr std::array kFlags = {
    Flag{"collector.arp.device-include", "", "Devices whose neighbours are counted (not with device-exclude)"},
    Flag{"collector.arp.device-exclude", "", "Devices whose neighbours are not counted (not with device-include)"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto filter = flags.filter("collector.arp.device");
  if (!filter) return filter.error();
  return std::unique_ptr<Collector>(std::make_unique<Arp>(std::move(*filter)));
}

}  // namespace

extern const CollectorType kType{"arp", true, make, kFlags};

}  // namespace connscope::host::collectors::arp
