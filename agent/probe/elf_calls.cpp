// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_calls.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "agent/probe/elf_file.h"
#include "agent/probe/x86_code.h"

namespace connscope::probe {
namespace {

/// To read through the code of the largest executables would take seconds.
constexpr std::size_t kMaxCodeBytes = 1U << 22U;

constexpr std::array<std::uint8_t, 4> kEndbr64 = {0xF3, 0x0F, 0x1E, 0xFA};

/// Stubs may begin before what they are found by, for branches to be tracked.
std::uint64_t entry_of(int fd, const Function& callee) {
  if (callee.offset < kEndbr64.size()) return callee.offset;
  const std::uint64_t before = callee.offset - kEndbr64.size();
  const auto bytes = read_table<std::uint8_t>(fd, before, kEndbr64.size(), kEndbr64.size(), "code");
  return bytes && std::equal(bytes->begin(), bytes->end(), kEndbr64.begin()) ? before : callee.offset;
}

/// How far the addresses of mapped code are from its offsets in the file; nothing for what is in no section.
std::optional<std::uint64_t> shift_at(const ElfFile& file, std::uint64_t offset) {
  for (const Elf64_Shdr& section : file.sections())
    if (is_code(section) && offset >= section.sh_offset && offset - section.sh_offset < section.sh_size)
      return section.sh_addr - section.sh_offset;
  return std::nullopt;
}

bool is_of_moderate_size(const ElfFile& file) {
  std::uint64_t left = kMaxCodeBytes;
  for (const Elf64_Shdr& section : file.sections()) {
    if (!is_code(section)) continue;
    if (section.sh_size > left) return false;
    left -= section.sh_size;
  }
  return true;
}

}  // namespace

std::vector<std::uint64_t> places_after_calls(int fd, const Function& callee) {
  std::vector<std::uint64_t> places;
#if defined(__x86_64__)
  const auto file = ElfFile::read(fd);
  if (!file || !is_of_moderate_size(*file)) return {};
  const std::uint64_t entry = entry_of(fd, callee);
  const auto shift = shift_at(*file, entry);
  if (!shift) return {};
  for (const Elf64_Shdr& section : file->sections()) {
    if (!is_code(section)) continue;
    const auto code = read_table<std::uint8_t>(fd, section.sh_offset, section.sh_size, kMaxCodeBytes, "bytes of code");
    if (!code || section.sh_addr - section.sh_offset != *shift) return {};
    const auto found = after_calls(*code, entry - section.sh_offset);
    if (!found) return {};
    for (const std::uint64_t place : *found) places.push_back(section.sh_offset + place);
  }
#endif
  return places;
}

}  // namespace connscope::probe
