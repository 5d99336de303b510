// SPDX-License-Identifier: Apache-2.0
#include "bpf/catalog.h"

#include <array>

namespace connscope::bpf {

using ProbeFactory = Result<std::unique_ptr<probe::Probe>>(const probe::ProbeContext& context, config::Section section);

// One line a probe: its factory is in its user half.
ProbeFactory make_detail;
ProbeFactory make_packet;
ProbeFactory make_attempt;
ProbeFactory make_tcp;
ProbeFactory make_libc_lookup;
ProbeFactory make_dns;
ProbeFactory make_tls;
ProbeFactory make_openssl;
ProbeFactory make_gnutls;
ProbeFactory make_nss;
ProbeFactory make_go_tls;
ProbeFactory make_certificates;

namespace {

struct Entry {
  const char* name;
  ProbeFactory* make;
  bool enabled = true;  // unless the config says otherwise
};

// A probe's maps are given to those after it.
constexpr std::array kProbes = {
    Entry{"detail", make_detail},
    Entry{"packet", make_packet},
    Entry{"attempt", make_attempt},
    Entry{"tcp", make_tcp},
    Entry{"libc_lookup", make_libc_lookup},
    Entry{"dns", make_dns},
    Entry{"tls", make_tls},
    Entry{"openssl", make_openssl},
    Entry{"gnutls", make_gnutls},
    Entry{"nss", make_nss},
    Entry{"go_tls", make_go_tls},
    Entry{"certificates", make_certificates, false},
};

}  // namespace

Result<std::vector<std::unique_ptr<probe::Probe>>> make_probes(const probe::ProbeContext& context,
                                                               config::Section section) {
  std::vector<std::unique_ptr<probe::Probe>> probes;
  for (const Entry& entry : kProbes) {
    config::Section own = section.table(entry.name);
    // A probe that is switched off is made too, so that its section is checked.
    const bool enabled = own.flag("enabled", entry.enabled);
    auto probe = entry.make(context, own);
    if (!probe) return probe.error().context(std::string("probe ") + entry.name);
    if (enabled) probes.push_back(std::move(*probe));
  }
  return probes;
}

}  // namespace connscope::bpf
