// SPDX-License-Identifier: Apache-2.0
//
// go_version_of: which Go an executable was made with, by what the linker puts into it for `go version`. The file is
// not trusted (elf_file.h). Any thread.
#pragma once

#include <string>

namespace connscope::probe {

/// "go1.19.8"; empty where the file does not tell, as before Go 1.18.
[[nodiscard]] std::string go_version_of(int fd);

}  // namespace connscope::probe
