// SPDX-License-Identifier: Apache-2.0
//
// [control] of the config, which the agent and its command line read alike. One thread.
#pragma once

#include <string>

#include "agent/config/document.h"

namespace connscope::control {

struct Settings {
  bool enabled = true;
  std::string path;

  /// Problems go to the document that `root` belongs to.
  static Settings parse(config::Section root);
  /// Reports what `running` has otherwise, as the socket stays where it is.
  void check_reload(const Settings& running, config::Section root) const;
};

}  // namespace connscope::control
