// SPDX-License-Identifier: Apache-2.0
//
// Settings: what the runtime itself takes from the config; probes and exporters read their own sections.
#pragma once

#include <chrono>
#include <cstddef>

#include "agent/config/document.h"
#include "agent/control/settings.h"
#include "agent/identity/identity_table.h"
#include "agent/identity/process_rules.h"
#include "agent/runtime/connections_page.h"
#include "agent/runtime/exemplars.h"

namespace connscope::runtime {

struct Settings {
  identity::ProcessRules rules;
  identity::IdentityLimits identity_limits;
  std::size_t series = 0;
  std::chrono::milliseconds collect_interval{};
  control::Settings control;
  ConnectionsSettings connections;
  ExemplarSettings exemplars;

  /// Problems go to the document that `root` belongs to.
  static Settings parse(config::Section root);
};

}  // namespace connscope::runtime
