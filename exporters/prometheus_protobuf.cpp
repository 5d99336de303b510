// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus_protobuf.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <span>
#include <variant>

#include "agent/metrics/exemplar.h"
#include "agent/metrics/utf8.h"
#include "exporters/native_histogram.h"

namespace connscope::exporters {
namespace {

using metrics::MetricType;
using protozero::pbf_writer;

// Field numbers and enumerators of metrics.proto.
namespace family_field {
enum : protozero::pbf_tag_type { kName = 1, kHelp, kType, kMetric, kUnit };
}
namespace metric_field {
enum : protozero::pbf_tag_type { kLabel = 1, kGauge, kCounter, kSummary, kUntyped, kHistogram = 7 };
}
namespace summary_field {
enum : protozero::pbf_tag_type { kCount = 1, kSum, kQuantile, kCreated };
}
namespace histogram_field {
enum : protozero::pbf_tag_type {
  kCount = 1,
  kSum,
  kBucket,
  kSchema = 5,
  kZeroThreshold,
  kZeroCount,
  kPositiveSpan = 12,
  kPositiveDelta,
  kCreated = 15
};
}
constexpr NativeHistogram::Fields kNativeFields{histogram_field::kSchema, histogram_field::kZeroThreshold,
                                                histogram_field::kZeroCount, histogram_field::kPositiveSpan,
                                                histogram_field::kPositiveDelta};
constexpr protozero::pbf_tag_type kFirst = 1;  // of messages of two fields: name, value; …
constexpr protozero::pbf_tag_type kSecond = 2;
namespace counter_field {
enum : protozero::pbf_tag_type { kTotal = 1, kExemplar, kCreated };
}
constexpr protozero::pbf_tag_type kBucketExemplar = 3;
namespace exemplar_field {
enum : protozero::pbf_tag_type { kLabel = 1, kValue, kTimestamp };
}
enum WireType : std::int32_t {
  kCounterType,
  kGaugeType,
  kSummaryType,
  kUntypedType,
  kHistogramType,
  kGaugeHistogramType
};

/// What a family of this type is in the format.
struct Head {
  std::string_view suffix;
  WireType type;
};

Head head_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return {"_total", kCounterType};
    case MetricType::kInfo:
      return {"_info", kGaugeType};
    case MetricType::kGauge:
    case MetricType::kStateSet:
      return {"", kGaugeType};
    case MetricType::kHistogram:
      return {"", kHistogramType};
    case MetricType::kGaugeHistogram:
      return {"", kGaugeHistogramType};
    case MetricType::kSummary:
      return {"", kSummaryType};
    case MetricType::kUnknown:
      break;
  }
  return {"", kUntypedType};
}

/// Of a metric or of an exemplar, which have the same field for it.
void add_label(std::string_view name, std::string_view value, pbf_writer& owner) {
  static_assert(static_cast<int>(metric_field::kLabel) == exemplar_field::kLabel);
  if (value.empty()) return;  // an empty label is the same as none
  pbf_writer pair(owner, metric_field::kLabel);
  pair.add_string(kFirst, name.data(), name.size());
  pair.add_string(kSecond, value.data(), value.size());
}

void add_text_label(std::string_view name, std::string_view value, pbf_writer& owner) {
  if (metrics::is_utf8(value)) return add_label(name, value, owner);
  add_label(name, metrics::to_utf8(value), owner);
}

/// A google.protobuf.Timestamp. A time that was never set is left out.
void add_time(protozero::pbf_tag_type tag, metrics::WallTime time, pbf_writer& writer) {
  using namespace std::chrono;
  const auto since_epoch = duration_cast<nanoseconds>(time.time_since_epoch());
  if (since_epoch.count() <= 0) return;
  pbf_writer timestamp(writer, tag);
  timestamp.add_int64(kFirst, duration_cast<seconds>(since_epoch).count());
  timestamp.add_int32(kSecond, static_cast<std::int32_t>((since_epoch % seconds(1)).count()));
}

void add_exemplar(protozero::pbf_tag_type tag, const metrics::Exemplar& exemplar, pbf_writer& owner) {
  pbf_writer written(owner, tag);
  for (const auto& [name, value] : exemplar.labels) add_text_label(name, value, written);
  written.add_double(exemplar_field::kValue, exemplar.value);
  add_time(exemplar_field::kTimestamp, exemplar.time, written);
}

/// Writes the metrics of one family after another. Its memory serves them all.
class FamilyWriter {
 public:
  explicit FamilyWriter(std::string& out) : family_(out) {}

  void begin(const metrics::FamilySnapshot& family) {
    snapshot_ = &family;
    descriptor_ = family.descriptor.get();
    const Head head = head_of(family.type);
    name_ = descriptor_->name;
    name_ += head.suffix;
    family_.add_string(family_field::kName, name_);
    if (!descriptor_->help.empty()) family_.add_string(family_field::kHelp, metrics::to_utf8(descriptor_->help));
    family_.add_enum(family_field::kType, head.type);
    if (!descriptor_->unit.empty()) family_.add_string(family_field::kUnit, descriptor_->unit);
  }

  void add(const metrics::Sample& sample) {
    labels_ = sample.label_values.get();
    exemplars_ = metrics::exemplars_of(*snapshot_, sample);
    std::visit(*this, sample.value);
  }

  void operator()(const metrics::UnknownValue& value) { add_number(metric_field::kUntyped, value.value); }
  void operator()(const metrics::GaugeValue& value) { add_number(metric_field::kGauge, value.value); }

  void operator()(const metrics::CounterValue& value) {
    pbf_writer metric = begin_metric();
    pbf_writer counter(metric, metric_field::kCounter);
    counter.add_double(counter_field::kTotal, metrics::as_double(value.total));
    if (!exemplars_.empty()) add_exemplar(counter_field::kExemplar, *exemplars_.front().exemplar, counter);
    add_time(counter_field::kCreated, value.created, counter);
  }

  void operator()(const metrics::InfoValue& value) {
    pbf_writer metric = begin_metric();
    const auto& own = descriptor_->label_names;
    for (const auto& [name, text] : value.labels)
      if (std::find(own.begin(), own.end(), name) == own.end()) add_text_label(name, text, metric);
    add_gauge(1, metric);
  }

  void operator()(const metrics::StateSetValue& value) {
    for (const auto& [state, on] : value.states) {
      pbf_writer metric = begin_metric();
      add_text_label(descriptor_->name, state, metric);
      add_gauge(on ? 1 : 0, metric);
    }
  }

  void operator()(const metrics::SummaryValue& value) {
    pbf_writer metric = begin_metric();
    pbf_writer summary(metric, metric_field::kSummary);
    summary.add_uint64(summary_field::kCount, value.count);
    summary.add_double(summary_field::kSum, value.sum);
    for (const auto& [quantile, at] : value.quantiles) {
      pbf_writer pair(summary, summary_field::kQuantile);
      pair.add_double(kFirst, quantile);
      pair.add_double(kSecond, at);
    }
    add_time(summary_field::kCreated, value.created, summary);
  }

  void operator()(const metrics::HistogramValue& value) {
    pbf_writer metric = begin_metric();
    pbf_writer histogram(metric, metric_field::kHistogram);
    std::uint64_t count = 0;
    for (const std::uint64_t in_bucket : value.counts) count += in_bucket;
    histogram.add_uint64(histogram_field::kCount, count);
    histogram.add_double(histogram_field::kSum, value.sum);
    add_coarse_buckets(value, count, histogram);
    if (NativeHistogram::fits(value)) add_native(value, histogram);
    add_time(histogram_field::kCreated, value.created, histogram);
  }

 private:
  pbf_writer begin_metric() {
    pbf_writer metric(family_, family_field::kMetric);
    for (std::size_t i = 0; i < labels_->size(); ++i)
      add_text_label(descriptor_->label_names[i], (*labels_)[i], metric);
    return metric;
  }

  static void add_gauge(double value, pbf_writer& metric) {
    pbf_writer gauge(metric, metric_field::kGauge);
    gauge.add_double(kFirst, value);
  }

  void add_number(protozero::pbf_tag_type kind, const metrics::Number& value) {
    pbf_writer metric = begin_metric();
    pbf_writer number(metric, kind);
    number.add_double(kFirst, metrics::as_double(value));
  }

  /// Those below +Inf, for which the count stands unless an exemplar is there.
  void add_coarse_buckets(const metrics::HistogramValue& value, std::uint64_t count, pbf_writer& histogram) {
    const auto& text_bounds = value.layout->text_bounds();
    auto exemplars = exemplars_;
    std::uint64_t below = 0;
    std::size_t next = 0;
    for (std::size_t i = 0; i < text_bounds.size(); ++i) {
      for (; next <= text_bounds[i]; ++next) below += value.counts[next];
      const bool has_exemplar = !exemplars.empty() && exemplars.front().bucket == i;
      add_bucket(below, value.layout->bounds()[text_bounds[i]], exemplars.first(has_exemplar ? 1 : 0), histogram);
      exemplars = exemplars.subspan(has_exemplar ? 1 : 0);
    }
    if (!exemplars.empty()) add_bucket(count, std::numeric_limits<double>::infinity(), exemplars, histogram);
  }

  static void add_bucket(std::uint64_t below, double bound, std::span<const metrics::PlacedExemplar> exemplars,
                         pbf_writer& histogram) {
    pbf_writer bucket(histogram, histogram_field::kBucket);
    bucket.add_uint64(kFirst, below);
    bucket.add_double(kSecond, bound);
    if (!exemplars.empty()) add_exemplar(kBucketExemplar, *exemplars.front().exemplar, bucket);
  }

  void add_native(const metrics::HistogramValue& value, pbf_writer& histogram) {
    native_.assign(value);
    native_.write(kNativeFields, histogram);
  }

  pbf_writer family_;
  const metrics::FamilySnapshot* snapshot_ = nullptr;
  std::span<const metrics::PlacedExemplar> exemplars_;  // of the sample
  const metrics::FamilyDescriptor* descriptor_ = nullptr;
  const std::vector<std::string>* labels_ = nullptr;
  std::string name_;
  NativeHistogram native_;
};

}  // namespace

void PrometheusProtobufEncoder::encode(const metrics::Snapshot& snapshot, const Selection& selection,
                                       std::string& out) const {
  std::string message;
  FamilyWriter writer(message);
  for (const auto& family : snapshot.families) {
    if (!selection.selects_family(family)) continue;
    message.clear();
    for (const auto& sample : family.samples) {
      if (!selection.selects_sample(family, sample)) continue;
      if (message.empty()) writer.begin(family);
      writer.add(sample);
    }
    if (message.empty()) continue;
    protozero::write_varint(std::back_inserter(out), message.size());
    out += message;
  }
}

}  // namespace connscope::exporters
