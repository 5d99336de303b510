// SPDX-License-Identifier: Apache-2.0
//
// Capabilities that the agent makes use of, and what it does not see without each. A process that lacks one sees less,
// and much of that without any call that fails, so the agent says so at its start. Pure, but for
// missing_capabilities(), which reads /proc. Any thread. Source: capabilities(7).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace connscope::service {

struct Capability {
  unsigned number;           ///< as in <linux/capability.h>
  std::string_view name;     ///< "CAP_BPF"
  std::string_view without;  ///< what is not seen without it, to follow "without CAP_BPF: "
};

/// Those of the packaged unit, most important first.
[[nodiscard]] std::span<const Capability> used_capabilities();

/// The used ones whose bit is not in `effective`, a mask as in CapEff of /proc/PID/status.
[[nodiscard]] std::vector<Capability> lacking_in(std::uint64_t effective);

/// "CapEff:\t0000…" among the lines of a /proc/PID/status.
Result<std::uint64_t> effective_capabilities(std::string_view status_file);

/// Those that this process lacks. An error when /proc does not say.
Result<std::vector<Capability>> missing_capabilities();

}  // namespace connscope::service
