// SPDX-License-Identifier: Apache-2.0
//
// The servers that tcp_actor can be: one process, pre-forked workers, one of several that share a port, a program that
// inherits its listener over exec, one that is started by socket activation.
#pragma once

#include "tests/support/actor_options.h"

namespace connscope::actor {

/// Prints "listening PORT" once, "accepted DESCRIPTOR" for each connection, and does the steps on it. The program's
/// exit status.
int run_serve(const ServeOptions& options);

}  // namespace connscope::actor
