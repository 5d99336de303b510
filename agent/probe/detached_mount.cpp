// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/detached_mount.h"

#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace connscope::probe {

// glibc 2.36 has wrappers for these calls, but Ubuntu 22.04's 2.35 has not.
Result<UniqueFd> detached_mount(const char* file_system) {
  const UniqueFd context(static_cast<int>(syscall(SYS_fsopen, file_system, FSOPEN_CLOEXEC)));
  if (!context) return Error::from_errno(std::string("fsopen ") + file_system, errno);
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return Error::from_errno(std::string("fsconfig ") + file_system, errno);
  UniqueFd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mount) return Error::from_errno(std::string("fsmount ") + file_system, errno);
  return mount;
}

}  // namespace connscope::probe
