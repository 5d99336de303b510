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
#include <unordered_map>

namespace connscope::probe {
namespace {

// Files have some ten segments and thirty sections; the largest executables have half a million symbols.
constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxSections = 4096;
constexpr std::size_t kMaxSymbols = 1U << 22U;
constexpr std::size_t kMaxNameBytes = 256U << 20U;
constexpr std::size_t kMaxCodeBytes = 1U << 20U;
/// What is read of a table at once.
constexpr std::size_t kPieceBytes = 1U << 18U;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#endif

/// `count` things of type T that lie in the file from `offset` on.
template <class T>
Result<std::vector<T>> read_table(int fd, std::uint64_t offset, std::size_t count, std::size_t max, const char* what) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (count > max) return Error(std::string("more ") + what + " than any file has");
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

/// Where an address of the mapped file lies in its file.
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

/// Calls `use(piece, index of its first)` for pieces of a table that follow each other, the last `overlap` things of
/// each once more at the beginning of the next.
template <class T, class Use>
Status for_each_piece(int fd, std::uint64_t offset, std::size_t count, std::size_t overlap, const char* what, Use use) {
  const std::size_t most = kPieceBytes / sizeof(T);
  for (std::size_t first = 0; first < count; first += most - overlap) {
    const std::size_t length = std::min(most, count - first);
    const auto piece = read_table<T>(fd, offset + first * sizeof(T), length, most, what);
    if (!piece) return piece.error();
    use(*piece, first);
    if (first + length == count) break;
  }
  return {};
}

/// Where in a table of names those of `names` stand, also as the tails of longer ones, as linkers put them.
using NamePlaces = std::unordered_map<std::uint64_t, std::string>;
Result<NamePlaces> find_names(int fd, const Elf64_Shdr& strings, const std::vector<std::string>& names) {
  if (strings.sh_size > kMaxNameBytes) return Error("more names of symbols than any file has");
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  NamePlaces places;
  const auto look = [&](const std::vector<char>& piece, std::size_t first) {
    const std::string_view text(piece.data(), piece.size());
    for (const std::string& name : names) {
      const std::string_view wanted(name.c_str(), name.size() + 1);  // with the NUL that ends it
      for (std::size_t at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1))
        places.emplace(first + at, name);
    }
  };
  if (auto read = for_each_piece<char>(fd, strings.sh_offset, strings.sh_size, longest, "names of symbols", look);
      !read)
    return read.error();
  return places;
}

/// One table of symbols, with all that is needed to make sense of it.
struct SymbolTable {
  Elf64_Shdr symbols;
  Elf64_Shdr strings;
};

Status add_functions(int fd, const SymbolTable& table, const std::vector<Elf64_Phdr>& segments,
                     const std::vector<std::string>& names, Functions& found) {
  const std::size_t count = table.symbols.sh_size / sizeof(Elf64_Sym);
  if (count > kMaxSymbols) return Error("more symbols than any file has");
  const auto places = find_names(fd, table.strings, names);
  if (!places) return places.error();
  return for_each_piece<Elf64_Sym>(
      fd, table.symbols.sh_offset, count, 0, "symbols", [&](const std::vector<Elf64_Sym>& piece, std::size_t) {
        for (const Elf64_Sym& symbol : piece) {
          const auto name = places->find(symbol.st_name);
          if (name == places->end() || !is_function(symbol)) continue;
          const auto offset = offset_of(segments, symbol.st_value);
          if (!offset) continue;
          auto& functions = found[name->second];
          const bool is_known = std::any_of(functions.begin(), functions.end(),
                                            [&](const Function& function) { return function.offset == *offset; });
          if (!is_known) functions.push_back({*offset, symbol.st_size});
        }
      });
}

std::vector<SymbolTable> symbol_tables(const std::vector<Elf64_Shdr>& sections) {
  std::vector<SymbolTable> tables;
  for (const Elf64_Shdr& section : sections) {
    const bool has_symbols = section.sh_type == SHT_DYNSYM || section.sh_type == SHT_SYMTAB;
    if (has_symbols && section.sh_link < sections.size()) tables.push_back({section, sections[section.sh_link]});
  }
  return tables;
}

}  // namespace

Result<Functions> functions_in(int fd, const std::vector<std::string>& names) {
  const auto header = read_header(fd);
  if (!header) return header.error();
  const auto segments = read_table<Elf64_Phdr>(fd, header->e_phoff, header->e_phnum, kMaxSegments, "segments");
  if (!segments) return segments.error();
  const auto sections = read_table<Elf64_Shdr>(fd, header->e_shoff, header->e_shnum, kMaxSections, "sections");
  if (!sections) return sections.error();
  const std::vector<SymbolTable> tables = symbol_tables(*sections);
  if (tables.empty()) return Error("no symbols");
  Functions found;
  for (const SymbolTable& table : tables)
    if (auto added = add_functions(fd, table, *segments, names, found); !added) return added.error();
  return found;
}

Result<FunctionOffsets> function_offsets(int fd, const std::vector<std::string>& names) {
  const auto functions = functions_in(fd, names);
  if (!functions) return functions.error();
  FunctionOffsets offsets;
  for (const auto& [name, places] : *functions)
    for (const Function& place : places) offsets[name].push_back(place.offset);
  return offsets;
}

Result<std::vector<std::uint8_t>> code_of(int fd, const Function& function) {
  return read_table<std::uint8_t>(fd, function.offset, function.size, kMaxCodeBytes, "bytes of code");
}

}  // namespace connscope::probe
