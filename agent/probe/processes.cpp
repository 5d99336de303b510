// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/processes.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "agent/base/file.h"

namespace connscope::probe {
namespace {

/// Some hundred thousand mappings; a process with more is not looked at.
constexpr std::size_t kMaxMapsBytes = 16U << 20U;
/// Inode number of the first pid namespace (include/uapi/linux/nsfs.h of Linux 6.18; the number is as old as nsfs).
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status for_each_process(const std::string& procfs,
                        const std::function<void(int directory, const dirent& entry)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(procfs.c_str()), ::closedir);
  if (!directory) return Error::from_errno(procfs, errno);
  while (const dirent* entry = ::readdir(directory.get()))
    if (is_number(entry->d_name)) visit(::dirfd(directory.get()), *entry);
  return {};
}

Result<std::string> read_maps(const std::string& procfs, const std::string& process) {
  return read_file(procfs + "/" + process + "/maps", kMaxMapsBytes);
}

bool sees_all_processes() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == kFirstPidNamespace;
}

}  // namespace connscope::probe
