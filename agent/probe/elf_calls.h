// SPDX-License-Identifier: Apache-2.0
//
// places_after_calls: where in a file a function, or the stub of one of another library (elf_imports.h), is seen to
// have returned to what calls it by its address. A uretprobe at the function would see the same, at the cost of a
// second trap, and of a single-stepped instruction where the function begins with none that the kernel emulates, as
// every stub does. The file is not trusted (elf_file.h). Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/probe/elf_functions.h"

namespace connscope::probe {

/// Offsets in the file (after_calls in x86_code.h). None where these cannot be told for sure, nor in a file with more
/// code than a library of moderate size: then a uretprobe has to serve. The descriptor is only borrowed.
[[nodiscard]] std::vector<std::uint64_t> places_after_calls(int fd, const Function& callee);

}  // namespace connscope::probe
