// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/go_build.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/probe/elf_file.h"

namespace connscope::probe {
namespace {

// Go's src/debug/buildinfo: after these 14 bytes come the size of a pointer and flags; the version is at 32, with its
// length before it, where the flags say so.
constexpr std::string_view kMagic("\xff Go buildinf:", 14);
constexpr std::size_t kFlags = 15;
constexpr std::uint8_t kIsInline = 2;
constexpr std::size_t kVersion = 32;
/// One that is this long or longer would have a second byte of length.
constexpr std::size_t kMaxVersion = 128;

}  // namespace

std::string go_version_of(int fd) {
  const auto file = ElfFile::read(fd);
  const auto section = file ? file->section(".go.buildinfo") : std::nullopt;
  if (!section) return {};
  const std::size_t size = std::min<std::size_t>(section->sh_size, kVersion + kMaxVersion);
  const auto bytes = read_table<char>(fd, section->sh_offset, size, kVersion + kMaxVersion, "bytes about its build");
  if (!bytes || size <= kVersion) return {};
  const std::string_view text(bytes->data(), size);
  const auto flags = static_cast<std::uint8_t>(text[kFlags]);
  const auto length = static_cast<std::uint8_t>(text[kVersion]);
  if (text.substr(0, kMagic.size()) != kMagic || (flags & kIsInline) == 0 || length >= kMaxVersion) return {};
  return std::string(text.substr(kVersion + 1, length));
}

}  // namespace connscope::probe
