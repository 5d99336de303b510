// SPDX-License-Identifier: Apache-2.0
//
// Reports as Graphite's plaintext lines (FEATURES P19), `path value epoch`, over TCP or a unix stream socket:
//
//   ui.n.cn.tcp.ip_family.ipv4.go.count 3 1700000000     labels into the path, or
//   ui.n.cn.tcp.go.count;ip_family=ipv4 3 1700000000     as tags, which Graphite has since 1.1
//
// Names of numbers are those of report_points.h. A value that is not finite is refused and counted: Graphite stores
// none. A line that comes twice says the same twice, so a report that could not be sent is sent again. Names are those
// of name_parts.h; tags are ASCII. encode_graphite is pure. Source: Graphite 1.1, "Feeding In Your Data", "Tag
// Support".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/config/document.h"
#include "agent/metrics/report.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

struct GraphiteStyle {
  bool has_tags = false;
  std::string prefix;  ///< before every name: "web1."; may be empty
};

/// Appends the lines, each with its line feed. Returns how many values could not be said.
std::uint64_t encode_graphite(const metrics::Report& report, const GraphiteStyle& style, std::string& out);

[[nodiscard]] std::unique_ptr<ReportExporter> make_graphite_exporter(const config::Section& section,
                                                                     const ExporterServices& services);

}  // namespace connscope::exporters
