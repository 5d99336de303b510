// SPDX-License-Identifier: Apache-2.0
//
// How a Redis hash holds metrics (FEATURES I1-I3): each value in a field NAME:EXTENSION:LABELS,
//
//   app_requests_total::code="200",method="GET"  12          app_wait_seconds:b:le="0.5"   4
//   app_requests_total:t:                        c           app_wait_seconds:s:           1.25
//   app_requests_total:d:                        Requests.   app_wait_seconds:c:           4
//
// where the extension is empty for a value, `t` for the type (c, g, h, s), `d` for the description, and `s`, `c` and
// `b` for a sum, a count and a cumulative bucket. Labels are sorted by name, and their values escaped as in Prometheus'
// text. The name ends at the first colon and the extension at the second, so a name with a colon cannot be said. Pure;
// any thread. Source: Instrumentor's "Encoding format".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

/// The extensions.
namespace redis_extension {
inline constexpr std::string_view kValue;
inline constexpr std::string_view kDescription = "d";
inline constexpr std::string_view kType = "t";
inline constexpr std::string_view kSum = "s";
inline constexpr std::string_view kCount = "c";
inline constexpr std::string_view kBucket = "b";
}  // namespace redis_extension

/// Labels by name, escaped: what stands behind the second colon. Empty values are left out.
[[nodiscard]] std::string redis_labels(metrics::Labels labels);

struct RedisField {
  std::string name;
  std::string extension;
  metrics::Labels labels;  ///< by name
};

/// Nothing for what is no such field: fewer than two colons, labels that do not end, or that come twice.
[[nodiscard]] std::optional<RedisField> parse_redis_field(std::string_view field);

}  // namespace connscope::exporters
