// SPDX-License-Identifier: Apache-2.0
#include "exporters/native_histogram.h"

#include <cstddef>
#include <utility>

namespace connscope::exporters {
namespace {

/// A gap of so many empty buckets costs less when it is written out than a span does.
constexpr std::uint32_t kWrittenGap = 2;

}  // namespace

void NativeHistogram::append_empty(std::uint32_t buckets, std::int64_t& last) {
  for (; buckets > 0; --buckets) deltas.push_back(-std::exchange(last, 0));
}

void NativeHistogram::assign(const metrics::HistogramValue& value) {
  const auto& exponential = *value.layout->exponential();
  schema = exponential.schema;
  zero_threshold = value.layout->bounds().front();
  zero_count = count = value.counts.front();
  spans.clear();
  deltas.clear();
  std::int64_t last = 0;
  std::uint32_t gap = 0;  // empty buckets since the last span, or since index 0 of the layout
  for (std::size_t i = 1; i < value.counts.size(); ++i) {
    if (value.counts[i] == 0) {
      ++gap;
      continue;
    }
    if (spans.empty()) {
      spans.push_back({exponential.first + static_cast<std::int32_t>(i), 0});
    } else if (gap <= kWrittenGap) {
      append_empty(gap, last);
      spans.back().length += gap;
    } else {
      spans.push_back({static_cast<std::int32_t>(gap), 0});
    }
    ++spans.back().length;
    const auto in_bucket = static_cast<std::int64_t>(value.counts[i]);
    deltas.push_back(in_bucket - std::exchange(last, in_bucket));
    count += value.counts[i];
    gap = 0;
  }
}

void NativeHistogram::write(const Fields& fields, protozero::pbf_writer& histogram) const {
  constexpr protozero::pbf_tag_type kOffset = 1;  // of a span, in either format
  constexpr protozero::pbf_tag_type kLength = 2;
  histogram.add_sint32(fields.schema, schema);
  histogram.add_double(fields.zero_threshold, zero_threshold);
  histogram.add_uint64(fields.zero_count, zero_count);
  for (const Span& span : spans) {
    protozero::pbf_writer written(histogram, fields.positive_span);
    written.add_sint32(kOffset, span.offset);
    written.add_uint32(kLength, span.length);
  }
  histogram.add_packed_sint64(fields.positive_delta, deltas.begin(), deltas.end());
}

}  // namespace connscope::exporters
