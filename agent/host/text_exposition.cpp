// SPDX-License-Identifier: Apache-2.0
#include "agent/host/text_exposition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "agent/host/text.h"
#include "agent/metrics/metric_id.h"
#include "agent/metrics/names.h"
#include "agent/metrics/utf8.h"

namespace connscope::host {
namespace {

using metrics::MetricType;
using LabelSet = std::map<std::string, std::string>;

struct RawSample {
  std::string suffix;  ///< "_bucket", "_sum", "_count" of histograms and summaries
  LabelSet labels;
  double value = 0;
};

struct RawFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kUnknown;
  bool has_type = false;
  std::vector<RawSample> samples;
};

std::optional<double> sample_value(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = to_real(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<MetricType> type_of(std::string_view word) {
  if (word == "counter") return MetricType::kCounter;
  if (word == "gauge") return MetricType::kGauge;
  if (word == "histogram") return MetricType::kHistogram;
  if (word == "summary") return MetricType::kSummary;
  if (word == "untyped") return MetricType::kUnknown;
  return std::nullopt;
}

bool has_parts(MetricType type) { return type == MetricType::kHistogram || type == MetricType::kSummary; }

/// Reads the lines into raw families.
class Reader {
 public:
  Status take(std::string_view line) {
    line = trimmed(line);
    if (line.empty()) return {};
    return line.front() == '#' ? take_comment(line.substr(1)) : take_sample(line);
  }
  [[nodiscard]] std::vector<RawFamily>& families() { return families_; }

 private:
  Status take_comment(std::string_view rest) {
    const std::string_view what = take_field(rest);
    if (what != "HELP" && what != "TYPE") return {};
    const std::string_view name = take_field(rest);
    if (!metrics::is_metric_name(name)) return Error("\"" + std::string(name) + "\" is no metric name");
    RawFamily& family = family_of(name);
    if (what == "HELP") {
      family.help = metrics::to_utf8(trimmed(rest));
      return {};
    }
    const auto type = type_of(trimmed(rest));
    if (!type) return Error("\"" + std::string(trimmed(rest)) + "\" is no type");
    if (family.has_type || !family.samples.empty()) return Error("the type of " + family.name + " comes too late");
    family.type = *type;
    family.has_type = true;
    return {};
  }

  Status take_sample(std::string_view rest) {
    const std::size_t name_end = std::min(rest.find_first_of("{ \t"), rest.size());
    const std::string_view name = rest.substr(0, name_end);
    rest.remove_prefix(name_end);
    if (!metrics::is_metric_name(name)) return Error("\"" + std::string(name) + "\" is no metric name");
    RawSample sample;
    rest = trimmed(rest);
    if (rest.starts_with('{'))
      if (auto labels = take_labels(rest, sample.labels); !labels) return labels;
    const auto value = sample_value(take_field(rest));
    if (!value) return Error("the value of " + std::string(name) + " is no number");
    if (!trimmed(rest).empty()) return Error(std::string(name) + " has a time, or more than a value");
    sample.value = *value;
    RawFamily& family = owner_of(name, sample.suffix);
    family.samples.push_back(std::move(sample));
    return {};
  }

  static Status take_labels(std::string_view& rest, LabelSet& labels) {
    rest.remove_prefix(1);
    for (rest = trimmed(rest); !rest.starts_with('}'); rest = trimmed(rest)) {
      const std::string name(trimmed(take_until(rest, '=')));
      if (!metrics::is_label_name(name)) return Error("\"" + name + "\" is no label name");
      rest = trimmed(rest);
      auto value = take_quoted(rest);
      if (!value) return Error("the value of label " + name + " is not in quotes");
      if (!metrics::is_utf8(*value)) return Error("the value of label " + name + " is not UTF-8");
      if (!labels.emplace(name, std::move(*value)).second) return Error("label " + name + " is given twice");
      rest = trimmed(rest);
      if (rest.starts_with(',')) {
        rest.remove_prefix(1);
      } else if (!rest.starts_with('}')) {
        return Error("label " + name + " is followed by neither \",\" nor \"}\"");
      }
    }
    rest.remove_prefix(1);
    return {};
  }

  static std::optional<std::string> take_quoted(std::string_view& rest) {
    if (!rest.starts_with('"')) return std::nullopt;
    std::string value;
    for (std::size_t at = 1; at < rest.size(); ++at) {
      if (rest[at] == '"') {
        rest.remove_prefix(at + 1);
        return value;
      }
      if (rest[at] == '\\' && at + 1 < rest.size()) {
        ++at;
        value += rest[at] == 'n' ? '\n' : rest[at];
      } else {
        value += rest[at];
      }
    }
    return std::nullopt;
  }

  /// The family that a sample of this name belongs to: x_sum is one of histogram x.
  RawFamily& owner_of(std::string_view name, std::string& suffix) {
    for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(part)) continue;
      const auto owner = index_.find(name.substr(0, name.size() - part.size()));
      if (owner == index_.end() || !has_parts(families_[owner->second].type)) continue;
      suffix = part;
      return families_[owner->second];
    }
    return family_of(name);
  }

  RawFamily& family_of(std::string_view name) {
    const auto [entry, is_new] = index_.emplace(name, families_.size());
    if (is_new) families_.push_back({std::string(name), "", MetricType::kUnknown, false, {}});
    return families_[entry->second];
  }

  std::vector<RawFamily> families_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// One series of a histogram or a summary, whose parts are on several lines.
struct Parts {
  std::map<double, double> points;  ///< by bound or quantile
  std::optional<double> sum;
  std::optional<double> count;
};

std::uint64_t to_count(double value) {
  return value > 0 && value < 0x1p64 ? static_cast<std::uint64_t>(value) : 0;  // NaN is none
}

Result<metrics::Value> histogram_of(const Parts& parts) {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double below = 0;
  for (const auto& [bound, cumulated] : parts.points) {
    if (!(cumulated >= below)) return Error("its buckets do not rise");
    counts.push_back(to_count(cumulated - std::exchange(below, cumulated)));
    if (std::isfinite(bound)) bounds.push_back(bound);
  }
  if (counts.size() != bounds.size() + 1) return Error("its bucket +Inf lacks");
  auto layout = metrics::BucketLayout::create(std::move(bounds));
  if (!layout) return layout.error();
  return metrics::Value(metrics::HistogramValue{*layout, std::move(counts), *parts.sum, {}});
}

metrics::Value summary_of(const Parts& parts) {
  return metrics::SummaryValue{{parts.points.begin(), parts.points.end()}, to_count(*parts.count), *parts.sum, {}};
}

class Family {
 public:
  explicit Family(RawFamily raw) : raw_(std::move(raw)) {
    if (raw_.type == MetricType::kCounter && !raw_.name.ends_with("_total")) raw_.type = MetricType::kUnknown;
  }

  Result<metrics::FamilySnapshot> made() {
    metrics::FamilySnapshot family{nullptr, raw_.type, {}};
    Status outcome = has_parts(raw_.type) ? add_parted(family) : add_plain(family);
    if (!outcome) return outcome.error().context(raw_.name);
    family.descriptor = descriptor();
    return family;
  }

 private:
  /// The label names of all series, but for the one that tells parts apart.
  [[nodiscard]] std::vector<std::string> label_names() const {
    std::set<std::string> names;
    for (const RawSample& sample : raw_.samples)
      for (const auto& [name, value] : sample.labels)
        if (name != part_label()) names.insert(name);
    return {names.begin(), names.end()};
  }

  [[nodiscard]] std::string_view part_label() const {
    if (raw_.type == MetricType::kHistogram) return "le";
    return raw_.type == MetricType::kSummary ? "quantile" : "";
  }

  [[nodiscard]] std::shared_ptr<const metrics::FamilyDescriptor> descriptor() const {
    auto descriptor = std::make_shared<metrics::FamilyDescriptor>();
    const bool is_counter = raw_.type == MetricType::kCounter;
    descriptor->name = is_counter ? raw_.name.substr(0, raw_.name.size() - 6) : raw_.name;
    descriptor->help = raw_.help;
    descriptor->label_names = label_names();
    descriptor->id = metrics::default_id(descriptor->name);
    descriptor->external = is_counter;
    return descriptor;
  }

  using ValuesPtr = std::shared_ptr<const std::vector<std::string>>;
  [[nodiscard]] static ValuesPtr values_of(const std::vector<std::string>& names, const LabelSet& labels) {
    std::vector<std::string> values;
    for (const auto& name : names) {
      const auto found = labels.find(name);
      values.push_back(found == labels.end() ? "" : found->second);
    }
    return std::make_shared<const std::vector<std::string>>(std::move(values));
  }

  Status add_plain(metrics::FamilySnapshot& family) const {
    const auto names = label_names();
    std::set<std::vector<std::string>> seen;
    for (const RawSample& sample : raw_.samples) {
      auto values = values_of(names, sample.labels);
      if (!seen.insert(*values).second) return Error("a series is there twice");
      const metrics::Number number = sample.value;
      metrics::Value value = metrics::UnknownValue{number};
      if (raw_.type == MetricType::kGauge) value = metrics::GaugeValue{number};
      if (raw_.type == MetricType::kCounter) value = metrics::CounterValue{number, {}};
      family.samples.push_back({std::move(values), std::move(value)});
    }
    return {};
  }

  Status add_parted(metrics::FamilySnapshot& family) const {
    const auto names = label_names();
    std::map<std::vector<std::string>, Parts> series;
    for (const RawSample& sample : raw_.samples)
      if (auto taken = take_part(series[*values_of(names, sample.labels)], sample); !taken) return taken;
    for (const auto& [values, parts] : series) {
      if (!parts.sum || !parts.count) return Error("its sum or its count lacks");
      Result<metrics::Value> value =
          raw_.type == MetricType::kHistogram ? histogram_of(parts) : Result<metrics::Value>(summary_of(parts));
      if (!value) return value.error();
      family.samples.push_back({std::make_shared<const std::vector<std::string>>(values), std::move(*value)});
    }
    return {};
  }

  [[nodiscard]] Status take_part(Parts& parts, const RawSample& sample) const {
    if (sample.suffix == "_sum" || sample.suffix == "_count") {
      auto& place = sample.suffix == "_sum" ? parts.sum : parts.count;
      if (std::exchange(place, sample.value)) return Error("a series is there twice");
      return {};
    }
    const auto point = sample.labels.find(std::string(part_label()));
    const auto at = point == sample.labels.end() ? std::nullopt : sample_value(point->second);
    if (!at || std::isnan(*at)) return Error("label " + std::string(part_label()) + " lacks or is no number");
    if (!parts.points.emplace(*at, sample.value).second) return Error("a series is there twice");
    return {};
  }

  RawFamily raw_;
};

}  // namespace

Result<std::vector<metrics::FamilySnapshot>> parse_text_exposition(std::string_view text) {
  Reader reader;
  for (std::size_t number = 1; !text.empty(); ++number)
    if (auto taken = reader.take(take_line(text)); !taken)
      return taken.error().context("line " + std::to_string(number));
  std::vector<metrics::FamilySnapshot> families;
  for (RawFamily& raw : reader.families()) {
    if (raw.samples.empty()) continue;
    auto family = Family(std::move(raw)).made();
    if (!family) return family.error();
    families.push_back(std::move(*family));
  }
  return families;
}

}  // namespace connscope::host
