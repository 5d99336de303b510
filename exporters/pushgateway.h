// SPDX-License-Identifier: Apache-2.0
//
// Snapshots to a Prometheus Pushgateway (FEATURES L30), for hosts that a scrape does not reach: each PUT replaces the
// group of this job and instance, so that series which are gone go there too. The exposition is Prometheus text 0.0.4,
// without timestamps, as the gateway wants it. With `delete_at_stop` the agent's last word deletes the group.
// Source: the Pushgateway's README, "API".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/config/document.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// "/metrics/job/JOB/instance/INSTANCE", values in base64 where a path could not have them.
[[nodiscard]] std::string pushgateway_path(std::string_view job, std::string_view instance);

[[nodiscard]] std::unique_ptr<ReportExporter> make_pushgateway_exporter(const config::Section& section,
                                                                        const ExporterServices& services);

}  // namespace connscope::exporters
