// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people read them: three digits and a unit. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/metrics/number.h"

namespace connscope::terminal {

/// "3.79ms", "12.0s", "412µs"; of whole numbers without a fraction: "0", "12", "28.2k", "1.50M".
/// `unit` is a family's: "seconds", "bytes" (in powers of 1024: "1.50MiB"), or any other, which is not shown.
[[nodiscard]] std::string quantity(double value, std::string_view unit);
/// A whole number up to 9,999,999 is shown with all its digits: a count is looked at to the last.
[[nodiscard]] std::string quantity(const metrics::Number& value, std::string_view unit);

}  // namespace connscope::terminal
