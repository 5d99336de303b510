// SPDX-License-Identifier: Apache-2.0
//
// The collectors that this build has. A new one is two lines in catalog.cpp. Any thread.
#pragma once

#include <span>
#include <vector>

#include "agent/host/collector.h"

namespace connscope::host {

/// By name, but for those that judge what the others have, which come last.
[[nodiscard]] std::span<const CollectorType* const> collector_types();

/// Every flag: those of the roots, the switches `collector.NAME`, and what collectors declare.
[[nodiscard]] std::vector<Flag> all_flags();

}  // namespace connscope::host
