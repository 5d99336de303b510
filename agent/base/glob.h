// SPDX-License-Identifier: Apache-2.0
//
// Globs as the config, the policies and the scrape's query use them: `*` matches zero or more characters, any number
// of stars, every other character itself. Linear in time for one star, never exponential; any thread.
#pragma once

#include <string_view>

namespace connscope {

[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace connscope
