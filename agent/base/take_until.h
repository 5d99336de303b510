// SPDX-License-Identifier: Apache-2.0
//
// Text that is taken apart from its beginning, at one character. Nothing is copied. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace connscope {

/// Up to the next `separator`, which is taken off `rest` with it; all of `rest` when there is none.
inline std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

}  // namespace connscope
