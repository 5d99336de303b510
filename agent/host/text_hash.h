// SPDX-License-Identifier: Apache-2.0
//
// TextHash lets a map whose keys are strings be asked with a view.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace connscope::host {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace connscope::host
