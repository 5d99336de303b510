// SPDX-License-Identifier: Apache-2.0
//
// DiskQueue: entries of bytes in a folder, first in, first out, which outlive the process and the machine's loss of
// power. Each entry is a file of its own, whose name is its number: it is written beside, synced, and renamed, so that
// it is there whole or not at all, and gone at once when it is removed; a checksum finds what a disk has spoiled. The
// folder is locked against a second queue, of this process or another, for as long as the queue lives. When all entries
// together would pass the limit the oldest go. One thread at a time. Sizes are bytes on disk, in whole blocks. Source:
// rename(2), fsync(2), flock(2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::exporters {

class DiskQueue {
 public:
  using Number = std::uint64_t;

  /// Makes the folder, readable for its owner alone, where it is not there. Errors name it.
  static Result<DiskQueue> open(const std::string& folder, std::uint64_t max_bytes);

  /// Appends, and says how many of the oldest had to make room. With an error, as for an entry that could never fit,
  /// nothing of it is there and nothing has gone.
  Result<std::uint64_t> push(std::string_view entry);
  [[nodiscard]] std::optional<Number> oldest() const;
  /// Nothing: the file is gone, or is not what was written.
  [[nodiscard]] Result<std::optional<std::string>> read(Number number) const;
  /// One that is not there any more is no error.
  void remove(Number number);

  /// From the next push on.
  void set_max_bytes(std::uint64_t max_bytes) { max_bytes_ = max_bytes; }
  [[nodiscard]] std::uint64_t size() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  DiskQueue(std::string folder, UniqueFd directory, std::uint64_t max_bytes)
      : folder_(std::move(folder)), directory_(std::move(directory)), max_bytes_(max_bytes) {}
  Status find_entries();
  Status write(const std::string& name, std::string_view entry) const;

  std::string folder_;
  UniqueFd directory_;  // locked
  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::map<Number, std::uint64_t> entries_;  // by number, their sizes
};

}  // namespace connscope::exporters
