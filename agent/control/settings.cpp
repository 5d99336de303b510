// SPDX-License-Identifier: Apache-2.0
#include "agent/control/settings.h"

#include "agent/control/protocol.h"

namespace connscope::control {

Settings Settings::parse(config::Section root) {
  const config::Section section = root.table("control");
  Settings settings{section.flag("enabled", true), section.text("path", kDefaultPath)};
  if (settings.path.empty() || settings.path.front() != '/' || settings.path.size() > kMaxPathBytes) {
    section.fail("path", "is no path of a socket; allowed: an absolute path of at most " +
                             std::to_string(kMaxPathBytes) + " bytes");
  }
  return settings;
}

void Settings::check_reload(const Settings& running, config::Section root) const {
  constexpr const char* kFixed = "cannot change while the agent runs; restart it";
  if (enabled != running.enabled) root.table("control").fail("enabled", kFixed);
  if (path != running.path) root.table("control").fail("path", kFixed);
}

}  // namespace connscope::control
