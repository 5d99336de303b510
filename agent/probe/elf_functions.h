// SPDX-License-Identifier: Apache-2.0
//
// function_offsets: where functions are in a library's file, by its dynamic symbols. The file may come from a container
// that is not to be trusted, so every number in it is held against bounds before it is used. 64-bit ELF of this
// machine's byte order and kind only. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

/// Offsets in the file, by name: those of `names` that the library has. The descriptor is only borrowed.
using FunctionOffsets = std::map<std::string, std::vector<std::uint64_t>>;
[[nodiscard]] Result<FunctionOffsets> function_offsets(int fd, const std::vector<std::string>& names);

}  // namespace connscope::probe
