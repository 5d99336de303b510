// SPDX-License-Identifier: Apache-2.0
//
// ElfFile: the frame of an ELF file: its segments and sections, and reading of tables in it. The file may come from a
// container that is not to be trusted, so every number in it is held against bounds before it is used, and large tables
// are read by pieces. 64-bit ELF of this machine's byte order and kind only. Any thread.
#pragma once

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

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

/// Calls `use(piece, index of its first)` for pieces of a table that follow each other, the last `overlap` things of
/// each once more at the beginning of the next. `use` returns a Status; its error ends the reading.
template <class T, class Use>
Status for_each_piece(int fd, std::uint64_t offset, std::size_t count, std::size_t overlap, const char* what, Use use) {
  constexpr std::size_t kPieceBytes = 1U << 18U;
  const std::size_t most = kPieceBytes / sizeof(T);
  for (std::size_t first = 0; first < count; first += most - overlap) {
    const std::size_t length = std::min(most, count - first);
    const auto piece = read_table<T>(fd, offset + first * sizeof(T), length, most, what);
    if (!piece) return piece.error();
    if (auto used = use(*piece, first); !used) return used;
    if (first + length == count) break;
  }
  return {};
}

/// Part of a file.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Where in a table of names, each with a NUL behind it, those of `names` stand, also as the tails of longer ones, as
/// linkers put them.
using NamePlaces = std::unordered_map<std::uint64_t, std::string>;
[[nodiscard]] Result<NamePlaces> find_names(int fd, const FileRange& table, const std::vector<std::string>& names);

[[nodiscard]] inline bool is_code(const Elf64_Shdr& section) {
  return section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0;
}

class ElfFile {
 public:
  /// The descriptor is borrowed, also by what is returned.
  static Result<ElfFile> read(int fd);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  /// The first section whose name ends so; nothing also when the names of sections make no sense.
  [[nodiscard]] std::optional<Elf64_Shdr> section(std::string_view suffix) const;
  /// Where the code at an address of the mapped file lies in the file.
  [[nodiscard]] std::optional<std::uint64_t> code_offset(std::uint64_t address) const;

 private:
  ElfFile(int fd, const Elf64_Ehdr& header) : fd_(fd), header_(header) {}

  int fd_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Shdr> sections_;
};

}  // namespace connscope::probe
