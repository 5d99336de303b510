// SPDX-License-Identifier: Apache-2.0
//
// The client whose connections live: it connects and then does the steps that it was given (actor_steps.h).
#pragma once

#include "tests/support/actor_options.h"

namespace connscope::actor {

/// The program's exit status.
int run_talk(const TalkOptions& options);

}  // namespace connscope::actor
