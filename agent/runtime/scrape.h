// SPDX-License-Identifier: Apache-2.0
//
// The agent's HTTP routes: the scrape with its negotiation and filters, health, readiness, and a page for people.
// Handlers run on the server's threads; they see snapshots only.
#pragma once

#include <string>
#include <vector>

#include "agent/http/server.h"
#include "agent/runtime/filtered_series.h"
#include "agent/runtime/snapshot_exchange.h"
#include "exporters/catalog.h"

namespace connscope::runtime {

/// Who answers scrapes that ask for collectors of the host's metrics alone, and which there are.
struct HostAnswers {
  SnapshotExchange* exchange = nullptr;
  std::vector<std::string> collectors = {};  ///< what `?collect[]=` and `?exclude[]=` may name
};

/// `exchange`, that of `host`, `filtered` and `formats` must outlive the server.
[[nodiscard]] std::vector<http::Route> make_routes(SnapshotExchange& exchange, FilteredSeries& filtered,
                                                   const std::vector<exporters::Format>& formats,
                                                   const std::string& telemetry_path, const std::string& version,
                                                   HostAnswers host = {});

}  // namespace connscope::runtime
