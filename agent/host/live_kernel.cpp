// SPDX-License-Identifier: Apache-2.0
#include "agent/host/live_kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <utility>

#include "agent/host/device_ioctl.h"

namespace connscope::host {
namespace {

constexpr std::size_t kFirstBytes = 64U << 10U;
constexpr std::uint64_t kHashFactor = 0x100000001b3;

/// Only the kernel writes an open file anew: a copy of the tree may be replaced file by file.
bool is_of_type(const std::string& folder, long type) {
  struct statfs info {};
  return ::statfs(folder.c_str(), &info) == 0 && info.f_type == type;
}

/// One value, which the kernel writes whole. Below fs/ are also file systems of their own, whose files have many lines.
bool is_attribute(std::string_view path) { return !path.starts_with("fs/"); }

UniqueFd open_file(const char* path) {
  // Some files of sysfs would wait for an event otherwise.
  return UniqueFd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace

LiveKernel::LiveKernel(Roots roots)
    : roots_(std::move(roots)),
      is_procfs_(is_of_type(roots_.proc, PROC_SUPER_MAGIC)),
      is_sysfs_(is_of_type(roots_.sys, SYSFS_MAGIC)),
      buffer_(kFirstBytes) {}

const std::string& LiveKernel::folder(Root root) const {
  switch (root) {
    case Root::kProc:
      return roots_.proc;
    case Root::kSys:
      return roots_.sys;
    case Root::kUdev:
      return roots_.udev;
    case Root::kRoot:
      return roots_.root;
    case Root::kAbsolute:
      break;
  }
  static const std::string kTop = "/";
  return kTop;
}

const char* LiveKernel::join(Root root, Path path) {
  path_ = folder(root);
  if (path_.empty() || path_.back() != '/') path_ += '/';
  for (const std::string_view part : path) path_ += part;
  return path_.c_str();
}

std::string LiveKernel::path(Root root, Path path) const {
  std::string joined = folder(root);
  if (joined.empty() || joined.back() != '/') joined += '/';
  for (const std::string_view part : path) joined += part;
  return joined;
}

Content LiveKernel::read(Root root, Path path) {
  const char* name = join(root, path);
  const bool at_once = root == Root::kSys && is_attribute(*path.begin());
  if (const int kept = kept_.find(path_); kept >= 0) {
    const Content content = read_from(kept, at_once);
    if (!content.missing()) return content;
    kept_.drop(path_);  // what it belonged to went, and may have come back
  }
  UniqueFd fd = open_file(name);
  if (!fd) return {{}, errno};
  const Content content = read_from(fd.get(), at_once);
  if (stays_open(root, path) && !content.missing()) kept_.keep(path_, std::move(fd));
  return content;
}

/// A path of one part is a constant of the source; others in procfs come and go with processes.
bool LiveKernel::stays_open(Root root, Path path) const {
  return root == Root::kSys ? is_sysfs_ : root == Root::kProc && is_procfs_ && path.size() == 1;
}

/// `at_once`: what a read does not fill, it ends.
Content LiveKernel::read_from(int fd, bool at_once) {
  std::size_t size = 0;
  for (;;) {
    if (size == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const std::size_t room = buffer_.size() - size;
    const ssize_t n = ::pread(fd, buffer_.data() + size, room, static_cast<off_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {{}, errno};
    size += static_cast<std::size_t>(n);
    if (n == 0 || (at_once && static_cast<std::size_t>(n) < room)) return {{buffer_.data(), size}, 0};
    if (size > kMaxBytes) return {{}, EFBIG};
  }
}

Listing LiveKernel::list(Root root, Path path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(join(root, path)), ::closedir);
  if (!directory) return {{}, errno};
  Listing listing;
  std::uint64_t entries = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries = entries * kHashFactor + (TextHash()(name) ^ entry->d_ino);
    listing.names.emplace_back(name);
  }
  if (root == Root::kSys) kept_.see_listing(path_, entries);
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

Content LiveKernel::link(Root root, Path path) {
  const ssize_t size = ::readlink(join(root, path), buffer_.data(), PATH_MAX);
  if (size < 0) return {{}, errno};
  return {{buffer_.data(), static_cast<std::size_t>(size)}, 0};
}

std::int64_t LiveKernel::modified(Root root, Path path) {
  struct stat info {};
  if (::stat(join(root, path), &info) != 0) return 0;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::optional<Driver> LiveKernel::driver(const std::string& device) { return driver_of(device); }

std::vector<std::pair<std::string, std::uint64_t>> LiveKernel::driver_statistics(const std::string& device) {
  return driver_statistics_of(device);
}

Result<std::optional<ServiceManager>> LiveKernel::service_manager(const UnitWishes& wishes) {
  return systemd_.read(wishes);
}

int LiveKernel::uname(utsname& name) { return ::uname(&name); }

int LiveKernel::clock_state(timex& state) {
  state = {};
  return ::adjtimex(&state);
}

std::chrono::system_clock::time_point LiveKernel::now() { return std::chrono::system_clock::now(); }

}  // namespace connscope::host
