// SPDX-License-Identifier: Apache-2.0
//
// Capabilities that a thread does without from now on, so that a mistake in it, or in what it reads, can do less. The
// kernel keeps them by thread: each gives its own up, and threads that it starts afterwards have no more than it has.
// What is gone does not come back. Any thread. Source: capset(2), capabilities(7).
#pragma once

#include "agent/base/result.h"

namespace connscope {

/// Gives up the one with this number (<linux/capability.h>): permitted, effective, inheritable and ambient.
Status give_up_capability(unsigned number);

/// Gives up all of them.
Status give_up_capabilities();

}  // namespace connscope
