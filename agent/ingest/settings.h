// SPDX-License-Identifier: Apache-2.0
//
// The section [ingest] of the config. Immutable values; any thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/config/document.h"
#include "agent/ingest/accumulator.h"

namespace connscope::ingest {

struct Settings {
  bool enabled = true;
  std::string path = "/run/connscope/ingest.sock";
  mode_t mode = 0666;  ///< who may write to the socket: by default everybody, each under its own process' name
  bool udp = false;
  std::string udp_address = "127.0.0.1:8125";  ///< of loopback only
  Limits limits;

  [[nodiscard]] bool operator==(const Settings&) const = default;

  /// Problems go to the section's document.
  static Settings parse(const config::Section& section);
};

}  // namespace connscope::ingest
