// SPDX-License-Identifier: Apache-2.0
//
// A connection as JSON, in the form that `connscope events --json` and /connections have (FEATURES L31):
//
//   {"time":"2026-01-31T12:00:00.123Z","process":"curl","pid":812,"role":"client","stage":"tcp","metric":"n.cn.tcp",
//    "outcome":"fail","reason":"refused","duration_us":61.5,"peer":"192.0.2.1:443","kinds":["failure"]}
//
// Members that are not known are left out; durations are microseconds. Pure; any thread.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "agent/detail/connection.h"

namespace connscope::terminal {

/// What may be told of who was talked to (FEATURES D17).
struct Privacy {
  bool peers = false;
  bool hosts = false;
};

[[nodiscard]] nlohmann::json connection_json(const detail::Connection& connection, const Privacy& shown);

/// RFC 3339, UTC, with milliseconds.
[[nodiscard]] std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace connscope::terminal
