// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_functions.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace connscope::probe {
namespace {

// Libraries have some ten segments and thirty sections; the largest have some ten thousand symbols.
constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxSections = 4096;
constexpr std::size_t kMaxSymbols = 1U << 18U;
constexpr std::size_t kMaxNameBytes = 16U << 20U;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#endif

/// `count` things of type T that lie in the file from `offset` on.
template <class T>
Result<std::vector<T>> read_table(int fd, std::uint64_t offset, std::size_t count, std::size_t max, const char* what) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (count > max) return Error(std::string("more ") + what + " than any library has");
  std::vector<T> table(count);
  auto* to = reinterpret_cast<char*>(table.data());
  std::size_t left = count * sizeof(T);
  while (left > 0) {
    const ssize_t length = ::pread(fd, to, left, static_cast<off_t>(offset));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return Error::from_errno(what, errno);
    if (length == 0) return Error(std::string("the file ends before its ") + what);
    to += length;
    offset += static_cast<std::uint64_t>(length);
    left -= static_cast<std::size_t>(length);
  }
  return table;
}

Result<Elf64_Ehdr> read_header(int fd) {
  const auto header = read_table<Elf64_Ehdr>(fd, 0, 1, 1, "ELF header");
  if (!header) return header.error();
  const Elf64_Ehdr& elf = header->front();
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return Error("not an ELF file");
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != kMachine)
    return Error("not of this machine's 64-bit kind");
  if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_shentsize != sizeof(Elf64_Shdr))
    return Error("an ELF header of an unknown shape");
  return elf;
}

/// Where an address of the mapped library lies in its file.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& segments, std::uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    const bool is_code = segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0;
    if (is_code && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
      return address - segment.p_vaddr + segment.p_offset;
  }
  return std::nullopt;
}

/// Defined code; what is chosen at run time (STT_GNU_IFUNC) is no function itself.
bool is_function(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
}

std::string_view name_at(const std::vector<char>& names, std::size_t at) {
  if (at >= names.size()) return {};
  const std::size_t left = names.size() - at;
  return {names.data() + at, ::strnlen(names.data() + at, left)};
}

}  // namespace

Result<FunctionOffsets> function_offsets(int fd, const std::vector<std::string>& names) {
  const auto header = read_header(fd);
  if (!header) return header.error();
  const auto segments = read_table<Elf64_Phdr>(fd, header->e_phoff, header->e_phnum, kMaxSegments, "segments");
  if (!segments) return segments.error();
  const auto sections = read_table<Elf64_Shdr>(fd, header->e_shoff, header->e_shnum, kMaxSections, "sections");
  if (!sections) return sections.error();
  const auto dynamic = std::find_if(sections->begin(), sections->end(),
                                    [](const Elf64_Shdr& section) { return section.sh_type == SHT_DYNSYM; });
  if (dynamic == sections->end() || dynamic->sh_link >= sections->size()) return Error("no dynamic symbols");
  const auto symbols = read_table<Elf64_Sym>(fd, dynamic->sh_offset, dynamic->sh_size / sizeof(Elf64_Sym), kMaxSymbols,
                                             "dynamic symbols");
  if (!symbols) return symbols.error();
  const Elf64_Shdr& strings = (*sections)[dynamic->sh_link];
  const auto texts = read_table<char>(fd, strings.sh_offset, strings.sh_size, kMaxNameBytes, "names of symbols");
  if (!texts) return texts.error();

  FunctionOffsets found;
  for (const Elf64_Sym& symbol : *symbols) {
    if (!is_function(symbol)) continue;
    const std::string_view name = name_at(*texts, symbol.st_name);
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    const auto offset = offset_of(*segments, symbol.st_value);
    if (!offset) continue;
    auto& offsets = found[std::string(name)];
    if (std::find(offsets.begin(), offsets.end(), *offset) == offsets.end()) offsets.push_back(*offset);
  }
  return found;
}

}  // namespace connscope::probe
