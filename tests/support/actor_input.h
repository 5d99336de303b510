// SPDX-License-Identifier: Apache-2.0
//
// How a test tells tcp_actor to go on: through its standard input. Children that were forked share it.
#pragma once

namespace connscope::actor {

/// Returns when a line has come in, or at the end of the input.
void await_line();
/// Returns when nothing more can come in.
void await_end_of_input();

}  // namespace connscope::actor
