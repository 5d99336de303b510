// SPDX-License-Identifier: Apache-2.0
//
// Dotted ids: how policies, reports, the command line and the push exporters name what a scrape shows as a family with
// labels (FEATURES L15, "Mistakes" 4). A descriptor has an id, `n.cn.tcp`; the label `process` becomes the part before
// it, `ui.n.cn.tcp`; the other labels that have a value are tags. An id may take labels in as parts of itself:
// `vh.{listener|role}.rx` is `vh.10_0_0_1_443.rx`, or `vh.client.rx` where that series has no listener.
// Pure functions on values of their own; any thread. Source: libwebsockets' lws_metrics names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// The label whose value is the prefix of an id.
inline constexpr std::string_view kProcessLabel = "process";

/// One metric as a policy sees it.
struct MetricId {
  std::string prefix;  ///< the process, as it stands; empty for what is the agent's own
  std::string id;      ///< with its labels taken in
  Labels tags;         ///< the other labels that have a value, in the family's order

  /// PREFIX.id, which globs are held against.
  [[nodiscard]] std::string name() const { return prefix.empty() ? id : prefix + "." + id; }
};

/// `values` are those of the descriptor's labels, in its order.
[[nodiscard]] MetricId metric_id(const FamilyDescriptor& descriptor, const std::vector<std::string>& values);

/// The id of a family whose descriptor declares none: `conn_STAGE_REST` is `n.cn.STAGE.REST`, `connscope_REST` is
/// `agent.REST`, and of another name the first `_` becomes a dot.
[[nodiscard]] std::string default_id(std::string_view family_name);

/// Refuses an id with empty parts, with characters other than letters, digits, `_`, `-`, `:` and `/`, or that takes in
/// a label which is none of the family's.
[[nodiscard]] Status check_id(const FamilyDescriptor& descriptor);

}  // namespace connscope::metrics
