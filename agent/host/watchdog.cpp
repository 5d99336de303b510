// SPDX-License-Identifier: Apache-2.0
//
// watchdog: devices that restart the system when nobody tends them. Source:
// Documentation/ABI/testing/sysfs-class-watchdog.
#include <array>
#include <string>

#include "agent/host/collector.h"

namespace connscope::host::collectors::watchdog {
namespace {

constexpr std::string_view kFolder = "class/watchdog";

struct Attribute {
  std::string_view file;
  const char* name;
};
constexpr auto kAttributes = std::to_array<Attribute>({
    {"bootstatus", "node_watchdog_bootstatus"},
    {"fw_version", "node_watchdog_fw_version"},
    {"nowayout", "node_watchdog_nowayout"},
    {"timeleft", "node_watchdog_timeleft_seconds"},
    {"timeout", "node_watchdog_timeout_seconds"},
    {"pretimeout", "node_watchdog_pretimeout_seconds"},
    {"access_cs0", "node_watchdog_access_cs0"},
});

class Watchdog final : public Collector {
 public:
  Watchdog()
      : Collector("watchdog"),
        table_(add_table({"name"})),
        info_(add_table({"name", "options", "identity", "state", "status", "pretimeout_governor"},
                        {{"node_watchdog_info", "What the device says of itself in words; always 1."}})) {
    for (const Attribute& attribute : kAttributes)
      table_.add_column({attribute.name, "Watchdogs: " + std::string(attribute.file) + "."});
  }

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& name : kernel.list(Root::kSys, {kFolder}).names) {
      table_.row({name});
      for (std::size_t i = 0; i < kAttributes.size(); ++i)
        if (const auto value = kernel.number(Root::kSys, {kFolder, "/", name, "/", kAttributes[i].file}))
          table_.set(i, *value);
      const auto word = [&](std::string_view file) {
        return std::string(kernel.line(Root::kSys, {kFolder, "/", name, "/", file}));
      };
      info_.row({name, word("options"), word("identity"), word("state"), word("status"), word("pretimeout_governor")});
      info_.set(0, 1U);
    }
    return {};
  }

  Table& table_;
  Table& info_;
};

}  // namespace

extern const CollectorType kType{"watchdog", true, make_plain<Watchdog>};

}  // namespace connscope::host::collectors::watchdog
