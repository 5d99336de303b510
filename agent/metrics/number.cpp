// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/number.h"

#include <limits>

namespace connscope::metrics {

Number add(Number left, Number right) {
  const auto* a = std::get_if<std::uint64_t>(&left);
  const auto* b = std::get_if<std::uint64_t>(&right);
  if (a == nullptr || b == nullptr) return as_double(left) + as_double(right);
  const std::uint64_t sum = *a + *b;
  // A total at its end stays there: to wrap would look like a restart.
  return sum < *a ? std::numeric_limits<std::uint64_t>::max() : sum;
}

double as_double(Number number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

}  // namespace connscope::metrics
