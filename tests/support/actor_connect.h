// SPDX-License-Identifier: Apache-2.0
//
// The connecting half of tcp_actor. Each attempt prints one line: "ok", the error's name, or what the program itself
// did to the attempt ("closed", "shutdown", "unspec"), and how long it took in microseconds.
#pragma once

#include "tests/support/actor_options.h"

namespace connscope::actor {

/// All the attempts of `tcp_actor connect`, over its threads and forked children. The program's exit status.
int run_connect(const ConnectOptions& options);

/// Attempts to an open and to a refusing port in turn; prints the sums as "ok N" and "ECONNREFUSED N".
int run_flood(const FloodOptions& options);

}  // namespace connscope::actor
