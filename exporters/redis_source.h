// SPDX-License-Identifier: Apache-2.0
//
// What Redis hashes hold (redis_fields.h), as a snapshot (FEATURES I1-I3, I14): also hashes that other programs write
// by the same encoding. With several namespaces each series has the label `namespace`. Names, types and labels are held
// against OpenMetrics by a registry; a field that it refuses, or that is none of the encoding, is left out and counted
// (connscope_expose_refused_fields), since one bad line loses a whole scrape. Source: Instrumentor's "Encoding format".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/registry.h"
#include "exporters/metrics_source.h"

namespace connscope::exporters {

/// The fields of one hash with their values.
struct RedisHash {
  std::string name_space;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Of each hash how many fields could not be taken.
using RefusedFields = std::map<std::string, std::uint64_t>;

/// Never nullptr. Pure.
[[nodiscard]] std::shared_ptr<metrics::Snapshot> decode_redis(const std::vector<RedisHash>& hashes,
                                                              RefusedFields& refused);

[[nodiscard]] Result<std::unique_ptr<MetricsSource>> make_redis_source(const config::Section& section,
                                                                       const std::string& address,
                                                                       std::vector<std::string> namespaces);

}  // namespace connscope::exporters
