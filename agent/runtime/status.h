// SPDX-License-Identifier: Apache-2.0
//
// The agent's own state as one JSON object, for people and scripts (FEATURES D4):
//
//   {"status":"ok","version":"0.1.0","collected_at":"2026-01-31T12:00:00.123Z","uptime_seconds":3600.5,
//    "probes":[{"name":"tcp","up":true,"problems":[{"hook":"...","reason":"..."}]}, ...],
//    "lost_events":{"tcp":{"state_full":12}},"series":812,"identities":31,"config_reload_ok":true}
//
// "lost_events" has those causes alone that came about. "status" is "starting" before the first collect, "degraded"
// when a probe is off or the last reload failed, else "ok". It says nothing that a scrape does not say as well. Pure;
// any thread.
#pragma once

#include <string>

#include "agent/metrics/snapshot.h"

namespace connscope::runtime {

/// `snapshot` may be nullptr, before the first collect.
[[nodiscard]] std::string status_json(const metrics::SnapshotPtr& snapshot, const std::string& version,
                                      metrics::WallTime now);

}  // namespace connscope::runtime
