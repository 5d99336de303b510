// SPDX-License-Identifier: Apache-2.0
//
// Which version of a library a file holds, for people. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace connscope::probe {

/// What comes behind ".so." in the name of a shared library: "30.34.3". Empty when that is nothing.
[[nodiscard]] std::string version_in_name(std::string_view path);

/// The first word behind `prefix`, where it begins with a digit, in the file's constants (.rodata): "3.0.17" behind
/// "OpenSSL ". Empty when there is none, or the file makes no sense (elf_file.h).
[[nodiscard]] std::string version_in_text(int fd, const std::string& prefix);

}  // namespace connscope::probe
