// SPDX-License-Identifier: Apache-2.0
//
// zfs: what ZFS counts. Source: /proc/spl/kstat/zfs: files of lines "NAME TYPE VALUE" after two lines of heading
// (module/os/linux/spl/spl-kstat.c), and POOL/state. Which of them only rise is not said: all are untyped.
#include <algorithm>
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::zfs {
namespace {

constexpr std::string_view kFolder = "spl/kstat/zfs";

struct Source {
  std::string_view file;
  const char* subsystem;
};
constexpr auto kSources = std::to_array<Source>({{"abdstats", "abd"},
                                                 {"arcstats", "arc"},
                                                 {"dbufstats", "dbuf"},
                                                 {"dmu_tx", "dmu_tx"},
                                                 {"dnodestats", "dnode"},
                                                 {"fm", "fm"},
                                                 {"vdev_cache_stats", "vdev_cache"},
                                                 {"vdev_mirror_stats", "vdev_mirror"},
                                                 {"xuio_stats", "xuio"},
                                                 {"zfetchstats", "zfetch"},
                                                 {"zil", "zil"}});
constexpr auto kStates =
    std::to_array<std::string_view>({"online", "degraded", "faulted", "offline", "removed", "unavail", "suspended"});
/// kstat types that are unsigned and signed numbers of 32 and 64 bits.
constexpr auto kNumberTypes = std::to_array<std::string_view>({"1", "2", "3", "4"});

class Zfs final : public Collector {
 public:
  Zfs()
      : Collector("zfs"),
        table_(add_table({})),
        states_(add_table({"zpool", "state"}, {{"node_zfs_zpool_state", "1: the state that the pool is in."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Listing folder = kernel.list(Root::kProc, {kFolder});
    if (folder.error != 0) return absent_or_error({{}, folder.error}, kFolder);
    table_.row({});
    for (const Source& source : kSources) {
      const Content content = kernel.read(Root::kProc, {kFolder, "/", source.file});
      if (!content) continue;
      if (auto taken = take(content.text, source); !taken) return taken;
    }
    for (const std::string& pool : folder.names) read_pool(kernel, pool);
    return {};
  }

  Status take(std::string_view rest, const Source& source) {
    take_line(rest);
    take_line(rest);
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<3> fields(line);
      if (std::find(kNumberTypes.begin(), kNumberTypes.end(), fields[1]) == kNumberTypes.end()) continue;
      const auto number = to_number(fields[2]);
      const auto integer = to_integer(fields[2]);
      if (!number && !integer) return malformed(source.file, line);
      name_.assign("node_zfs_").append(source.subsystem).append("_").append(fields[0]);
      const std::size_t column = table_.column_for(name_, [this] {
        return Column{name_, "ZFS: " + name_.substr(9) + ".", kUntyped};
      });
      if (number) {
        table_.set(column, *number);
      } else {
        table_.set(column, *integer);
      }
    }
    return {};
  }

  void read_pool(Kernel& kernel, const std::string& pool) {
    std::string state(kernel.line(Root::kProc, {kFolder, "/", pool, "/state"}));
    if (state.empty()) return;  // a file of statistics
    for (char& c : state) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    for (const std::string_view one : kStates) {
      states_.row({pool, one});
      states_.set(0, one == state ? 1U : 0U);
    }
  }

  Table& table_;
  Table& states_;
  std::string name_;  // reused
};

}  // namespace

extern const CollectorType kType{"zfs", true, make_plain<Zfs>};

}  // namespace connscope::host::collectors::zfs
