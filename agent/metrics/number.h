// SPDX-License-Identifier: Apache-2.0
//
// Number: a metric's value. A count stays an unsigned integer, exact to 2^64 - 1; a measurement is a double. Encoders
// print the first without a fraction and the second by its shortest round-trip form.
#pragma once

#include <cstdint>
#include <variant>

namespace connscope::metrics {

using Number = std::variant<std::uint64_t, double>;

/// The sum; stays an integer while both are, and then at 2^64 - 1 once it would pass that.
[[nodiscard]] Number add(Number left, Number right);
[[nodiscard]] double as_double(Number number);

}  // namespace connscope::metrics
