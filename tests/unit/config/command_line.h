// SPDX-License-Identifier: Apache-2.0
//
// Command lines as the tests of options give them.
#pragma once

#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "agent/config/options.h"

namespace connscope::config {

inline Outcome parse(const std::vector<const char*>& arguments) {
  std::vector<const char*> argv = {"/usr/bin/connscope"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return parse_command_line(static_cast<int>(argv.size()), argv.data(), "connscope 1.2.3");
}

/// What a command line that must be right says.
inline Options accepted(const std::vector<const char*>& arguments) {
  const Outcome outcome = parse(arguments);
  if (const auto* exit = std::get_if<Exit>(&outcome)) {
    ADD_FAILURE() << exit->text;
    return {};
  }
  return std::get<Options>(outcome);
}

}  // namespace connscope::config
