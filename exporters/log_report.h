// SPDX-License-Identifier: Apache-2.0
//
// Reports as lines for people, in the form that libwebsockets prints them (FEATURES L7, L27):
//
//   n.cn.dns: Go: 4, mean: 3.792ms, min: 2.470ms, max: 5.426ms
//   vh.client.rx: Go: (22) 28.165Ki                        (in how many collects it rose) by how much
//   n.cn.failures{dns="nxdomain"} 8
//   cpu.svc: 137.045ms / 884.563ms (15%)                   a counter of seconds, against the wall clock
//
// append_report is pure; the exporter hands its lines to the agent's log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/config/document.h"
#include "agent/metrics/report.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// One line without its end for each metric, bucket of outcomes and outlier.
void append_report(const metrics::Report& report, std::vector<std::string>& lines);

[[nodiscard]] std::unique_ptr<ReportExporter> make_log_exporter(const config::Section& section,
                                                                const ExporterServices& services);

}  // namespace connscope::exporters
