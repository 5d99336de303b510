// SPDX-License-Identifier: Apache-2.0
//
// time: the clock, its time zone and its sources. Source: Documentation/ABI/testing/sysfs-devices-clocksource.
#include <ctime>

#include "agent/host/collector.h"
#include "agent/host/cpu_list.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::time {
namespace {

constexpr std::string_view kFolder = "devices/system/clocksource";
constexpr std::string_view kDevice = "clocksource";

class Time final : public Collector {
 public:
  Time()
      : Collector("time"),
        clock_(add_table({}, {{"node_time_seconds", "The system's time, in Unix time."}})),
        zone_(add_table({"time_zone"}, {{"node_time_zone_offset_seconds", "Local time less UTC."}})),
        available_(add_table({"device", "clocksource"}, {{"node_time_clocksource_available_info",
                                                          "A clock source that could be used; always 1."}})),
        current_(add_table({"device", "clocksource"},
                           {{"node_time_clocksource_current_info", "The clock source that is used; always 1."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const auto now = kernel.now();
    clock_.row({});
    clock_.set(0, std::chrono::duration<double>(now.time_since_epoch()).count());
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm local{};
    if (::localtime_r(&seconds, &local) != nullptr) {
      zone_.row({local.tm_zone});
      zone_.set(0, std::int64_t{local.tm_gmtoff});
    }
    for (const std::string& device : kernel.list(Root::kSys, {kFolder}).names)
      if (is_numbered(device, kDevice)) read_sources(kernel, device);
    return {};
  }

  void read_sources(Kernel& kernel, const std::string& device) {
    const std::string_view number = std::string_view(device).substr(kDevice.size());
    std::string_view rest = kernel.line(Root::kSys, {kFolder, "/", device, "/available_clocksource"});
    for (auto source = take_field(rest); !source.empty(); source = take_field(rest)) {
      available_.row({number, source});
      available_.set(0, 1U);
    }
    const std::string_view source = kernel.line(Root::kSys, {kFolder, "/", device, "/current_clocksource"});
    if (source.empty()) return;
    current_.row({number, source});
    current_.set(0, 1U);
  }

  Table& clock_;
  Table& zone_;
  Table& available_;
  Table& current_;
};

}  // namespace

extern const CollectorType kType{"time", true, make_plain<Time>};

}  // namespace connscope::host::collectors::time
