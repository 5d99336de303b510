// SPDX-License-Identifier: Apache-2.0
//
// A folder of one test, removed with all that is in it. Readable by all, so that a program which gives up root still
// sees its files. One thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace connscope::testing {

class TempDir {
 public:
  static Result<TempDir> create();

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) = delete;
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Writes a file of that name, in place of one that may be there; its path.
  [[nodiscard]] Result<std::string> write(const std::string& name, std::string_view text) const;
  /// Puts an executable here under another name; its path.
  [[nodiscard]] Result<std::string> copy_program(const std::string& source, const std::string& name) const;

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace connscope::testing
