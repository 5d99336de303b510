// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/library_version.h"

#include <cctype>
#include <cstddef>
#include <vector>

#include "agent/probe/elf_file.h"

namespace connscope::probe {
namespace {

constexpr std::size_t kMaxVersion = 32;
/// The constants of the largest executables take some 100 MB.
constexpr std::size_t kMaxTextBytes = 256U << 20U;

bool is_digit(char character) { return std::isdigit(static_cast<unsigned char>(character)) != 0; }

/// The word at the beginning of a text, when it is a version.
std::string leading_version(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && length < kMaxVersion &&
         (std::isalnum(static_cast<unsigned char>(text[length])) != 0 || text[length] == '.' || text[length] == '-'))
    ++length;
  return length > 0 && is_digit(text.front()) ? std::string(text.substr(0, length)) : std::string();
}

}  // namespace

std::string version_in_name(std::string_view path) {
  constexpr std::string_view kMark = ".so.";
  const std::size_t at = path.rfind(kMark);
  return at == std::string_view::npos ? std::string() : leading_version(path.substr(at + kMark.size()));
}

std::string version_in_text(int fd, const std::string& prefix) {
  const auto file = ElfFile::read(fd);
  const auto section = file ? file->section(".rodata") : std::nullopt;
  if (!section || section->sh_size > kMaxTextBytes) return {};
  std::string version;
  const std::size_t overlap = prefix.size() + kMaxVersion;
  const auto look = [&](const std::vector<char>& piece, std::size_t first) -> Status {
    const std::string_view text(piece.data(), piece.size());
    // What is cut here is whole in the next piece.
    const bool is_last = first + piece.size() == section->sh_size;
    const std::size_t end = is_last ? text.size() : text.size() - overlap;
    for (std::size_t at = text.find(prefix); version.empty() && at < end; at = text.find(prefix, at + 1))
      version = leading_version(text.substr(at + prefix.size()));
    return {};
  };
  (void)for_each_piece<char>(fd, section->sh_offset, section->sh_size, overlap, "constants", look);
  return version;
}

}  // namespace connscope::probe
