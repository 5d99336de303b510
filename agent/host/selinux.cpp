// SPDX-License-Identifier: Apache-2.0
//
// selinux: whether it is on, and what it does. Source: selinuxfs (/sys/fs/selinux).
#include "agent/host/collector.h"

namespace connscope::host::collectors::selinux {
namespace {

class Selinux final : public Collector {
 public:
  Selinux()
      : Collector("selinux"),
        table_(add_table({}, {{"node_selinux_enabled", "1: SELinux is on."},
                              {"node_selinux_config_mode", "The mode it is in when booted."},
                              {"node_selinux_current_mode", "1: it enforces; 0: it only tells."}})) {}

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    const auto enforces = kernel.number(Root::kSys, {"fs/selinux/enforce"});
    table_.set(0, enforces ? 1U : 0U);
    if (!enforces) return {};
    table_.set(1, configured_mode(kernel));
    table_.set(2, *enforces);
    return {};
  }

  /// 1: enforcing, 0: permissive, -1: disabled (selinux(8), /etc/selinux/config).
  static int configured_mode(Kernel& kernel) {
    const std::string_view config = kernel.read(Root::kRoot, {"etc/selinux/config"}).text;
    if (config.find("\nSELINUX=enforcing") != std::string_view::npos || config.starts_with("SELINUX=enforcing"))
      return 1;
    if (config.find("\nSELINUX=permissive") != std::string_view::npos || config.starts_with("SELINUX=permissive"))
      return 0;
    return -1;
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"selinux", true, make_plain<Selinux>};

}  // namespace connscope::host::collectors::selinux
