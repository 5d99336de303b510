// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_imports.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <unordered_map>

#include "agent/probe/elf_file.h"

namespace connscope::probe {
namespace {

// Large libraries have some ten thousand symbols and relocations.
constexpr std::size_t kMaxSymbols = 1U << 20U;
constexpr std::size_t kMaxRelocations = 1U << 22U;
/// The stubs of the largest executables; code beside them is not looked at.
constexpr std::size_t kMaxStubBytes = 1U << 22U;

// jmp *displacement(%rip), with the prefix `bnd` where branches are tracked.
constexpr std::uint8_t kJump = 0xFF;
constexpr std::uint8_t kThroughWord = 0x25;
constexpr std::uint8_t kBound = 0xF2;
constexpr std::size_t kJumpBytes = 6;

/// How a stub is called, after the function's name.
const std::string kStub = "@plt";

/// Words that hold the address of a function of another library, and its name.
using Slots = std::unordered_map<std::uint64_t, std::string>;

bool is_of_function(Elf64_Xword info) {
  const auto type = ELF64_R_TYPE(info);
  return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
}

/// The names of those symbols of a dynamic table that are of interest, by index.
Result<std::unordered_map<std::uint64_t, std::string>> symbols_in(const ElfFile& file, const Elf64_Shdr& table,
                                                                  const std::vector<std::string>& names) {
  std::unordered_map<std::uint64_t, std::string> found;
  if (table.sh_link >= file.sections().size()) return found;
  const Elf64_Shdr& strings = file.sections()[table.sh_link];
  const auto places = find_names(file.fd(), {strings.sh_offset, strings.sh_size}, names);
  if (!places) return places.error();
  const auto symbols = read_table<Elf64_Sym>(file.fd(), table.sh_offset, table.sh_size / sizeof(Elf64_Sym), kMaxSymbols,
                                             "dynamic symbols");
  if (!symbols) return symbols.error();
  for (std::size_t index = 0; index < symbols->size(); ++index) {
    const auto name = places->find((*symbols)[index].st_name);
    if (name != places->end() && (*symbols)[index].st_shndx == SHN_UNDEF) found.emplace(index, name->second);
  }
  return found;
}

Status add_slots(const ElfFile& file, const Elf64_Shdr& relocations, const std::vector<std::string>& names,
                 Slots& slots) {
  const auto& sections = file.sections();
  if (relocations.sh_link >= sections.size() || sections[relocations.sh_link].sh_type != SHT_DYNSYM) return {};
  const auto symbols = symbols_in(file, sections[relocations.sh_link], names);
  if (!symbols) return symbols.error();
  const std::size_t count = relocations.sh_size / sizeof(Elf64_Rela);
  if (symbols->empty() || count == 0) return {};
  if (count > kMaxRelocations) return Error("more relocations than any file has");
  const auto look = [&](const std::vector<Elf64_Rela>& piece, std::size_t) -> Status {
    for (const Elf64_Rela& relocation : piece) {
      const auto symbol = symbols->find(ELF64_R_SYM(relocation.r_info));
      if (symbol != symbols->end() && is_of_function(relocation.r_info))
        slots.emplace(relocation.r_offset, symbol->second);
    }
    return {};
  };
  return for_each_piece<Elf64_Rela>(file.fd(), relocations.sh_offset, count, 0, "relocations", look);
}

Result<Slots> slots_in(const ElfFile& file, const std::vector<std::string>& names) {
  Slots slots;
  for (const Elf64_Shdr& section : file.sections()) {
    if (section.sh_type != SHT_RELA) continue;
    if (auto added = add_slots(file, section, names, slots); !added) return added.error();
  }
  return slots;
}

/// Linkers put stubs into sections of their own, whose size is a multiple of the stubs'.
bool may_have_stubs(const Elf64_Shdr& section) { return is_code(section) && section.sh_entsize > 0; }

Status add_stubs(const ElfFile& file, const Elf64_Shdr& section, const Slots& slots, Functions& found) {
  const auto code =
      read_table<std::uint8_t>(file.fd(), section.sh_offset, section.sh_size, kMaxStubBytes, "bytes of stubs");
  if (!code) return code.error();
  for (const JumpThroughWord& jump : jumps_through_words(*code, section.sh_addr))
    if (const auto slot = slots.find(jump.slot); slot != slots.end())
      found[slot->second + kStub].push_back({section.sh_offset + jump.at, kJumpBytes});
  return {};
}

Status add_stubs_in(int fd, const std::vector<std::string>& names, Functions& found) {
  const auto file = ElfFile::read(fd);
  if (!file) return file.error();
  const auto slots = slots_in(*file, names);
  if (!slots) return slots.error();
  for (const Elf64_Shdr& section : file->sections()) {
    if (slots->empty() || !may_have_stubs(section)) continue;
    if (auto added = add_stubs(*file, section, *slots, found); !added) return added.error();
  }
  return {};
}

/// The names of which the stubs are asked for.
std::vector<std::string> imports_among(const std::vector<std::string>& names) {
  std::vector<std::string> imports;
  for (const std::string& name : names)
    if (name.ends_with(kStub)) imports.push_back(name.substr(0, name.size() - kStub.size()));
  return imports;
}

}  // namespace

std::vector<JumpThroughWord> jumps_through_words(std::span<const std::uint8_t> code, std::uint64_t address) {
  std::vector<JumpThroughWord> found;
  for (std::size_t at = 0; at + kJumpBytes <= code.size(); ++at) {
    if (code[at] != kJump || code[at + 1] != kThroughWord) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, &code[at + 2], sizeof(displacement));
    const std::uint64_t slot = address + at + kJumpBytes + static_cast<std::uint64_t>(std::int64_t{displacement});
    found.push_back({slot, at > 0 && code[at - 1] == kBound ? at - 1 : at});
  }
  return found;
}

Result<Functions> functions_and_stubs_in(int fd, const std::vector<std::string>& names) {
  auto found = functions_in(fd, names);
#if defined(__x86_64__)
  const auto imports = imports_among(names);
  if (!found || imports.empty()) return found;
  if (auto added = add_stubs_in(fd, imports, *found); !added) return added.error();
#endif
  return found;
}

}  // namespace connscope::probe
