// SPDX-License-Identifier: Apache-2.0
//
// ksmd: pages that are shared since they are the same. Source: Documentation/admin-guide/mm/ksm.rst.
#include <array>

#include "agent/host/collector.h"

namespace connscope::host::collectors::ksmd {
namespace {

struct Attribute {
  std::string_view file;
  const char* name;
  const char* help;
  metrics::MetricType type = kGauge;
};
constexpr auto kAttributes = std::to_array<Attribute>({
    {"full_scans", "node_ksmd_full_scans_total", "Scans of all memory that may be shared.", kCounter},
    {"merge_across_nodes", "node_ksmd_merge_across_nodes", "1: pages of several nodes are shared too."},
    {"pages_shared", "node_ksmd_pages_shared", "Shared pages in use."},
    {"pages_sharing", "node_ksmd_pages_sharing", "Places that share them."},
    {"pages_to_scan", "node_ksmd_pages_to_scan", "Pages to scan before each sleep."},
    {"pages_unshared", "node_ksmd_pages_unshared", "Pages that are looked at and not shared."},
    {"pages_volatile", "node_ksmd_pages_volatile", "Pages that change too fast."},
    {"run", "node_ksmd_run", "1: it runs."},
});

class Ksmd final : public Collector {
 public:
  Ksmd() : Collector("ksmd"), table_(add_table({})) {
    for (const Attribute& attribute : kAttributes) table_.add_column({attribute.name, attribute.help, attribute.type});
    table_.add_column({"node_ksmd_sleep_seconds", "Sleep between scans."});
  }

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    for (std::size_t i = 0; i < kAttributes.size(); ++i)
      if (const auto value = kernel.number(Root::kSys, {"kernel/mm/ksm/", kAttributes[i].file})) table_.set(i, *value);
    if (const auto sleep = kernel.number(Root::kSys, {"kernel/mm/ksm/sleep_millisecs"}))
      table_.set(kAttributes.size(), static_cast<double>(*sleep) / 1e3);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"ksmd", false, make_plain<Ksmd>};

}  // namespace connscope::host::collectors::ksmd
