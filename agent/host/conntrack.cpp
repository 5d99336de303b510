// SPDX-License-Identifier: Apache-2.0
//
// conntrack: the connection tracking table. Sources: /proc/sys/net/netfilter, and /proc/net/stat/nf_conntrack, which
// has a line of hexadecimal numbers for each CPU under a heading.
#include <array>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::conntrack {
namespace {

constexpr const char* kStatFile = "net/stat/nf_conntrack";

struct Statistic {
  std::string_view field;
  const char* help;
};
constexpr auto kStatistics = std::to_array<Statistic>({
    {"found", "Look-ups that found an entry."},
    {"invalid", "Packets that cannot be tracked."},
    {"ignore", "Packets that belong to an entry already."},
    {"insert", "Entries that were added."},
    {"insert_failed", "Entries that could not be added."},
    {"drop", "Packets dropped since tracking failed."},
    {"early_drop", "Entries dropped to make room for new ones."},
    {"search_restart", "Look-ups begun again since the table was resized."},
});

class Conntrack final : public Collector {
 public:
  Conntrack()
      : Collector("conntrack"), table_(add_table({}, {{"node_nf_conntrack_entries", "Entries in the table."}})) {
    table_.add_column({"node_nf_conntrack_entries_limit", "Entries that the table has room for."});
    for (const Statistic& statistic : kStatistics)
      table_.add_column({"node_nf_conntrack_stat_" + std::string(statistic.field), statistic.help});
  }

 private:
  Status read(Kernel& kernel) override {
    const auto entries = kernel.number(Root::kProc, {"sys/net/netfilter/nf_conntrack_count"});
    const auto limit = kernel.number(Root::kProc, {"sys/net/netfilter/nf_conntrack_max"});
    if (!entries || !limit) return {};  // the module is not loaded
    table_.row({});
    table_.set(0, *entries);
    table_.set(1, *limit);
    const Content content = kernel.read(Root::kProc, {kStatFile});
    if (!content) return absent_or_error(content, kStatFile);
    return read_statistics(content.text);
  }

  Status read_statistics(std::string_view rest) {
    const Fields<32> heading(take_line(rest));
    std::array<std::uint64_t, kStatistics.size()> sums{};
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<32> fields(line);
      if (fields.size() != heading.size()) return malformed(kStatFile, line);
      for (std::size_t at = 0; at < fields.size(); ++at)
        for (std::size_t i = 0; i < kStatistics.size(); ++i)
          if (heading[at] == kStatistics[i].field) sums[i] += to_number(fields[at], 16).value_or(0);
    }
    for (std::size_t i = 0; i < sums.size(); ++i) table_.set(2 + i, sums[i]);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"conntrack", true, make_plain<Conntrack>};

}  // namespace connscope::host::collectors::conntrack
