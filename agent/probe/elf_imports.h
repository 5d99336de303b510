// SPDX-License-Identifier: Apache-2.0
//
// import_stubs: where a file calls functions of other libraries: the stubs that its linker made for these, one for each
// function (.plt). A uprobe there sees the calls of this one library alone, and finds registers and stack as at the
// function's own entry. x86-64 only; elsewhere, and where a file was built to call without stubs, nothing is found. The
// file is not trusted (elf_file.h). Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

/// Offsets in the file, by name: those of `names` that it has stubs for. The descriptor is only borrowed.
using ImportStubs = std::map<std::string, std::vector<std::uint64_t>>;
[[nodiscard]] Result<ImportStubs> import_stubs(int fd, const std::vector<std::string>& names);

/// A stub in code that lies at `address`: it jumps to where the word at `slot` points.
struct StubPlace {
  std::uint64_t slot = 0;
  std::uint64_t at = 0;  ///< index in the code
};
/// All jumps in the code that go through a word in memory, whoever made them.
[[nodiscard]] std::vector<StubPlace> jumps_through_words(std::span<const std::uint8_t> code, std::uint64_t address);

}  // namespace connscope::probe
