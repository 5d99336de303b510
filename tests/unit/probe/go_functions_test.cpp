// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/go_functions.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "agent/base/unique_fd.h"
#include "agent/probe/go_build.h"
#include "tests/unit/probe/go_table.h"

namespace connscope::probe {
namespace {

UniqueFd file_of(const std::string& bytes) {
  UniqueFd file(::memfd_create("executable", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

Result<Functions> find(const std::string& bytes) {
  return go_functions_in(file_of(bytes).get(), {"one", "two", "three"});
}

std::string refusal(const GoExecutable& executable) {
  const auto found = find(executable.bytes());
  return found ? "" : found.error().message();
}

TEST(GoFunctions, HaveAPlaceAndASize) {
  for (const std::uint32_t magic : {0xfffffff0U, 0xfffffff1U}) {
    GoExecutable executable;
    executable.table.magic = magic;
    const auto found = find(executable.bytes());
    ASSERT_TRUE(found) << found.error().message();
    ASSERT_EQ(found->size(), 1U) << "the last one has no end";
    EXPECT_EQ(found->at("one"), (std::vector<Function>{{0x1010, 0x20}}));
  }
}

TEST(GoFunctions, TheirCodeMayBeWhereTheLoaderIsToldToPutIt) {
  struct Moved {
    GoExecutable executable;
    Elf64_Rela relocation{};
  } moved;
  moved.executable.table.code = 0;
  moved.executable.sections[0].sh_type = SHT_RELA;
  moved.executable.sections[0].sh_offset = offsetof(Moved, relocation);
  moved.executable.sections[0].sh_size = sizeof(Elf64_Rela);
  moved.relocation.r_offset = 0x500000 + 24;
  moved.relocation.r_addend = 0x401000;
  const std::string bytes(reinterpret_cast<const char*>(&moved), sizeof(moved));
  ASSERT_TRUE(find(bytes));
  EXPECT_EQ(find(bytes)->at("one").front().offset, 0x1010U);
  moved.relocation.r_offset = 0x500000;
  EXPECT_EQ(find({reinterpret_cast<const char*>(&moved), sizeof(moved)}).error().message(),
            "a table of Go's functions that does not tell where the code is");
}

TEST(GoFunctions, TheirTableMayBeAmongOtherConstants) {
  GoExecutable executable;
  executable.use_shared_section();
  ASSERT_TRUE(find(executable.bytes())) << find(executable.bytes()).error().message();
  EXPECT_EQ(find(executable.bytes())->at("one").front().offset, 0x1010U);
}

TEST(GoFunctions, OtherTablesAreRefusedWithTheReason) {
  GoExecutable executable;
  executable.section_names[1] = 'x';
  executable.section_names[11] = 'x';
  EXPECT_EQ(refusal(executable), "no table of Go's functions");
  executable = GoExecutable();
  executable.table.magic = 0xfffffffa;
  EXPECT_EQ(refusal(executable), "a table of Go's functions that is older than 1.18, or newer than is known");
  executable = GoExecutable();
  executable.table.functions = ~std::uint64_t{0};
  EXPECT_EQ(refusal(executable), "a table of Go's functions of an unknown shape");
  executable = GoExecutable();
  executable.table.units = std::uint64_t{1} << 40U;
  EXPECT_EQ(refusal(executable), "a table of Go's functions that makes no sense");
  executable = GoExecutable();
  executable.table.entries_text[3] = 0x7fffffff;
  EXPECT_EQ(refusal(executable), "a table of Go's functions that makes no sense");
}

TEST(GoFunctions, AnAddressWithoutCodeIsLeftOut) {
  GoExecutable executable;
  executable.table.code = 0x900000;
  EXPECT_TRUE(find(executable.bytes())->empty());
}

TEST(GoFunctions, ACutFileHasNone) {
  const std::string whole = GoExecutable().bytes();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto found = find(whole.substr(0, bytes));
    EXPECT_TRUE(!found || bytes + sizeof(GoExecutable::section_names) >= whole.size()) << bytes;
  }
}

TEST(GoFunctions, NoBytesMakeItGoAstray) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = GoExecutable().bytes();
    for (int change = 0; change < 4; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto found = find(bytes);
    EXPECT_TRUE(!found || found->size() <= 2);
  }
}

TEST(GoBuild, AFileThatIsNotGosHasNoVersion) {
  EXPECT_EQ(go_version_of(file_of("").get()), "");
  EXPECT_EQ(go_version_of(file_of(GoExecutable().bytes()).get()), "");
}

TEST(GoBuild, TheVersionIsReadWithItsLength) {
  GoExecutable executable;
  std::memcpy(executable.section_names, "\0.go.buildinfo", 15);
  std::string text("\xff Go buildinf:\x08\x02", 16);
  text.resize(32);
  text += std::string("\x06") + "go1.99 and more";
  std::memcpy(static_cast<void*>(&executable.table), text.data(), text.size());
  EXPECT_EQ(go_version_of(file_of(executable.bytes()).get()), "go1.99");
  executable.sections[1].sh_size = 34;
  EXPECT_EQ(go_version_of(file_of(executable.bytes()).get()), "g") << "cut where the section ends";
}

}  // namespace
}  // namespace connscope::probe
