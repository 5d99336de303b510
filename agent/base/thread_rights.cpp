// SPDX-License-Identifier: Apache-2.0
#include "agent/base/thread_rights.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace connscope {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// Ambient ones go with those that are permitted.
Status set(Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return Error::from_errno("capset", errno);
  return {};
}

}  // namespace

Status give_up_capability(unsigned number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Sets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return Error::from_errno("capget", errno);
  auto& word = sets[CAP_TO_INDEX(number)];
  const std::uint32_t others = ~CAP_TO_MASK(number);
  word.permitted &= others;
  word.effective &= others;
  word.inheritable &= others;
  return set(sets);
}

Status give_up_capabilities() {
  Sets none{};
  return set(none);
}

}  // namespace connscope
