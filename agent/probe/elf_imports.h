// SPDX-License-Identifier: Apache-2.0
//
// functions_and_stubs_in: where functions are in a file, and where it calls functions of other libraries: the stubs
// that its linker made for these, one for each function (.plt). A uprobe there sees the calls of this one library
// alone, and finds registers and stack as at the function's own entry. Stubs on x86-64 only; elsewhere, and where a
// file was built to call without them, none are found. The file is not trusted (elf_file.h). Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/elf_functions.h"

namespace connscope::probe {

/// By name: functions_in, and as "NAME@plt" the stub for NAME. The descriptor is only borrowed.
[[nodiscard]] Result<Functions> functions_and_stubs_in(int fd, const std::vector<std::string>& names);

/// A jump to where the word at `slot` points.
struct JumpThroughWord {
  std::uint64_t slot = 0;
  std::uint64_t at = 0;  ///< index in the code
  bool operator==(const JumpThroughWord&) const = default;
};
/// All of them in a section of stubs, whose first byte has that address.
[[nodiscard]] std::vector<JumpThroughWord> jumps_through_words(std::span<const std::uint8_t> code,
                                                               std::uint64_t address);

}  // namespace connscope::probe
