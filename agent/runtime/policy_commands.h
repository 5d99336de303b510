// SPDX-License-Identifier: Apache-2.0
//
// The command "policy" of the control socket (FEATURES L14): {"command":"policy","action":...} with
//   "list"                                  a line for each policy
//   "show" (and "policy": NAME)             a line for each metric, of that policy or of all, and those without one
//   "move", "glob": GLOB, "policy": NAME    metrics that match are reported by that policy from now on
//   "report", "policy": NAME                a report at once, of a manual policy or any other
// The main thread.
#pragma once

#include "agent/control/server.h"
#include "agent/runtime/reporting.h"

namespace connscope::runtime {

/// `reporting` outlives `server`.
void add_policy_commands(control::Server& server, Reporting& reporting);

}  // namespace connscope::runtime
