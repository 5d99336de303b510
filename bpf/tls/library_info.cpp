// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/library_info.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace connscope::bpf {

std::string path_hash(std::string_view path) {
  // FNV-1a, of 32 bits: it has to tell some hundred paths apart.
  std::uint32_t hash = 2166136261U;
  for (const char byte : path) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", hash);
  return text.data();
}

Result<LibraryInfo> LibraryInfo::create(metrics::Registry& registry, std::string library) {
  auto family = registry.family<metrics::Info>({"connscope_tls_library",
                                                "A copy of a TLS library whose reasons are heard.",
                                                "",
                                                {"library", "version", "path_hash"},
                                                ""});
  if (!family) return family.error();
  return LibraryInfo(*family, std::move(library));
}

void LibraryInfo::show(const std::vector<probe::LibraryUprobes::Copy>& copies) {
  std::set<Labels> shown;
  for (const auto& copy : copies) shown.insert({library_, copy.version, path_hash(copy.path)});
  for (const Labels& labels : shown_)
    if (shown.count(labels) == 0) family_->remove(labels);
  for (const Labels& labels : shown)
    if (shown_.count(labels) == 0) (void)family_->with(labels);
  shown_ = std::move(shown);
}

}  // namespace connscope::bpf
