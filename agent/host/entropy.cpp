// SPDX-License-Identifier: Apache-2.0
//
// entropy: the kernel's pool of random bits. Source: /proc/sys/kernel/random (random(4)).
#include "agent/host/collector.h"

namespace connscope::host::collectors::entropy {
namespace {

class Entropy final : public Collector {
 public:
  Entropy()
      : Collector("entropy"),
        table_(add_table({}, {{"node_entropy_available_bits", "Random bits that are there."},
                              {"node_entropy_pool_size_bits", "How many there can be."}})) {}

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    if (const auto bits = kernel.number(Root::kProc, {"sys/kernel/random/entropy_avail"})) table_.set(0, *bits);
    if (const auto bits = kernel.number(Root::kProc, {"sys/kernel/random/poolsize"})) table_.set(1, *bits);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"entropy", true, make_plain<Entropy>};

}  // namespace connscope::host::collectors::entropy
