// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/go_functions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "agent/probe/elf_file.h"

namespace connscope::probe {
namespace {

// The largest executables have half a million functions, and relocations of some ten million.
constexpr std::size_t kMaxFunctions = 1U << 22U;
constexpr std::size_t kMaxRelocations = 1U << 25U;
constexpr std::size_t kMaxSectionWords = 1U << 25U;
/// What the functions of one piece of the table have between them.
constexpr std::size_t kMaxPieceBytes = 64U << 20U;

/// pcHeader of Go's src/runtime/symtab.go, since 1.18. Offsets are from its beginning.
struct Header {
  std::uint32_t magic;
  std::uint8_t zeroes[2];
  std::uint8_t smallest_instruction;
  std::uint8_t pointer_bytes;
  std::uint64_t functions;
  std::uint64_t files;
  std::uint64_t code;  ///< address of what the entries of functions count from
  std::uint64_t names;
  std::uint64_t units;
  std::uint64_t file_names;
  std::uint64_t values;
  std::uint64_t entries;
};
static_assert(sizeof(Header) == 72);
constexpr std::uint32_t kMagic118 = 0xfffffff0;
constexpr std::uint32_t kMagic120 = 0xfffffff1;

/// functab: after the last one there is one more `code`, where the code ends.
struct Entry {
  std::uint32_t code;
  std::uint32_t details;  ///< offset of its struct _func from the first Entry
};

/// The beginning of struct _func.
struct Details {
  std::uint32_t code;
  std::int32_t name;
};

Result<Header> read_header(int fd, const Elf64_Shdr& section) {
  const auto read = read_table<Header>(fd, section.sh_offset, 1, 1, "table of Go's functions");
  if (!read) return read.error();
  const Header& header = read->front();
  if (header.magic != kMagic118 && header.magic != kMagic120)
    return Error("a table of Go's functions that is older than 1.18, or newer than is known");
  if (header.pointer_bytes != sizeof(std::uint64_t) || header.functions > kMaxFunctions)
    return Error("a table of Go's functions of an unknown shape");
  if (header.names > header.units || header.units > section.sh_size || header.entries > section.sh_size)
    return Error("a table of Go's functions that makes no sense");
  return header;
}

/// Where the table lies in a section that C's linker has put it into with others: a table of words, as it begins with
/// its magic number and what is the same in all of them.
Result<std::optional<Elf64_Shdr>> table_within(const ElfFile& file, const Elf64_Shdr& section) {
  constexpr std::uint64_t kRest = std::uint64_t{0x08010000} << 32U;
  std::optional<Elf64_Shdr> found;
  const auto look = [&](const std::vector<std::uint64_t>& piece, std::size_t first) -> Status {
    const auto at = std::find_if(piece.begin(), piece.end(), [](std::uint64_t word) {
      return word == (kRest | kMagic118) || word == (kRest | kMagic120);
    });
    if (found || at == piece.end()) return {};
    const std::uint64_t before = (first + static_cast<std::size_t>(at - piece.begin())) * sizeof(std::uint64_t);
    found = section;
    found->sh_offset += before;
    found->sh_addr += before;
    found->sh_size -= before;
    return {};
  };
  const std::size_t words = section.sh_size / sizeof(std::uint64_t);
  if (words > kMaxSectionWords) return Error("more constants than any file has");
  if (auto read = for_each_piece<std::uint64_t>(file.fd(), section.sh_offset, words, 0, "constants", look); !read)
    return read.error();
  return found;
}

Result<Elf64_Shdr> find_table(const ElfFile& file) {
  std::optional<Elf64_Shdr> section = file.section("gopclntab");
  // Only a program of Go's has the other section.
  if (!section && file.section(".go.buildinfo")) {
    if (const auto others = file.section(".data.rel.ro")) {
      auto within = table_within(file, *others);
      if (!within) return within.error();
      section = *within;
    }
  }
  if (!section) return Error("no table of Go's functions");
  return *section;
}

/// The word at an address that the loader fills in; the linker of C leaves it empty in the file.
Result<std::optional<std::uint64_t>> relocated(const ElfFile& file, std::uint64_t address) {
  std::optional<std::uint64_t> word;
  for (const Elf64_Shdr& section : file.sections()) {
    if (section.sh_type != SHT_RELA) continue;
    const std::size_t count = section.sh_size / sizeof(Elf64_Rela);
    if (count > kMaxRelocations) return Error("more relocations than any file has");
    const auto look = [&](const std::vector<Elf64_Rela>& piece, std::size_t) -> Status {
      for (const Elf64_Rela& each : piece)
        if (each.r_offset == address) word = static_cast<std::uint64_t>(each.r_addend);
      return {};
    };
    if (auto read = for_each_piece<Elf64_Rela>(file.fd(), section.sh_offset, count, 0, "relocations", look); !read)
      return read.error();
  }
  return word;
}

/// A table with all that is needed to make sense of it.
class GoTable {
 public:
  static Result<GoTable> read(const ElfFile& file) {
    const auto section = find_table(file);
    if (!section) return section.error();
    auto header = read_header(file.fd(), *section);
    if (!header) return header.error();
    if (header->code == 0) {
      const auto code = relocated(file, section->sh_addr + offsetof(Header, code));
      if (!code) return code.error();
      if (!*code) return Error("a table of Go's functions that does not tell where the code is");
      header->code = **code;
    }
    return GoTable(file, *section, *header);
  }

  [[nodiscard]] Result<Functions> find(const std::vector<std::string>& names) const {
    const auto places = find_names(file_.fd(), {at(header_.names), header_.units - header_.names}, names);
    if (!places) return places.error();
    Functions found;
    const auto look = [&](const std::vector<Entry>& piece, std::size_t) { return add(piece, *places, found); };
    // The end of the code is in the place of one more entry, of which the second half may be no part of the file.
    if (auto read = for_each_piece<Entry>(file_.fd(), at(header_.entries), header_.functions, 1, "Go functions", look);
        !read)
      return read.error();
    return found;
  }

 private:
  GoTable(const ElfFile& file, const Elf64_Shdr& section, const Header& header)
      : file_(file), section_(section), header_(header) {}

  [[nodiscard]] std::uint64_t at(std::uint64_t offset) const { return section_.sh_offset + offset; }

  /// The functions of a piece, each with the next one's beginning as its end; so the last of all is left out, which is
  /// one of the run time's.
  Status add(const std::vector<Entry>& piece, const NamePlaces& places, Functions& found) const {
    const auto by_details = [](const Entry& left, const Entry& right) { return left.details < right.details; };
    const auto [first, last] = std::minmax_element(piece.begin(), piece.end(), by_details);
    const std::uint64_t size = last->details - first->details + sizeof(Details);
    if (header_.entries + first->details + size > section_.sh_size)
      return Error("a table of Go's functions that makes no sense");
    const auto details =
        read_table<char>(file_.fd(), at(header_.entries + first->details), size, kMaxPieceBytes, "Go functions");
    if (!details) return details.error();
    for (std::size_t i = 0; i + 1 < piece.size(); ++i) {
      Details one{};
      std::memcpy(&one, details->data() + (piece[i].details - first->details), sizeof(one));
      const auto name = places.find(static_cast<std::uint32_t>(one.name));
      if (name == places.end() || piece[i + 1].code <= piece[i].code) continue;
      if (const auto offset = file_.code_offset(header_.code + piece[i].code))
        found[name->second].push_back({*offset, piece[i + 1].code - piece[i].code});
    }
    return {};
  }

  const ElfFile& file_;
  Elf64_Shdr section_;
  Header header_;
};

}  // namespace

Result<Functions> go_functions_in(int fd, const std::vector<std::string>& names) {
  const auto file = ElfFile::read(fd);
  if (!file) return file.error();
  const auto table = GoTable::read(*file);
  if (!table) return table.error();
  return table->find(names);
}

}  // namespace connscope::probe
