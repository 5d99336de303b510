// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' protobuf format: each family as a MetricFamily with its length before it. Histograms of exponential
// buckets are native ones, with all their fine buckets, and have the coarse buckets of the text formats as well, for a
// server that keeps those. Names and types are those of prometheus_text.h; texts that are not UTF-8 are made so, since
// one such label costs the whole scrape. Stateless; any thread. Source: io.prometheus.client's metrics.proto.
#pragma once

#include <string>
#include <string_view>

#include "exporters/encoder.h"

namespace connscope::exporters {

class PrometheusProtobufEncoder final : public Encoder {
 public:
  [[nodiscard]] std::string_view content_type() const override {
    return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
  }
  void encode(const metrics::Snapshot& snapshot, const Selection& selection, std::string& out) const override;
};

}  // namespace connscope::exporters
