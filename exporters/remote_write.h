// SPDX-License-Identifier: Apache-2.0
//
// Snapshots by Prometheus' remote write 1.0 (FEATURES L30), for hosts that no scrape reaches. A snapshot is the series
// that a Prometheus would have of a scrape in OpenMetrics, with the time of the snapshot and with external labels,
// which do not replace labels that a series has. Series that are in one snapshot and not in the next get a stale marker
// there. Each snapshot goes to a queue on disk (disk_queue.h) as compressed requests, and leaves that when the receiver
// has answered all of them: 2xx is success, 429, 5xx and silence are tried again, anything else is counted and given
// up. A request that arrives twice is the same samples again, which receivers take for one. encode_remote_write is
// pure. Source: Prometheus Remote-Write 1.0 specification; prompb's types.proto for native histograms.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "agent/config/document.h"
#include "agent/metrics/snapshot.h"
#include "exporters/encoder.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

struct RemoteWriteForm {
  metrics::Labels external_labels;
  bool classic_histograms = true;  ///< as the series _bucket, _sum and _count
  bool native_histograms = false;  ///< of the layouts that can be; the others stay classic
  bool exemplars = false;          ///< each once, at the series of its bucket and at a native histogram
};

/// Takes one WriteRequest, not compressed, of so many samples.
using TakeWriteRequest = std::function<void(std::string_view request, std::uint32_t samples)>;

/// Requests of about a megabyte at most. `before` is the snapshot that was sent last, if any.
void encode_remote_write(const metrics::Snapshot* before, const metrics::Snapshot& after, const Selection& selection,
                         const RemoteWriteForm& form, const TakeWriteRequest& take);

[[nodiscard]] std::unique_ptr<ReportExporter> make_remote_write_exporter(const config::Section& section,
                                                                         const ExporterServices& services);

}  // namespace connscope::exporters
