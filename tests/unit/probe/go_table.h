// SPDX-License-Identifier: Apache-2.0
//
// GoExecutable: the least that has a table of Go's functions, with one() and two(); bytes of it may be changed.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace connscope::probe {

/// Code at 0x1000 in the file, mapped at 0x401000; one() is at 0x10 in it, two() at 0x30, and it ends at 0x40.
struct GoExecutable {
  Elf64_Ehdr header{};
  Elf64_Phdr code{};
  Elf64_Shdr sections[3]{};
  struct Table {
    std::uint32_t magic = 0xfffffff1;
    std::uint8_t zeroes[2]{};
    std::uint8_t smallest_instruction = 1;
    std::uint8_t pointer_bytes = 8;
    std::uint64_t functions = 2;
    std::uint64_t files = 0;
    std::uint64_t code = 0x401000;
    std::uint64_t names = offsetof(Table, name_text);
    std::uint64_t units = offsetof(Table, entries_text);
    std::uint64_t file_names = units;
    std::uint64_t values = units;
    std::uint64_t entries = offsetof(Table, entries_text);
    char name_text[8] = "one\0two";
    std::uint32_t entries_text[6] = {0x10, 24, 0x30, 32, 0x40, 0};
    std::uint32_t details[4] = {0x10, 0, 0x30, 4};
  } table;
  char section_names[32] = "\0.gopclntab";

  GoExecutable() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_X86_64;
    header.e_phoff = offsetof(GoExecutable, code);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    header.e_shoff = offsetof(GoExecutable, sections);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    code.p_type = PT_LOAD;
    code.p_flags = PF_R | PF_X;
    code.p_offset = 0x1000;
    code.p_vaddr = 0x401000;
    code.p_filesz = 0x1000;
    sections[1].sh_name = 1;
    sections[1].sh_type = SHT_PROGBITS;
    sections[1].sh_addr = 0x500000;
    sections[1].sh_offset = offsetof(GoExecutable, table);
    sections[1].sh_size = sizeof(table);
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = offsetof(GoExecutable, section_names);
    sections[2].sh_size = sizeof(section_names);
  }
  /// As C's linker leaves it in a program whose addresses the loader chooses: the table is behind what else is
  /// constant.
  void use_shared_section() {
    std::memcpy(section_names, "\0.data.rel.ro\0.go.buildinfo", 28);
    sections[1].sh_offset = offsetof(GoExecutable, sections);
    sections[1].sh_size = offsetof(GoExecutable, table) - offsetof(GoExecutable, sections);
    sections[1].sh_size += sizeof(table);
    sections[0].sh_name = 14;
  }
  [[nodiscard]] std::string bytes() const { return {reinterpret_cast<const char*>(this), sizeof(*this)}; }
};

}  // namespace connscope::probe
