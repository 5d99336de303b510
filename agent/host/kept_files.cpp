// SPDX-License-Identifier: Apache-2.0
#include "agent/host/kept_files.h"

#include <sys/resource.h>

#include <utility>

namespace connscope::host {
namespace {

constexpr std::size_t kShareOfLimit = 4;

std::size_t most_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur / kShareOfLimit : 0;
}

}  // namespace

int KeptFiles::find(std::string_view path) const {
  const auto file = files_.find(path);
  return file == files_.end() ? -1 : file->second.get();
}

void KeptFiles::keep(std::string_view path, UniqueFd fd) {
  if (files_.size() < most_files()) files_.insert_or_assign(std::string(path), std::move(fd));
}

void KeptFiles::drop(std::string_view path) {
  if (const auto file = files_.find(path); file != files_.end()) files_.erase(file);
}

void KeptFiles::see_listing(std::string_view folder, std::uint64_t entries) {
  const auto known = listings_.find(folder);
  if (known == listings_.end()) {
    listings_.emplace(folder, entries);
    return;
  }
  if (std::exchange(known->second, entries) == entries) return;
  std::erase_if(files_, [folder](const auto& file) { return file.first.starts_with(folder); });
}

}  // namespace connscope::host
