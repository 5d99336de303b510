// SPDX-License-Identifier: Apache-2.0
//
// bonding: members of bonded network devices. Source: Documentation/networking/bonding.rst, "sysfs".
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::bonding {
namespace {

class Bonding final : public Collector {
 public:
  Bonding()
      : Collector("bonding"),
        table_(add_table({"master"}, {{"node_bonding_slaves", "Members of the bond."},
                                      {"node_bonding_active", "Members whose link is up."}})) {}

 private:
  Status read(Kernel& kernel) override {
    std::string_view masters = kernel.line(Root::kSys, {"class/net/bonding_masters"});
    const std::string kept(masters);  // which the next reading would overwrite
    masters = kept;
    for (auto master = take_field(masters); !master.empty(); master = take_field(masters)) read_bond(kernel, master);
    return {};
  }

  void read_bond(Kernel& kernel, std::string_view master) {
    const std::string kept(kernel.line(Root::kSys, {"class/net/", master, "/bonding/slaves"}));
    std::string_view members = kept;
    std::uint64_t count = 0;
    std::uint64_t up = 0;
    for (auto member = take_field(members); !member.empty(); member = take_field(members)) {
      ++count;
      if (kernel.line(Root::kSys, {"class/net/", master, "/lower_", member, "/bonding_slave/mii_status"}) == "up") ++up;
    }
    table_.row({master});
    table_.set(0, count);
    table_.set(1, up);
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"bonding", true, make_plain<Bonding>};

}  // namespace connscope::host::collectors::bonding
