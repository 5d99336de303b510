// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/settings.h"

namespace connscope::runtime {

using namespace std::chrono_literals;

Settings Settings::parse(config::Section root) {
  Settings settings{identity::ProcessRules::parse(root), {}, 0, {}, {}, {}, {}};
  const config::Section limits = root.table("limits");
  settings.series = static_cast<std::size_t>(limits.integer("series", 20000, 100, 10'000'000));
  settings.identity_limits.prefixes = static_cast<std::size_t>(limits.integer("prefixes", 200, 1, 100'000));
  settings.identity_limits.idle =
      std::chrono::duration_cast<std::chrono::seconds>(limits.duration("idle", 1h, 10s, 24h * 30));
  settings.collect_interval = root.table("collect").duration("interval", 10s, 100ms, 1h);
  settings.connections = ConnectionsSettings::parse(root);
  settings.exemplars = ExemplarSettings::parse(root);
  settings.control = control::Settings::parse(root);
  return settings;
}

}  // namespace connscope::runtime
