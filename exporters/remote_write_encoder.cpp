// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <chrono>
#include <deque>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/metrics/exemplar.h"
#include "agent/metrics/utf8.h"
#include "exporters/native_histogram.h"
#include "exporters/remote_write.h"
#include "exporters/sample_index.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::MetricType;
using metrics::PlacedExemplar;
using metrics::Sample;
using protozero::pbf_writer;

constexpr std::size_t kMaxRequest = 1U << 20U;

// Field numbers of prompb.
constexpr protozero::pbf_tag_type kTimeSeries = 1;  // of WriteRequest
namespace series_field {
enum : protozero::pbf_tag_type { kLabel = 1, kSample, kExemplar, kHistogram };
}
namespace exemplar_field {
enum : protozero::pbf_tag_type { kLabel = 1, kValue, kTimestamp };
}
namespace histogram_field {
enum : protozero::pbf_tag_type {
  kCount = 1,
  kSum = 3,
  kSchema,
  kZeroThreshold,
  kZeroCount,
  kPositiveSpan = 11,
  kPositiveDelta,
  kTimestamp = 15
};
}
constexpr NativeHistogram::Fields kNativeFields{histogram_field::kSchema, histogram_field::kZeroThreshold,
                                                histogram_field::kZeroCount, histogram_field::kPositiveSpan,
                                                histogram_field::kPositiveDelta};
constexpr protozero::pbf_tag_type kFirst = 1;  // of messages of two fields: name, value; value, timestamp
constexpr protozero::pbf_tag_type kSecond = 2;

/// The NaN by which Prometheus tells the end of a series from a measurement that is none.
const double kStale = std::bit_cast<double>(std::uint64_t{0x7ff0'0000'0000'0002});

std::int64_t milliseconds_of(metrics::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// Whether `after` has all series that `before` had; an info's labels are part of its only one.
bool continues(const Sample& before, const Sample* after) {
  if (after == nullptr) return false;
  const auto* info = std::get_if<metrics::InfoValue>(&before.value);
  const auto* info_after = std::get_if<metrics::InfoValue>(&after->value);
  return info == nullptr || info_after == nullptr || info->labels == info_after->labels;
}

/// Writes series, and gives each request away when it is full. Its memory serves them all.
class RequestWriter {
 public:
  RequestWriter(std::int64_t time, const RemoteWriteForm& form, const TakeWriteRequest& take)
      : time_(time), form_(form), take_(take), writer_(request_) {}

  /// `exemplars` are of the family.
  void begin(const metrics::FamilySnapshot& family, metrics::ExemplarNews exemplars) {
    family_ = &family;
    name_ = family.descriptor->name;
    exemplars_ = std::move(exemplars);
  }

  void add(const Sample& sample) {
    gather_labels(sample);
    sample_ = &sample;
    std::visit(*this, sample.value);
    if (request_.size() >= kMaxRequest) flush();
  }

  /// The end of all series of a sample.
  void add_stale(const Sample& sample) {
    instead_ = kStale;
    add(sample);
    instead_.reset();
  }

  void flush() {
    if (samples_ != 0) take_(request_, std::exchange(samples_, 0));
    request_.clear();
  }

  void operator()(const metrics::UnknownValue& value) { write("", metrics::as_double(value.value)); }
  void operator()(const metrics::GaugeValue& value) { write("", metrics::as_double(value.value)); }
  void operator()(const metrics::CounterValue& value) {
    write("_total", metrics::as_double(value.total), {}, exemplars_.of_buckets(*sample_));
  }

  void operator()(const metrics::InfoValue& value) {
    for (const auto& [name, text] : value.labels) add_label(name, text);
    write("_info", 1);
  }

  void operator()(const metrics::StateSetValue& value) {
    for (const auto& [state, on] : value.states) write("", on ? 1 : 0, {family_->descriptor->name, state});
  }

  void operator()(const metrics::SummaryValue& value) {
    for (const auto& [quantile, at] : value.quantiles) write("", at, {"quantile", canonical(quantile)});
    write("_count", static_cast<double>(value.count));
    write("_sum", value.sum);
  }

  void operator()(const metrics::HistogramValue& value) {
    const bool is_native = form_.native_histograms && NativeHistogram::fits(value);
    if (is_native) write_native(value);
    if (form_.classic_histograms || !is_native) write_classic(value);
  }

 private:
  using Label = std::pair<std::string_view, std::string_view>;
  using Exemplars = std::span<const PlacedExemplar>;

  /// Those of all series of the sample, by name.
  void gather_labels(const Sample& sample) {
    labels_.clear();
    mended_.clear();
    const auto& names = family_->descriptor->label_names;
    for (std::size_t i = 0; i < names.size(); ++i) add_label(names[i], (*sample.label_values)[i]);
    for (const auto& [name, value] : form_.external_labels) add_label(name, value);
  }

  /// Unless it is there already. An empty label is the same as none.
  void add_label(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    const auto place = place_of(name, labels_);
    if (place != labels_.end() && place->first == name) return;
    if (!metrics::is_utf8(value)) value = mended_.emplace_back(metrics::to_utf8(value));
    labels_.insert(place, {name, value});
  }

  static std::vector<Label>::iterator place_of(std::string_view name, std::vector<Label>& labels) {
    return std::lower_bound(labels.begin(), labels.end(), name,
                            [](const Label& label, std::string_view wanted) { return label.first < wanted; });
  }

  static void set(const Label& label, std::vector<Label>& labels) {
    const auto place = place_of(label.first, labels);
    if (place != labels.end() && place->first == label.first) {
      place->second = label.second;
    } else {
      labels.insert(place, label);
    }
  }

  /// One series with its labels; the caller adds its sample.
  pbf_writer begin_series(std::string_view suffix, const Label& more) {
    series_name_.assign(name_).append(suffix);
    series_labels_ = labels_;
    set({"__name__", series_name_}, series_labels_);
    if (!more.second.empty()) set(more, series_labels_);
    pbf_writer series(writer_, kTimeSeries);
    for (const auto& [name, value] : series_labels_) write_label(name, value, series_field::kLabel, series);
    ++samples_;
    return series;
  }

  static void write_label(std::string_view name, std::string_view value, protozero::pbf_tag_type tag,
                          pbf_writer& owner) {
    pbf_writer label(owner, tag);
    label.add_string(kFirst, name.data(), name.size());
    label.add_string(kSecond, value.data(), value.size());
  }

  void write(std::string_view suffix, double value, const Label& more = {}, Exemplars exemplars = {}) {
    pbf_writer series = begin_series(suffix, more);
    {
      pbf_writer sample(series, series_field::kSample);
      sample.add_double(kFirst, instead_.value_or(value));
      sample.add_int64(kSecond, time_);
    }
    for (const PlacedExemplar& placed : exemplars) write_exemplar(*placed.exemplar, series);
  }

  static void write_exemplar(const metrics::Exemplar& exemplar, pbf_writer& series) {
    pbf_writer written(series, series_field::kExemplar);
    for (const auto& [name, value] : exemplar.labels)
      write_label(name, metrics::to_utf8(value), exemplar_field::kLabel, written);
    written.add_double(exemplar_field::kValue, exemplar.value);
    written.add_int64(exemplar_field::kTimestamp, milliseconds_of(exemplar.time));
  }

  std::string_view canonical(double value) {
    number_.clear();
    append_canonical(value, number_);
    return number_;
  }

  void write_classic(const metrics::HistogramValue& value) {
    std::uint64_t below = 0;
    std::size_t next = 0;
    const auto& bounds = value.layout->text_bounds();
    const auto exemplars = exemplars_.of_buckets(*sample_);
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      for (; next <= bounds[i]; ++next) below += value.counts[next];
      write("_bucket", static_cast<double>(below), {"le", canonical(value.layout->bounds()[bounds[i]])},
            in_bucket(i, exemplars));
    }
    for (; next < value.counts.size(); ++next) below += value.counts[next];
    write("_bucket", static_cast<double>(below), {"le", "+Inf"}, in_bucket(bounds.size(), exemplars));
    const bool is_gauge = family_->type == MetricType::kGaugeHistogram;
    write(is_gauge ? "_gcount" : "_count", static_cast<double>(below));
    write(is_gauge ? "_gsum" : "_sum", value.sum);
  }

  static Exemplars in_bucket(std::size_t bucket, const std::vector<PlacedExemplar>& exemplars) {
    const auto found =
        std::find_if(exemplars.begin(), exemplars.end(), [&](const auto& placed) { return placed.bucket == bucket; });
    return found == exemplars.end() ? Exemplars() : Exemplars(found, 1);
  }

  void write_native(const metrics::HistogramValue& value) {
    native_.assign(value);
    pbf_writer series = begin_series("", {});
    {
      pbf_writer histogram(series, series_field::kHistogram);
      histogram.add_uint64(histogram_field::kCount, native_.count);
      histogram.add_double(histogram_field::kSum, instead_.value_or(value.sum));
      native_.write(kNativeFields, histogram);
      histogram.add_int64(histogram_field::kTimestamp, time_);
    }
    for (const PlacedExemplar& placed : exemplars_.of_series(*sample_)) write_exemplar(*placed.exemplar, series);
  }

  std::int64_t time_;
  const RemoteWriteForm& form_;
  const TakeWriteRequest& take_;
  std::string request_;
  pbf_writer writer_;
  std::uint32_t samples_ = 0;
  const metrics::FamilySnapshot* family_ = nullptr;
  std::string name_;
  metrics::ExemplarNews exemplars_;
  const Sample* sample_ = nullptr;
  std::vector<Label> labels_;
  std::deque<std::string> mended_;  // texts of labels_ that were no UTF-8
  std::string series_name_;
  std::vector<Label> series_labels_;
  std::string number_;
  NativeHistogram native_;
  std::optional<double> instead_;  // of each value
};

/// What `family`, of the snapshot before, had and `after` has no more.
void add_ended(const metrics::FamilySnapshot& family, const metrics::Snapshot& after, const Selection& selection,
               RequestWriter& requests) {
  requests.begin(family, {});
  SampleIndex alive(&after, family.descriptor->name);
  for (const Sample& sample : family.samples)
    if (selection.selects_sample(family, sample) && !continues(sample, alive.find_alike(sample)))
      requests.add_stale(sample);
}

}  // namespace

void encode_remote_write(const metrics::Snapshot* before, const metrics::Snapshot& after, const Selection& selection,
                         const RemoteWriteForm& form, const TakeWriteRequest& take) {
  RequestWriter requests(milliseconds_of(after.taken_at), form, take);
  for (const auto& family : after.families) {
    if (!selection.selects_family(family)) continue;
    requests.begin(family, form.exemplars ? metrics::ExemplarNews(before, family) : metrics::ExemplarNews());
    for (const Sample& sample : family.samples)
      if (selection.selects_sample(family, sample)) requests.add(sample);
  }
  if (before != nullptr) {
    for (const auto& family : before->families)
      if (selection.selects_family(family)) add_ended(family, after, selection, requests);
  }
  requests.flush();
}

}  // namespace connscope::exporters
