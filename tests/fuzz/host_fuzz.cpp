// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what the kernel says. The first byte chooses a collector; the rest, cut at bytes 0x1e, is what its files
// have, one after the other and from the start again. Folders have devices of all the names that collectors look for.
// Nothing crashes, and what is served can be parsed as it was written; the text format is fuzzed in the same way.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/catalog.h"
#include "agent/host/text_exposition.h"
#include "exporters/prometheus_text.h"

namespace {

using namespace connscope;
using host::Content;
using host::Path;
using host::Root;

class FuzzedKernel final : public host::Kernel {
 public:
  explicit FuzzedKernel(std::string_view input) {
    while (!input.empty()) {
      const std::size_t end = std::min(input.find('\x1e'), input.size());
      pieces_.push_back(input.substr(0, end));
      input.remove_prefix(std::min(input.size(), end + 1));
    }
  }
  Content read(Root /*root*/, Path /*path*/) override {
    if (pieces_.empty()) return {{}, ENOENT};
    const std::string_view piece = pieces_[next_++ % pieces_.size()];
    return piece == "!" ? Content{{}, EACCES} : Content{piece, 0};
  }
  host::Listing list(Root /*root*/, Path path) override {
    // A folder inside a folder inside a folder has none, so that walks end.
    if (path.size() > 1 && (path.end() - 1)->size() > 16) return {{}, ENOTDIR};
    return {{"10", "BAT0", "bad.prom", "cooling_device0", "cpu0", "hwmon0", "intel-rapl:0", "mc0", "name", "raid1",
             "temp1_input", "temp1_label", "thermal_zone0", "web.service"},
            0};
  }
  Content link(Root root, Path path) override { return read(root, path); }
  std::int64_t modified(Root /*root*/, Path /*path*/) override { return 0; }
  std::string path(Root /*root*/, Path path) const override {
    std::string joined;
    for (const std::string_view part : path) joined += part;
    return joined;
  }
  std::optional<host::Driver> driver(const std::string& device) override {
    return host::Driver{device, next_text(), next_text(), next_text(), ""};
  }
  std::vector<std::pair<std::string, std::uint64_t>> driver_statistics(const std::string& /*device*/) override {
    return {{next_text(), 1}, {next_text(), 2}};
  }
  Result<std::optional<host::ServiceManager>> service_manager(const host::UnitWishes& wishes) override {
    host::ServiceManager manager{next_text(), next_text(), {{next_text(), 1}}, {}};
    const std::string name = next_text();
    if (wishes.wanted(name)) manager.units.push_back({name, next_text(), next_text(), 1, 2, 3, 4, 5, 6, 7, 8});
    return std::optional<host::ServiceManager>(std::move(manager));
  }
  int uname(utsname& name) override {
    std::memset(&name, 0, sizeof name);
    return 0;
  }
  int clock_state(timex& state) override {
    state = {};
    return 0;
  }
  std::chrono::system_clock::time_point now() override { return {}; }

 private:
  std::string next_text() { return std::string(read(Root::kSys, {}).text); }

  std::vector<std::string_view> pieces_;
  std::size_t next_ = 0;
};

std::string encoded(std::vector<metrics::FamilySnapshot> families) {
  metrics::Snapshot snapshot;
  snapshot.families = std::move(families);
  std::string text;
  exporters::PrometheusTextEncoder().encode(snapshot, {}, text);
  return text;
}

void run_collector(const host::CollectorType& type, std::string_view input) {
  // Mounts of any name are asked for: in a root that does not exist, so that no file system is.
  const host::FlagValues flags(host::all_flags(), {{"path.rootfs", "/nonexistent/root"}});
  auto collector = type.make(flags);
  if (!collector) std::abort();
  FuzzedKernel kernel(input);
  (void)(*collector)->collect(kernel);
  (void)(*collector)->collect(kernel);
  std::vector<metrics::FamilySnapshot> families;
  (*collector)->append(families);
  // Two of the kernel's names may become one, which HostMetrics sees to; any other line must be understood.
  for (const auto& family : families)
    if (!host::parse_text_exposition(encoded({family}))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto families = host::parse_text_exposition(input)) {
    if (!host::parse_text_exposition(encoded(*families))) std::abort();
  }
  const auto types = host::collector_types();
  run_collector(*types[data[0] % types.size()], input);
  return 0;
}
