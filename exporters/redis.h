// SPDX-License-Identifier: Apache-2.0
//
// Snapshots to a Redis hash (FEATURES I1-I3, I6, I9-I11, I16), as redis_fields.h has them: what rose since the last
// transfer is added by HINCRBY and HINCRBYFLOAT, so that several agents and programs add up in one namespace; what is a
// level is set. A transfer is one MULTI, which also puts types and descriptions there where somebody has flushed them.
//
// What was not transferred is in the difference the next time, so an outage of Redis costs nothing but time, and no
// memory beyond one snapshot. Whether Redis has run a transfer whose answer was lost is found out before the next, from
// a key beside the hash (NAMESPACE:connscope:AGENT), which every transfer sets to its number: nothing is added twice.
//
// Totals of others (FamilyDescriptor::external) count from what was seen first. What the encoding cannot say is
// refused and counted: gauge histograms, names with a colon, and values that are not finite.
// Source: Instrumentor's "Encoding format"; Redis' documentation, "Transactions".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/config/document.h"
#include "agent/metrics/snapshot.h"
#include "exporters/redis_client.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// Adds the commands that bring the hash from `before`, which may be nullptr, to `after`. Returns how many values could
/// not be said. Pure.
std::uint64_t encode_redis(const metrics::Snapshot* before, const metrics::Snapshot& after, const std::string& hash,
                           RedisCommands& commands);

[[nodiscard]] std::unique_ptr<ReportExporter> make_redis_exporter(const config::Section& section,
                                                                  const ExporterServices& services);

}  // namespace connscope::exporters
