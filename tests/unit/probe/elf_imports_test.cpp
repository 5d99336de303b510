// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_imports.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>

#include <cstdint>
#include <exception>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope::probe {
namespace {

using Code = std::vector<std::uint8_t>;

TEST(ElfImports, AStubDoesWhatItsFunctionDoes) {
  Dl_info info{};
  link_map* map = nullptr;
  // The C++ library calls strlen of the C library.
  ASSERT_NE(::dladdr1(reinterpret_cast<void*>(&std::terminate), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP),
            0);
  const UniqueFd file(::open(map->l_name, O_RDONLY | O_CLOEXEC));
  const auto found = functions_and_stubs_in(file.get(), {"strlen@plt", "strlen", "_ZSt9terminatev"});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->count("strlen"), 0U);  // it is not the library's own
  EXPECT_EQ(found->count("_ZSt9terminatev"), 1U);
  ASSERT_EQ(found->count("strlen@plt"), 1U);
  // Its code lies in memory as in the file, as linkers put it where nothing asks for other pages.
  const std::uint64_t own = found->at("_ZSt9terminatev").front().offset;
  const std::uint64_t stub = found->at("strlen@plt").front().offset;
  const auto length =
      reinterpret_cast<std::size_t (*)(const char*)>(reinterpret_cast<std::uintptr_t>(&std::terminate) - own + stub);
  EXPECT_EQ(length("four"), 4U);
}

TEST(ElfImports, AJumpTellsItsWord) {
  const Code code = {0x90, 0xFF, 0x25, 0x10, 0, 0, 0, 0xFF, 0x25, 0xF0, 0xFF, 0xFF, 0xFF};
  const std::vector<JumpThroughWord> expected = {{0x1017, 1}, {0xFFD, 7}};
  EXPECT_EQ(jumps_through_words(code, 0x1000), expected);
}

TEST(ElfImports, AJumpBeginsWithItsPrefix) {
  const Code code = {0xF3, 0x0F, 0x1E, 0xFA, 0xF2, 0xFF, 0x25, 0, 0, 0, 0};
  EXPECT_EQ(jumps_through_words(code, 0), (std::vector<JumpThroughWord>{{11, 4}}));
}

TEST(ElfImports, ACutJumpIsNone) {
  const Code code = {0xFF, 0x25, 0, 0, 0};
  EXPECT_TRUE(jumps_through_words(code, 0).empty());
  EXPECT_TRUE(jumps_through_words({}, 0).empty());
}

TEST(ElfImports, WhatIsNoElfFileIsRefused) {
  const UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(functions_and_stubs_in(file.get(), {"strlen@plt"}));
}

}  // namespace
}  // namespace connscope::probe
