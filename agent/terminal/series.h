// SPDX-License-Identifier: Apache-2.0
//
// Series: one series of a snapshot, as the answer to `show` carries it: a line for each, made by the agent and read by
// the command line.
//
//   {"id":"curl.n.cn.tcp","family":"conn_tcp_connect_duration_seconds","type":"histogram","unit":"seconds",
//    "labels":{"process":"curl","outcome":"ok"},"count":2,"sum":0.5,"buckets":[[0.125,0.25,1],[0.25,null,1]]}
//   {"id":"curl.n.cn.failures","family":"conn_failures","type":"counter","unit":"","labels":{...},"value":8}
//
// A bucket is its lower bound, its upper bound (null: none) and how many fell in between; those with none are left out.
// Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/snapshot.h"
#include "agent/terminal/distribution.h"

namespace connscope::terminal {

struct Series {
  std::string id;
  std::string family;
  std::string type;
  std::string unit;
  metrics::Labels labels;
  std::optional<metrics::Number> value;      ///< of what is no distribution
  std::optional<Distribution> distribution;  ///< of histograms and summaries

  /// Empty when there is no such label.
  [[nodiscard]] const std::string& label(const std::string& name) const;
};

/// PREFIX.id, where the prefix is the series' process; the id alone for those without one.
[[nodiscard]] std::string prefixed_id(const metrics::FamilySnapshot& family, const metrics::Sample& sample);

/// One object for the series; for a state set one for each state that it is in.
[[nodiscard]] std::vector<nlohmann::json> to_json(const metrics::FamilySnapshot& family, const metrics::Sample& sample);

/// An error where the line is no series.
[[nodiscard]] Result<Series> series_of(const nlohmann::json& line);

}  // namespace connscope::terminal
