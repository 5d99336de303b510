// SPDX-License-Identifier: Apache-2.0
//
// go_functions_in: where functions are in an executable that Go has made, by the table that its own run time needs for
// tracebacks (.gopclntab), which is there when the symbols were stripped. Of Go 1.18 and later. The file is not trusted
// (elf_file.h). Any thread.
#pragma once

#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/elf_functions.h"

namespace connscope::probe {

/// Those of `names` that it has; an error when it has no such table, or one that makes no sense. The sizes may include
/// some filling behind the code.
[[nodiscard]] Result<Functions> go_functions_in(int fd, const std::vector<std::string>& names);

}  // namespace connscope::probe
