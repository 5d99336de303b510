// SPDX-License-Identifier: Apache-2.0
//
// Snapshots by OTLP over HTTP (FEATURES L30), as protobuf or as JSON. Each process name is a resource, with
// service.name for the label `process`, and host.name; what has no process is the agent's own, under service.name
// "connscope", and what `target_info` says is of every resource. Counters are monotonic sums; states and infos sums
// that are not; histograms are exponential where their bounds are a scale's, else explicit; gauge histograms, which the
// format lacks, are refused and counted. Sums and histograms are cumulative, or the difference to what was delivered
// last, and then an outage loses nothing, but a delivery whose answer is lost may be counted twice. 2xx is success,
// also in part; 429, 502, 503, 504 and silence are tried again; other answers are errors. encode_otlp is pure. Source:
// OTLP 1.0, "OTLP/HTTP"; opentelemetry-proto 1.0; OpenTelemetry, "Prometheus and OpenMetrics compatibility", semantic
// conventions of resources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/config/document.h"
#include "agent/metrics/snapshot.h"
#include "exporters/encoder.h"
#include "exporters/message_writer.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

struct OtlpForm {
  MessageEncoding encoding = MessageEncoding::kProtobuf;
  bool is_delta = false;
  metrics::Labels attributes;  ///< of every resource
  bool exemplars = false;      ///< each once, at the point that has counted it
};

/// One ExportMetricsServiceRequest; returns how many series it cannot say. For deltas and exemplars, `before` is what
/// was delivered last, if anything.
std::uint64_t encode_otlp(const metrics::Snapshot* before, const metrics::Snapshot& after, const Selection& selection,
                          const OtlpForm& form, std::string& out);

[[nodiscard]] std::unique_ptr<ReportExporter> make_otlp_exporter(const config::Section& section,
                                                                 const ExporterServices& services);

}  // namespace connscope::exporters
