// SPDX-License-Identifier: Apache-2.0
//
// Reports as StatsD lines (FEATURES P18, L18, L19), by UDP or to a unix datagram socket, several lines a packet:
//
//   ui.n.cn.tcp.ip_family.ipv4.go.count:3|c     labels into the dotted path, or
//   ui.n.cn.tcp.go.count:3|c|#ip_family:ipv4    as tags, which DogStatsD has
//
// A distribution has count and sum as counters, and mean, min and max as gauges, for go and for no_go; a counter is a
// counter, a gauge a gauge, which a `0` comes before when it is negative, since a sign alone means a change. Reports
// that accumulate have gauges only. What a line cannot say (NaN, infinities) is refused and counted. Names: each part
// of the path has letters, digits, `_` and `-`; what else there is becomes `_`. encode_statsd is pure. Source: statsd's
// docs/metric_types.md; DogStatsD's datagram format.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "agent/config/document.h"
#include "agent/metrics/report.h"
#include "exporters/packet_writer.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

enum class StatsdTags { kPath, kDogStatsd };

struct StatsdStyle {
  StatsdTags tags = StatsdTags::kPath;
  std::string prefix;  ///< before every name: "web1."; may be empty
};

/// Gives each line, or lines that belong together, to `packets`. Returns how many values could not be said.
std::uint64_t encode_statsd(const metrics::Report& report, const StatsdStyle& style, PacketWriter& packets);

[[nodiscard]] std::unique_ptr<ReportExporter> make_statsd_exporter(const config::Section& section,
                                                                   const ExporterServices& services);

}  // namespace connscope::exporters
