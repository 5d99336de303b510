// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_functions.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <string>

#include "agent/base/unique_fd.h"

namespace connscope::probe {
namespace {

UniqueFd file_of(const std::string& bytes) {
  UniqueFd file(::memfd_create("library", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

Result<FunctionOffsets> offsets_in(const std::string& bytes) { return function_offsets(file_of(bytes).get(), {"one"}); }

/// The least that has the dynamic symbol "one": code at 0x1000 in the file, mapped at 0x401000.
struct Library {
  Elf64_Ehdr header{};
  Elf64_Phdr code{};
  Elf64_Shdr sections[3]{};
  Elf64_Sym symbols[2]{};
  char names[8] = "\0one";

  Library() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_X86_64;
    header.e_phoff = offsetof(Library, code);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    header.e_shoff = offsetof(Library, sections);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    code.p_type = PT_LOAD;
    code.p_flags = PF_R | PF_X;
    code.p_offset = 0x1000;
    code.p_vaddr = 0x401000;
    code.p_filesz = 0x1000;
    sections[1].sh_type = SHT_DYNSYM;
    sections[1].sh_offset = offsetof(Library, symbols);
    sections[1].sh_size = sizeof(symbols);
    sections[1].sh_link = 2;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = offsetof(Library, names);
    sections[2].sh_size = sizeof(names);
    symbols[1].st_name = 1;
    symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbols[1].st_shndx = 1;
    symbols[1].st_value = 0x401234;
  }
  [[nodiscard]] std::string bytes() const { return {reinterpret_cast<const char*>(this), sizeof(*this)}; }
};

TEST(ElfFunctions, AreWhereTheLoaderHasThem) {
  Dl_info info{};
  link_map* map = nullptr;
  void* real = ::dlsym(RTLD_DEFAULT, "getaddrinfo");
  ASSERT_NE(::dladdr1(real, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP), 0);
  const UniqueFd file(::open(map->l_name, O_RDONLY | O_CLOEXEC));
  const auto found = function_offsets(file.get(), {"getaddrinfo", "no_such_function"});
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 1U);
  ASSERT_EQ(found->at("getaddrinfo").size(), 1U);
  unsigned char there[16]{};
  ASSERT_EQ(::pread(file.get(), there, sizeof(there), static_cast<off_t>(found->at("getaddrinfo").front())), 16);
  // The first byte may be a breakpoint, where somebody looks at this very function.
  EXPECT_EQ(std::memcmp(there + 1, static_cast<const char*>(real) + 1, sizeof(there) - 1), 0);
}

TEST(ElfFunctions, AnAddressBecomesAPlaceInTheFile) {
  const auto found = offsets_in(Library().bytes());
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->at("one"), std::vector<std::uint64_t>{0x1234});
}

TEST(ElfFunctions, SymbolsForDebuggersCountToo) {
  Library library;
  library.sections[1].sh_type = SHT_SYMTAB;
  library.symbols[1].st_size = 16;
  const auto found = functions_in(file_of(library.bytes()).get(), {"one"});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->at("one"), (std::vector<Function>{{0x1234, 16}}));
}

TEST(ElfFunctions, ANameMayBeTheTailOfAnother) {
  Library library;
  std::memcpy(library.names, "\0atone", 7);
  EXPECT_TRUE(offsets_in(library.bytes())->empty());
  library.symbols[1].st_name = 3;
  EXPECT_EQ(offsets_in(library.bytes())->count("one"), 1U);
}

TEST(ElfFunctions, NamesAreFoundInEachPieceOfALargeTable) {
  for (std::size_t before : {std::size_t{1}, (std::size_t{1} << 18U) - 2, std::size_t{1} << 20U}) {
    Library library;
    library.symbols[1].st_name = static_cast<Elf64_Word>(before);
    library.sections[2].sh_offset = sizeof(Library);
    library.sections[2].sh_size = before + 4;
    const std::string names = std::string(before, '\0') + "one" + '\0';
    EXPECT_EQ(offsets_in(library.bytes() + names)->count("one"), 1U) << before;
  }
}

TEST(ElfFunctions, CodeIsReadUpToABound) {
  const UniqueFd file = file_of("code");
  EXPECT_EQ(code_of(file.get(), {1, 2}).value(), (std::vector<std::uint8_t>{'o', 'd'}));
  EXPECT_FALSE(code_of(file.get(), {1, 4}));
  EXPECT_EQ(code_of(file.get(), {0, ~std::uint64_t{0}}).error().message(), "more bytes of code than any file has");
}

TEST(ElfFunctions, WhatIsNoCodeOfItsOwnIsLeftOut) {
  Library library;
  library.symbols[1].st_shndx = SHN_UNDEF;
  EXPECT_TRUE(offsets_in(library.bytes())->empty());
  library = Library();
  library.symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
  EXPECT_TRUE(offsets_in(library.bytes())->empty());
  library = Library();
  library.symbols[1].st_value = 0x402000;  // just behind the code
  EXPECT_TRUE(offsets_in(library.bytes())->empty());
  library = Library();
  library.symbols[1].st_name = 4096;
  EXPECT_TRUE(offsets_in(library.bytes())->empty());
}

std::string refusal(const Library& library) {
  const auto found = offsets_in(library.bytes());
  return found ? "" : found.error().message();
}

TEST(ElfFunctions, OtherFilesAreRefusedWithTheReason) {
  EXPECT_EQ(offsets_in("").error().message(), "the file ends before its ELF header");
  EXPECT_EQ(offsets_in(std::string(4096, 'x')).error().message(), "not an ELF file");
  Library library;
  library.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(refusal(library), "not of this machine's 64-bit kind");
  library = Library();
  library.header.e_machine = EM_386;
  EXPECT_EQ(refusal(library), "not of this machine's 64-bit kind");
  library = Library();
  library.sections[1].sh_type = SHT_PROGBITS;
  EXPECT_EQ(refusal(library), "no symbols");
  library = Library();
  library.sections[1].sh_link = 3;
  EXPECT_EQ(refusal(library), "no symbols");
}

TEST(ElfFunctions, NumbersBeyondAllReasonAreRefusedUnread) {
  Library library;
  library.header.e_shnum = 0xffff;
  EXPECT_EQ(refusal(library), "more sections than any file has");
  library = Library();
  library.header.e_phnum = 0xffff;
  EXPECT_EQ(refusal(library), "more segments than any file has");
  library = Library();
  library.sections[1].sh_size = ~std::uint64_t{0};
  EXPECT_EQ(refusal(library), "more symbols than any file has");
  library = Library();
  library.sections[2].sh_size = std::uint64_t{1} << 40U;
  EXPECT_EQ(refusal(library), "more names than any file has");
  library = Library();
  library.sections[2].sh_offset = ~std::uint64_t{0};
  EXPECT_NE(refusal(library), "");
}

TEST(ElfFunctions, ACutFileIsRefused) {
  const std::string whole = Library().bytes();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) EXPECT_FALSE(offsets_in(whole.substr(0, bytes))) << bytes;
}

TEST(ElfFunctions, NoBytesMakeItGoAstray) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = Library().bytes();
    for (int change = 0; change < 4; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto found = offsets_in(bytes);
    EXPECT_TRUE(!found || found->size() <= 1);
  }
}

}  // namespace
}  // namespace connscope::probe
