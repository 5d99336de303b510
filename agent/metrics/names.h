// SPDX-License-Identifier: Apache-2.0
//
// Names as OpenMetrics allows them, and the names that a family's samples have. Pure functions, any thread.
// Source: OpenMetrics 1.0, "ABNF" (metricname, label-name) and "Suffixes".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// [a-zA-Z_:][a-zA-Z0-9_:]*
[[nodiscard]] bool is_metric_name(std::string_view name);
/// [a-zA-Z_][a-zA-Z0-9_]*, and not one of those that begin with "__": they are for the scraper's own use.
[[nodiscard]] bool is_label_name(std::string_view name);
/// Whether OpenMetrics keeps the label for itself in families of that type: `le`, `quantile`.
[[nodiscard]] bool is_reserved_label(std::string_view label, MetricType type);
/// The nearest label name: what is not allowed becomes '_', a leading digit gets one in front, "__" at the front is
/// one.
[[nodiscard]] std::string legal_label_name(std::string_view name);

/// What may follow the family's name in the names of its samples, over all text formats: a gauge histogram is
/// `x_gcount` in OpenMetrics and `x_count` in Prometheus text. The bare name is always among them, since TYPE and
/// HELP claim it.
[[nodiscard]] std::span<const std::string_view> sample_suffixes(MetricType type);

}  // namespace connscope::metrics
