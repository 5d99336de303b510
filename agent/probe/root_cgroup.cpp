// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/root_cgroup.h"

#include <fcntl.h>

#include <cerrno>
#include <sstream>

#include "agent/base/file.h"
#include "agent/probe/detached_mount.h"

namespace connscope::probe {

/*
 * proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields up to "-", file system, …
 * A mount point with escapes is passed over: then a mount of our own does.
 */
std::string cgroup2_mount(std::string_view mountinfo) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string root;
    std::string mount_point;
    std::string file_system;
    fields >> skipped >> skipped >> skipped >> root >> mount_point;
    while (fields >> skipped && skipped != "-") {
    }
    fields >> file_system;
    if (file_system == "cgroup2" && root == "/" && mount_point.find('\\') == std::string::npos) return mount_point;
  }
  return {};
}

Result<UniqueFd> open_root_cgroup() {
  const auto mounts = read_file("/proc/self/mountinfo");
  if (!mounts) return mounts.error();
  const std::string mount_point = cgroup2_mount(*mounts);
  if (mount_point.empty()) {
    auto detached = detached_mount("cgroup2");
    if (!detached) return detached.error().context("cgroup v2 is not mounted");
    return detached;
  }
  UniqueFd directory(::open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error::from_errno(mount_point, errno);
  return directory;
}

}  // namespace connscope::probe
