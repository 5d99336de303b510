// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/libc_library.h"

#include <gtest/gtest.h>

namespace connscope::bpf {
namespace {

TEST(CLibrary, IsToldByItsName) {
  for (const char* name : {"libc.so.6", "libc-2.31.so", "libc-2.17.so", "libc.so", "ld-musl-x86_64.so.1",
                           "ld-musl-aarch64.so.1", "libc.musl-x86_64.so.1"})
    EXPECT_TRUE(is_c_library(name)) << name;
  for (const char* name : {"", "libc", "libc.so.7", "libcap.so.2", "libc-client.so.2007", "ld-linux-x86-64.so.2",
                           "libc.so.6.bak", "xlibc.so.6", "libc-2.31.so.old"})
    EXPECT_FALSE(is_c_library(name)) << name;
}

}  // namespace
}  // namespace connscope::bpf
