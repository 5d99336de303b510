// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_input.h"

#include <unistd.h>

namespace connscope::actor {

void await_line() {
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') {
  }
}

void await_end_of_input() {
  char bytes[64];
  while (::read(STDIN_FILENO, bytes, sizeof(bytes)) > 0) {
  }
}

}  // namespace connscope::actor
