// SPDX-License-Identifier: Apache-2.0
//
// A file of pressure stall information, of the system or of a cgroup. Pure; any thread.
// Source: Documentation/accounting/psi.rst.
#pragma once

#include <optional>
#include <string_view>

namespace connscope::host {

struct Stalls {
  std::optional<double> some_seconds;  ///< in which at least one task waited
  std::optional<double> full_seconds;  ///< in which all did
};

/// Nothing when a line is no such line.
[[nodiscard]] std::optional<Stalls> stalls_of(std::string_view text);

}  // namespace connscope::host
