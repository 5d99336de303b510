// SPDX-License-Identifier: Apache-2.0
#include "tests/support/temp_dir.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace connscope::testing {

Result<TempDir> TempDir::create() {
  std::error_code failed;
  std::string path = (std::filesystem::temp_directory_path(failed) / "connscope-test-XXXXXX").string();
  if (failed) return Error("temporary folder: " + failed.message());
  if (::mkdtemp(path.data()) == nullptr) return Error::from_errno(path, errno);
  if (::chmod(path.c_str(), 0755) != 0) return Error::from_errno(path, errno);
  return TempDir(path);
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::string> TempDir::write(const std::string& name, std::string_view text) const {
  const std::string file_path = path_ + "/" + name;
  std::ofstream file(file_path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error("cannot write " + file_path);
  return file_path;
}

Result<std::string> TempDir::copy_program(const std::string& source, const std::string& name) const {
  const std::string target = path_ + "/" + name;
  std::error_code failed;
  std::filesystem::create_hard_link(source, target, failed);
  if (failed) std::filesystem::copy_file(source, target, failed);
  if (failed) return Error("copying " + source + " to " + target + ": " + failed.message());
  return target;
}

}  // namespace connscope::testing
