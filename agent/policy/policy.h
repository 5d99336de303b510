// SPDX-License-Identifier: Apache-2.0
//
// Policy: which metrics are reported how often to whom, one [[policy]] of the config (FEATURES L11, L12). A value; the
// first policy one of whose globs matches a metric's name (`ui.n.cn.tcp`) has that metric.
// Source: libwebsockets' lws_metric_policy_t.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/document.h"

namespace connscope::policy {

/// When a single event is told by itself.
struct OutlierRule {
  double percent = 0;              ///< |value - mean| * 100 / mean above this
  std::uint64_t min_samples = 20;  ///< which the mean must have
  std::size_t keep = 10;           ///< how many a report has, or a period sends; the others are only counted
  bool at_once = false;            ///< sent when they happen rather than in the report
};

struct Policy {
  std::string name;
  /// None: manual, only on request.
  std::optional<std::chrono::milliseconds> interval;
  std::vector<std::string> report;  ///< globs on metric names
  std::vector<std::string> to;      ///< exporters, by name
  bool inactivity = false;          ///< metrics to which nothing happened are reported too
  bool at_start = false;            ///< one report after the first collect
  bool at_stop = true;              ///< one before the agent ends
  std::optional<OutlierRule> outliers;
};

/// Reads every [[policy]]. `exporters` are the names that `to` may have. Problems go to the document.
[[nodiscard]] std::vector<Policy> parse_policies(const config::Section& root,
                                                 const std::vector<std::string_view>& exporters);

}  // namespace connscope::policy
