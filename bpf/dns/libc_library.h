// SPDX-License-Identifier: Apache-2.0
//
// is_c_library: which files are glibc or musl, by their names. Pure; any thread.
#pragma once

#include <string_view>

namespace connscope::bpf {

/// glibc is libc.so.6, which before 2.34 was a link to libc-2.31.so or its like. musl is one file with its loader,
/// ld-musl-x86_64.so.1, which Debian has as a link to libc.so, and to which libc.musl-x86_64.so.1 is one.
[[nodiscard]] inline bool is_c_library(std::string_view name) {
  const auto begins = [name](std::string_view start) { return name.substr(0, start.size()) == start; };
  const auto ends = [name](std::string_view end) {
    return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
  };
  return name == "libc.so.6" || name == "libc.so" || (begins("libc-2.") && ends(".so")) ||
         ((begins("ld-musl-") || begins("libc.musl-")) && ends(".so.1"));
}

}  // namespace connscope::bpf
