// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_file.h"

#include <cstring>

namespace connscope::probe {
namespace {

// Files have some ten segments and thirty sections; the names in the largest executables take some 100 MB.
constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxSections = 4096;
constexpr std::size_t kMaxSectionNameBytes = 1U << 20U;
constexpr std::size_t kMaxNameBytes = 256U << 20U;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#endif

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

std::string_view name_at(const std::vector<char>& names, std::size_t at) {
  if (at >= names.size()) return {};
  return {names.data() + at, ::strnlen(names.data() + at, names.size() - at)};
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

}  // namespace

Result<NamePlaces> find_names(int fd, const FileRange& table, const std::vector<std::string>& names) {
  if (table.size > kMaxNameBytes) return Error("more names than any file has");
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  NamePlaces places;
  const auto look = [&](const std::vector<char>& piece, std::size_t first) -> Status {
    const std::string_view text(piece.data(), piece.size());
    for (const std::string& name : names) {
      const std::string_view wanted(name.c_str(), name.size() + 1);
      for (std::size_t at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1))
        places.emplace(first + at, name);
    }
    return {};
  };
  if (auto read = for_each_piece<char>(fd, table.offset, table.size, longest, "names", look); !read)
    return read.error();
  return places;
}

Result<ElfFile> ElfFile::read(int fd) {
  const auto header = read_header(fd);
  if (!header) return header.error();
  ElfFile file(fd, *header);
  auto segments = read_table<Elf64_Phdr>(fd, header->e_phoff, header->e_phnum, kMaxSegments, "segments");
  if (!segments) return segments.error();
  file.segments_ = std::move(*segments);
  auto sections = read_table<Elf64_Shdr>(fd, header->e_shoff, header->e_shnum, kMaxSections, "sections");
  if (!sections) return sections.error();
  file.sections_ = std::move(*sections);
  return file;
}

std::optional<Elf64_Shdr> ElfFile::section(std::string_view suffix) const {
  if (header_.e_shstrndx >= sections_.size()) return std::nullopt;
  const Elf64_Shdr& strings = sections_[header_.e_shstrndx];
  const auto names = read_table<char>(fd_, strings.sh_offset, strings.sh_size, kMaxSectionNameBytes, "section names");
  if (!names) return std::nullopt;
  const auto found = std::find_if(sections_.begin(), sections_.end(), [&](const Elf64_Shdr& section) {
    return ends_with(name_at(*names, section.sh_name), suffix);
  });
  return found == sections_.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::uint64_t> ElfFile::code_offset(std::uint64_t address) const {
  for (const Elf64_Phdr& segment : segments_) {
    const bool is_code = segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0;
    if (is_code && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
      return address - segment.p_vaddr + segment.p_offset;
  }
  return std::nullopt;
}

}  // namespace connscope::probe
