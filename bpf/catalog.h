// SPDX-License-Identifier: Apache-2.0
//
// The probes that this build has. A new one is a line in catalog.cpp.
#pragma once

#include <memory>
#include <vector>

#include "agent/config/document.h"
#include "agent/probe/identity_probe.h"
#include "agent/probe/probe.h"

namespace connscope::bpf {

/// The owner of the process identities, which must start before the probes.
[[nodiscard]] std::unique_ptr<probe::IdentityProbe> make_identity_probe();

/// Every probe, none of them started. Each registers its families and reads its own sub section of `section` (`[probe.NAME]`),
/// to which problems are reported. Those switched off are not in the list.
[[nodiscard]] Result<std::vector<std::unique_ptr<probe::Probe>>> make_probes(const probe::ProbeContext& context,
                                                                             config::Section section);

}  // namespace connscope::bpf
