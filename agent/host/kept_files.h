// SPDX-License-Identifier: Apache-2.0
//
// KeptFiles: files of procfs and sysfs that stay open from one reading to the next. The kernel writes them anew for
// each pread from the start, and finding and opening a short one costs more than reading it. A name may come to be
// another device's: when a folder is listed with other entries than the last time, the files below it are closed. At
// most a quarter of the descriptors that the process may have are kept (RLIMIT_NOFILE), since a host may have a hundred
// thousand such files; the others are opened for each reading. Owns the descriptors. The collecting thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/base/unique_fd.h"
#include "agent/host/text_hash.h"

namespace connscope::host {

class KeptFiles {
 public:
  /// The open file, or -1.
  [[nodiscard]] int find(std::string_view path) const;
  /// Closes it instead when there are too many.
  void keep(std::string_view path, UniqueFd fd);
  void drop(std::string_view path);
  /// `entries`: a hash of what the folder has.
  void see_listing(std::string_view folder, std::uint64_t entries);
  [[nodiscard]] std::size_t size() const { return files_.size(); }

 private:
  template <class T>
  using ByPath = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  ByPath<UniqueFd> files_;
  ByPath<std::uint64_t> listings_;
};

}  // namespace connscope::host
