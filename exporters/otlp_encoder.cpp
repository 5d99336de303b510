// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/metrics/exemplar.h"
#include "exporters/otlp.h"
#include "exporters/sample_index.h"

namespace connscope::exporters {
namespace {

using metrics::FamilySnapshot;
using metrics::MetricType;
using metrics::Sample;

// Fields of opentelemetry-proto, by their messages.
constexpr MessageField kResourceMetrics{1, "resourceMetrics"};
namespace resource_metrics {
constexpr MessageField kResource{1, "resource"};
constexpr MessageField kScopeMetrics{2, "scopeMetrics"};
}  // namespace resource_metrics
constexpr MessageField kResourceAttributes{1, "attributes"};
namespace key_value {
constexpr MessageField kKey{1, "key"};
constexpr MessageField kValue{2, "value"};
constexpr MessageField kStringValue{1, "stringValue"};
}  // namespace key_value
namespace scope_metrics {
constexpr MessageField kScope{1, "scope"};
constexpr MessageField kScopeName{1, "name"};
constexpr MessageField kMetrics{2, "metrics"};
}  // namespace scope_metrics
namespace metric {
constexpr MessageField kName{1, "name"};
constexpr MessageField kDescription{2, "description"};
constexpr MessageField kUnit{3, "unit"};
constexpr MessageField kGauge{5, "gauge"};
constexpr MessageField kSum{7, "sum"};
constexpr MessageField kHistogram{9, "histogram"};
constexpr MessageField kExponentialHistogram{10, "exponentialHistogram"};
constexpr MessageField kSummary{11, "summary"};
}  // namespace metric
constexpr MessageField kDataPoints{1, "dataPoints"};
constexpr MessageField kTemporality{2, "aggregationTemporality"};
constexpr MessageField kIsMonotonic{3, "isMonotonic"};
constexpr MessageField kStart{2, "startTimeUnixNano"};
constexpr MessageField kTime{3, "timeUnixNano"};
namespace exemplar {
constexpr MessageField kTime{2, "timeUnixNano"};
constexpr MessageField kDouble{3, "asDouble"};
constexpr MessageField kAttributes{7, "filteredAttributes"};
}  // namespace exemplar
namespace number_point {
constexpr MessageField kDouble{4, "asDouble"};
constexpr MessageField kExemplars{5, "exemplars"};
constexpr MessageField kInt{6, "asInt"};
constexpr MessageField kAttributes{7, "attributes"};
}  // namespace number_point
constexpr MessageField kCount{4, "count"};  // of histograms and summaries
constexpr MessageField kPointSum{5, "sum"};
namespace histogram_point {
constexpr MessageField kBucketCounts{6, "bucketCounts"};
constexpr MessageField kExplicitBounds{7, "explicitBounds"};
constexpr MessageField kExemplars{8, "exemplars"};
constexpr MessageField kAttributes{9, "attributes"};
}  // namespace histogram_point
namespace exponential_point {
constexpr MessageField kAttributes{1, "attributes"};
constexpr MessageField kScale{6, "scale"};
constexpr MessageField kZeroCount{7, "zeroCount"};
constexpr MessageField kPositive{8, "positive"};
constexpr MessageField kOffset{1, "offset"};
constexpr MessageField kBucketCounts{2, "bucketCounts"};
constexpr MessageField kExemplars{11, "exemplars"};
constexpr MessageField kZeroThreshold{14, "zeroThreshold"};
}  // namespace exponential_point
namespace summary_point {
constexpr MessageField kQuantileValues{6, "quantileValues"};
constexpr MessageField kQuantile{1, "quantile"};
constexpr MessageField kValue{2, "value"};
constexpr MessageField kAttributes{7, "attributes"};
}  // namespace summary_point
enum Temporality : std::int32_t { kDelta = 1, kCumulative = 2 };

constexpr std::string_view kProcess = "process";
constexpr std::string_view kOwnService = "connscope";

/// UCUM's name of a unit.
std::string_view unit_of(std::string_view unit) {
  static constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
      {"seconds", "s"}, {"bytes", "By"},  {"ratio", "1"},  {"celsius", "Cel"}, {"volts", "V"},
      {"hertz", "Hz"},  {"amperes", "A"}, {"joules", "J"}, {"watts", "W"},     {"meters", "m"},
  };
  for (const auto& [name, symbol] : kUnits)
    if (name == unit) return symbol;
  return unit;
}

std::uint64_t nanoseconds_of(metrics::WallTime time) {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch, 0));
}

bool is_target(const FamilySnapshot& family) {
  return family.type == MetricType::kInfo && family.descriptor->name == "target";
}

/// A family's series of one resource.
struct Part {
  const FamilySnapshot* family;
  std::vector<const Sample*> samples;
};

/// The series of a snapshot by the resource that they are of.
class Resources {
 public:
  Resources(const metrics::Snapshot& snapshot, const Selection& selection) {
    for (const FamilySnapshot& family : snapshot.families) {
      if (is_target(family)) {
        take_target(family);
      } else if (selection.selects_family(family)) {
        take(family, selection);
      }
    }
  }

  [[nodiscard]] const std::map<std::string_view, std::vector<Part>>& by_service() const { return by_service_; }
  [[nodiscard]] const metrics::Labels& target() const { return target_; }

 private:
  void take_target(const FamilySnapshot& family) {
    for (const Sample& sample : family.samples)
      if (const auto* info = std::get_if<metrics::InfoValue>(&sample.value)) target_ = info->labels;
  }

  void take(const FamilySnapshot& family, const Selection& selection) {
    const auto& names = family.descriptor->label_names;
    const auto process = static_cast<std::size_t>(std::find(names.begin(), names.end(), kProcess) - names.begin());
    for (const Sample& sample : family.samples) {
      if (!selection.selects_sample(family, sample)) continue;
      const std::string_view name = process < names.size() ? (*sample.label_values)[process] : std::string_view();
      auto& parts = by_service_[name.empty() ? kOwnService : name];
      if (parts.empty() || parts.back().family != &family) parts.push_back({&family, {}});
      parts.back().samples.push_back(&sample);
    }
  }

  std::map<std::string_view, std::vector<Part>> by_service_;
  metrics::Labels target_;
};

metrics::Number rise_of(const metrics::Number& before, const metrics::Number& after) {
  const auto* whole = std::get_if<std::uint64_t>(&after);
  const auto* whole_before = std::get_if<std::uint64_t>(&before);
  if (whole != nullptr && whole_before != nullptr) return rise(*whole_before, *whole);
  return rise(metrics::as_double(before), metrics::as_double(after));
}

/// Writes requests. Times are those of the snapshots.
class RequestWriter {
 public:
  RequestWriter(const metrics::Snapshot* before, const metrics::Snapshot& after, const OtlpForm& form,
                MessageWriter& out)
      : before_(form.is_delta ? before : nullptr), told_(before), after_(after), form_(form), out_(out) {}

  void write(const Resources& resources) {
    const ListScope list(out_, kResourceMetrics);
    for (const auto& [service, parts] : resources.by_service()) {
      const MessageScope resource(out_);
      write_resource(service, resources.target());
      const ListScope scopes(out_, resource_metrics::kScopeMetrics);
      const MessageScope scope(out_);
      write_scope(parts);
    }
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

  // One series each, by std::visit.
  void operator()(const metrics::UnknownValue& value) { write_number(value.value, {}); }
  void operator()(const metrics::GaugeValue& value) { write_number(value.value, {}); }

  void operator()(const metrics::CounterValue& value) {
    const auto* before = baseline_->find_value<metrics::CounterValue>(*sample_);
    const metrics::Number risen = before == nullptr ? value.total : rise_of(before->total, value.total);
    write_number(risen, start_of(value.created, before != nullptr), {}, exemplars_.of_buckets(*sample_));
  }

  void operator()(const metrics::InfoValue& value) { write_number(std::uint64_t{1}, {}, value.labels); }

  void operator()(const metrics::StateSetValue& value) {
    for (const auto& [state, on] : value.states)
      write_number(std::uint64_t{on ? 1U : 0U}, {}, {{family_->descriptor->name, state}});
  }

  void operator()(const metrics::HistogramValue& value) {
    const auto* before = baseline_->find_value<metrics::HistogramValue>(*sample_);
    counts_ = value.counts;
    if (before != nullptr)
      for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] = rise(before->counts[i], counts_[i]);
    std::uint64_t count = 0;
    for (const std::uint64_t in_bucket : counts_) count += in_bucket;
    const MessageScope point(out_);
    const bool exponential = is_exponential(value);
    write_attributes(exponential ? exponential_point::kAttributes : histogram_point::kAttributes);
    write_times(start_of(value.created, before != nullptr));
    out_.add_fixed64(kCount, count);
    out_.add_double(kPointSum, value.sum - (before == nullptr ? 0 : before->sum));
    if (exponential) {
      write_exponential(*value.layout);
      write_exemplars(exponential_point::kExemplars, exemplars_.of_series(*sample_));
    } else {
      write_explicit(*value.layout);
      write_exemplars(histogram_point::kExemplars, exemplars_.of_buckets(*sample_));
    }
  }

  void operator()(const metrics::SummaryValue& value) {
    const MessageScope point(out_);
    write_attributes(summary_point::kAttributes);
    write_times(value.created);
    out_.add_fixed64(kCount, value.count);
    out_.add_double(kPointSum, value.sum);
    const ListScope list(out_, summary_point::kQuantileValues);
    for (const auto& [quantile, at] : value.quantiles) {
      const MessageScope pair(out_);
      out_.add_double(summary_point::kQuantile, quantile);
      out_.add_double(summary_point::kValue, at);
    }
  }

 private:
  using Exemplars = std::vector<metrics::PlacedExemplar>;

  void write_resource(std::string_view service, const metrics::Labels& target) {
    const MessageScope resource(out_, resource_metrics::kResource);
    const ListScope attributes(out_, kResourceAttributes);
    add_attribute("service.name", service);
    for (const auto& [name, value] : form_.attributes) add_attribute(name, value);
    for (const auto& [name, value] : target) add_attribute(name, value);
  }

  void write_scope(const std::vector<Part>& parts) {
    {
      const MessageScope scope(out_, scope_metrics::kScope);
      out_.add_text(scope_metrics::kScopeName, kOwnService);
    }
    const ListScope list(out_, scope_metrics::kMetrics);
    for (const Part& part : parts) {
      if (part.family->type == MetricType::kGaugeHistogram) {
        refused_ += part.samples.size();
      } else if (!form_.is_delta || before_ != nullptr || !part.family->descriptor->external) {
        write_metric(part);
      }  // else: totals of before the agent's time are no difference
    }
  }

  void write_metric(const Part& part) {
    const MessageScope scope(out_);
    family_ = part.family;
    const auto& descriptor = *family_->descriptor;
    out_.add_text(metric::kName, descriptor.name);
    if (!descriptor.help.empty()) out_.add_text(metric::kDescription, descriptor.help);
    if (!descriptor.unit.empty()) out_.add_text(metric::kUnit, unit_of(descriptor.unit));
    const SampleIndex baseline(before_, descriptor.name);
    baseline_ = &baseline;
    exemplars_ = form_.exemplars ? metrics::ExemplarNews(told_, *family_) : metrics::ExemplarNews();
    const MessageScope data(out_, data_field(*part.samples.front()));
    {
      const ListScope points(out_, kDataPoints);
      for (const Sample* sample : part.samples) {
        sample_ = sample;
        std::visit(*this, sample->value);
      }
    }
    write_temporality();
  }

  [[nodiscard]] MessageField data_field(const Sample& first) const {
    switch (family_->type) {
      case MetricType::kCounter:
      case MetricType::kInfo:
      case MetricType::kStateSet:
        return metric::kSum;
      case MetricType::kSummary:
        return metric::kSummary;
      case MetricType::kHistogram:
        return is_exponential(std::get<metrics::HistogramValue>(first.value)) ? metric::kExponentialHistogram
                                                                              : metric::kHistogram;
      case MetricType::kGaugeHistogram:
      case MetricType::kGauge:
      case MetricType::kUnknown:
        break;
    }
    return metric::kGauge;
  }

  void write_temporality() {
    const MetricType type = family_->type;
    const bool is_state = type == MetricType::kInfo || type == MetricType::kStateSet;
    if (type != MetricType::kCounter && type != MetricType::kHistogram && !is_state) return;
    out_.add_enumerator(kTemporality, form_.is_delta && !is_state ? kDelta : kCumulative);
    if (type != MetricType::kHistogram) out_.add_flag(kIsMonotonic, !is_state);
  }

  static bool is_exponential(const metrics::HistogramValue& value) { return value.layout->exponential().has_value(); }

  /// Of a difference it is the time of the delivery before; a series that is new since then begins at its creation.
  [[nodiscard]] metrics::WallTime start_of(metrics::WallTime created, bool has_before) const {
    return has_before ? before_->taken_at : created;
  }

  void write_times(metrics::WallTime start) {
    if (const std::uint64_t since = nanoseconds_of(start); since != 0) out_.add_fixed64(kStart, since);
    out_.add_fixed64(kTime, nanoseconds_of(after_.taken_at));
  }

  void write_number(const metrics::Number& value, metrics::WallTime start, const metrics::Labels& more = {},
                    const Exemplars& exemplars = {}) {
    const MessageScope point(out_);
    write_attributes(number_point::kAttributes, more);
    write_times(start);
    const auto* whole = std::get_if<std::uint64_t>(&value);
    if (whole != nullptr && *whole <= static_cast<std::uint64_t>(INT64_MAX)) {
      out_.add_sfixed64(number_point::kInt, static_cast<std::int64_t>(*whole));
    } else {
      out_.add_double(number_point::kDouble, metrics::as_double(value));
    }
    write_exemplars(number_point::kExemplars, exemplars);
  }

  void write_exemplars(MessageField field, const Exemplars& exemplars) {
    if (exemplars.empty()) return;
    const ListScope list(out_, field);
    for (const auto& placed : exemplars) {
      const MessageScope one(out_);
      out_.add_fixed64(exemplar::kTime, nanoseconds_of(placed.exemplar->time));
      out_.add_double(exemplar::kDouble, placed.exemplar->value);
      const ListScope attributes(out_, exemplar::kAttributes);
      for (const auto& [name, value] : placed.exemplar->labels) add_attribute(name, value);
    }
  }

  /// But for the process, which is the resource.
  void write_attributes(MessageField field, const metrics::Labels& more = {}) {
    const ListScope list(out_, field);
    const auto& names = family_->descriptor->label_names;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] != kProcess) add_attribute(names[i], (*sample_->label_values)[i]);
    for (const auto& [name, value] : more)
      if (std::find(names.begin(), names.end(), name) == names.end()) add_attribute(name, value);
  }

  void add_attribute(std::string_view name, std::string_view value) {
    if (value.empty()) return;  // an empty label is the same as none
    const MessageScope pair(out_);
    out_.add_text(key_value::kKey, name);
    const MessageScope any(out_, key_value::kValue);
    out_.add_text(key_value::kStringValue, value);
  }

  void write_explicit(const metrics::BucketLayout& layout) {
    out_.add_fixed64s(histogram_point::kBucketCounts, counts_);
    out_.add_doubles(histogram_point::kExplicitBounds, layout.bounds());
  }

  /// Bucket i of the format is above base^i; ours have the index of their upper bound. What is at or below the lowest
  /// bound is zero, what is above the highest is in the bucket after it.
  void write_exponential(const metrics::BucketLayout& layout) {
    const auto& exponential = *layout.exponential();
    out_.add_sint32(exponential_point::kScale, exponential.schema);
    out_.add_fixed64(exponential_point::kZeroCount, counts_.front());
    const auto is_used = [](std::uint64_t count) { return count != 0; };
    const auto first = std::find_if(counts_.begin() + 1, counts_.end(), is_used);
    if (first != counts_.end()) {
      const auto last = std::find_if(counts_.rbegin(), counts_.rend(), is_used).base();
      const MessageScope positive(out_, exponential_point::kPositive);
      out_.add_sint32(exponential_point::kOffset,
                      exponential.first + static_cast<std::int32_t>(first - counts_.begin()) - 1);
      out_.add_uint64s(exponential_point::kBucketCounts, {first, last});
    }
    out_.add_double(exponential_point::kZeroThreshold, layout.bounds().front());
  }

  const metrics::Snapshot* before_;
  const metrics::Snapshot* told_;  // whose exemplars the receiver has
  const metrics::Snapshot& after_;
  const OtlpForm& form_;
  MessageWriter& out_;
  const FamilySnapshot* family_ = nullptr;
  const SampleIndex* baseline_ = nullptr;
  const Sample* sample_ = nullptr;
  metrics::ExemplarNews exemplars_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t refused_ = 0;
};

}  // namespace

std::uint64_t encode_otlp(const metrics::Snapshot* before, const metrics::Snapshot& after, const Selection& selection,
                          const OtlpForm& form, std::string& out) {
  const auto writer = make_message_writer(form.encoding, out);
  RequestWriter request(before, after, form, *writer);
  request.write(Resources(after, selection));
  return request.refused();
}

}  // namespace connscope::exporters
