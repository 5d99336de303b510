// SPDX-License-Identifier: Apache-2.0
//
// A histogram of exponential buckets in Prometheus' sparse form, which its protobuf exposition and remote write share:
// runs of buckets (spans), and in them each count as the difference to the one before. Buckets of our layouts have the
// bounds of a schema, so nothing is interpolated. What lies at or below the lowest bound is the zero bucket; what lies
// above the highest goes to the bucket after it, since the form knows none without an end. Pure; any thread.
// Source: Prometheus, "Native Histograms" specification; io.prometheus.client's metrics.proto.
#pragma once

#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <vector>

#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

struct NativeHistogram {
  struct Span {
    std::int32_t offset = 0;  ///< of the first: the index of its bucket; of others: the buckets left out since the last
    std::uint32_t length = 0;
    bool operator==(const Span&) const = default;
  };

  /// Numbers of the fields that hold it in a protobuf message, of which each format has its own.
  struct Fields {
    protozero::pbf_tag_type schema, zero_threshold, zero_count, positive_span, positive_delta;
  };

  std::int32_t schema = 0;
  double zero_threshold = 0;
  std::uint64_t zero_count = 0;
  std::uint64_t count = 0;  ///< of all buckets
  std::vector<Span> spans;
  std::vector<std::int64_t> deltas;

  /// Whether the histogram's layout can be told so.
  [[nodiscard]] static bool fits(const metrics::HistogramValue& value) {
    return value.layout->exponential().has_value();
  }
  /// Takes the place of what is here, and keeps its memory. Only for what fits.
  void assign(const metrics::HistogramValue& value);
  /// All but the count, which is elsewhere in the message.
  void write(const Fields& fields, protozero::pbf_writer& histogram) const;

 private:
  void append_empty(std::uint32_t buckets, std::int64_t& last);
};

}  // namespace connscope::exporters
