// SPDX-License-Identifier: Apache-2.0
//
// Reports as InfluxDB's line protocol (FEATURES P20), by HTTP to a server of version 1 or 2, or by UDP:
//
//   n.cn.tcp,process=ui,ip_family=ipv4 go_count=3i,go_sum=0.5,go_mean=0.25,go_min=0.125,go_max=0.375
//   1700000000000000000 n.cn.failures,process=ui,role=client,stage=dns,reason=nxdomain value=8 1700000000000000000
//
// The measurement is the id, labels are tags, numbers are fields by the names of report_points.h. Counts of
// distributions are integers; a `value` is a float always, since a field's type must never change. An outlier is a
// point of the measurement ID.outlier, at its own time. Of text, line feeds and backslashes, which no escape stands
// for, become `_`; numbers that are not finite are refused and counted. A point that comes twice is one, so a report
// that could not be sent is sent again. encode_influxdb is pure. Source: InfluxDB 1.8 and 2.7, "Line protocol", "Write
// API".
#pragma once

#include <cstdint>
#include <memory>

#include "agent/config/document.h"
#include "agent/metrics/report.h"
#include "exporters/packet_writer.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// Gives each line to `packets`. Returns how many values could not be said.
std::uint64_t encode_influxdb(const metrics::Report& report, PacketWriter& packets);

[[nodiscard]] std::unique_ptr<ReportExporter> make_influxdb_exporter(const config::Section& section,
                                                                     const ExporterServices& services);

}  // namespace connscope::exporters
