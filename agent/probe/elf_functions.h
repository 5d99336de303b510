// SPDX-License-Identifier: Apache-2.0
//
// functions_in: where functions are in the file of a library or an executable, by its symbols: the dynamic ones, and
// those for debuggers where they were left in. The file is not trusted (elf_file.h). Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

/// A function's code in the file.
struct Function {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< 0 when the symbol does not tell
  bool operator==(const Function&) const = default;
};
/// By name: those of `names` that the file has. The descriptor is only borrowed.
using Functions = std::map<std::string, std::vector<Function>>;
[[nodiscard]] Result<Functions> functions_in(int fd, const std::vector<std::string>& names);

/// The same, where the size is of no interest.
using FunctionOffsets = std::map<std::string, std::vector<std::uint64_t>>;
[[nodiscard]] Result<FunctionOffsets> function_offsets(int fd, const std::vector<std::string>& names);

/// The code of a function; an error when it is larger than any.
[[nodiscard]] Result<std::vector<std::uint8_t>> code_of(int fd, const Function& function);

}  // namespace connscope::probe
