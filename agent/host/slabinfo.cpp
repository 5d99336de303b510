// SPDX-License-Identifier: Apache-2.0
//
// slabinfo: the kernel's caches of objects. Source: /proc/slabinfo (slabinfo(5)), which only root may read.
#include <array>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::slabinfo {
namespace {

constexpr const char* kFile = "slabinfo";

class Slabinfo final : public Collector {
 public:
  explicit Slabinfo(Filter slabs)
      : Collector("slabinfo"),
        slabs_(std::move(slabs)),
        table_(add_table({"slab"}, {{"node_slabinfo_active_objects", "Objects that are in use."},
                                    {"node_slabinfo_objects", "Objects that there are."},
                                    {"node_slabinfo_object_size_bytes", "Size of an object."},
                                    {"node_slabinfo_objects_per_slab", "Objects of a slab."},
                                    {"node_slabinfo_pages_per_slab", "Pages of a slab."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    take_line(rest);  // the version
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (line.starts_with('#')) continue;
      const Fields<6> fields(line);
      if (!slabs_.passes(fields[0])) continue;
      table_.row({fields[0]});
      for (std::size_t i = 0; i < 5; ++i) {
        const auto number = to_number(fields[i + 1]);
        if (!number) return malformed(kFile, line);
        table_.set(i, *number);
      }
    }
    return {};
  }

  Filter slabs_;
  Table& table_;
};

constexpr std::array kFlags = {
    Flag{"collector.slabinfo.slabs-include", ".*", "Caches to serve (not with slabs-exclude)"},
    Flag{"collector.slabinfo.slabs-exclude", "", "Caches to leave out"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto slabs =
      Filter::create(flags.text("collector.slabinfo.slabs-include"), flags.text("collector.slabinfo.slabs-exclude"));
  if (!slabs) return slabs.error().context("--collector.slabinfo.slabs-include or -exclude");
  return std::unique_ptr<Collector>(std::make_unique<Slabinfo>(std::move(*slabs)));
}

}  // namespace

extern const CollectorType kType{"slabinfo", false, make, kFlags};

}  // namespace connscope::host::collectors::slabinfo
