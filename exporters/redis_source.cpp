// SPDX-License-Identifier: Apache-2.0
#include "exporters/redis_source.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "agent/metrics/utf8.h"
#include "exporters/redis_client.h"
#include "exporters/redis_fields.h"

namespace connscope::exporters {
namespace {

using metrics::Labels;
using metrics::Number;

constexpr std::size_t kMaxSeries = 1'000'000;

/// An integer where the text is one, so that it stays exact.
std::optional<Number> parse_number(std::string_view text) {
  const auto parse = [text](auto number) -> std::optional<Number> {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    return status == std::errc() && end == text.data() + text.size() ? std::optional<Number>(number) : std::nullopt;
  };
  if (auto integer = parse(std::uint64_t{})) return integer;
  return parse(double{});
}

std::optional<double> bound_of(std::string_view text) {
  if (text == "+Inf" || text == "inf") return std::numeric_limits<double>::infinity();
  const auto number = parse_number(text);
  return number ? std::optional(metrics::as_double(*number)) : std::nullopt;
}

/// One value of a family.
struct Cell {
  std::string name_space;
  std::string extension;
  Labels labels;
  Number value;
};

struct ParsedFamily {
  std::string type;
  std::string help;
  std::vector<Cell> cells;
};

/// All values of one series: its labels without `le` and `quantile`.
struct Series {
  std::string name_space;
  std::uint64_t cells = 0;
  std::optional<Number> value;
  std::optional<Number> sum;
  std::optional<Number> count;
  std::map<double, std::uint64_t> buckets;  // cumulative, by bound
  std::vector<std::pair<double, double>> quantiles;
};

std::uint64_t whole(const Number& number) {
  if (const auto* integer = std::get_if<std::uint64_t>(&number)) return *integer;
  const double value = std::get<double>(number);
  return value > 0 && value < 0x1p64 ? static_cast<std::uint64_t>(value) : 0;
}

/// Takes a label out.
std::optional<std::string> take_label(Labels& labels, std::string_view name) {
  const auto found = std::find_if(labels.begin(), labels.end(), [name](const auto& l) { return l.first == name; });
  if (found == labels.end()) return std::nullopt;
  std::string value = std::move(found->second);
  labels.erase(found);
  return value;
}

/// Registers one family with its series.
class FamilyBuilder {
 public:
  FamilyBuilder(const std::string& name, const ParsedFamily& parsed, metrics::Registry& registry,
                RefusedFields& refused)
      : type_(parsed.type), registry_(registry), refused_(refused) {
    descriptor_.name = name;
    descriptor_.help = metrics::to_utf8(parsed.help);
    if (type_ == "c" && name.size() > 6 && name.ends_with("_total")) descriptor_.name.resize(name.size() - 6);
    for (const Cell& cell : parsed.cells) take(cell);
    std::set<std::string> names;
    for (const auto& [labels, series] : series_)
      for (const auto& [label, value] : labels) names.insert(label);
    descriptor_.label_names.assign(names.begin(), names.end());
  }

  void build() {
    if (type_ == "c") return build_as<metrics::Counter>(&FamilyBuilder::fill_counter);
    if (type_ == "h") return build_histogram();
    if (type_ == "s") return build_as<metrics::Summary>(&FamilyBuilder::fill_summary);
    if (type_ == "g") return build_as<metrics::Gauge>(&FamilyBuilder::fill_level<metrics::Gauge>);
    build_as<metrics::Unknown>(&FamilyBuilder::fill_level<metrics::Unknown>);
  }

  /// A summary's count and sum are what it has observed, in a registry; here they are what somebody else has.
  void complete(metrics::Snapshot& snapshot) const {
    if (type_ != "s") return;
    for (auto& family : snapshot.families) {
      if (family.descriptor->name != descriptor_.name) continue;
      for (auto& sample : family.samples) {
        auto* summary = std::get_if<metrics::SummaryValue>(&sample.value);
        const auto from = series_.find(labels_of(*sample.label_values));
        if (summary == nullptr || from == series_.end()) continue;
        summary->count = whole(from->second.count.value_or(std::uint64_t{0}));
        summary->sum = metrics::as_double(from->second.sum.value_or(std::uint64_t{0}));
      }
    }
  }

 private:
  void take(const Cell& cell) {
    Labels labels = cell.labels;
    const auto le = cell.extension == redis_extension::kBucket ? take_label(labels, "le") : std::nullopt;
    const auto quantile = type_ == "s" && cell.extension.empty() ? take_label(labels, "quantile") : std::nullopt;
    Series& series = series_[labels];
    series.name_space = cell.name_space;
    ++series.cells;
    if (cell.extension == redis_extension::kSum) {
      series.sum = cell.value;
    } else if (cell.extension == redis_extension::kCount) {
      series.count = cell.value;
    } else if (le) {
      if (const auto bound = bound_of(*le); bound && !std::isnan(*bound)) series.buckets[*bound] = whole(cell.value);
    } else if (quantile) {
      if (const auto at = bound_of(*quantile)) series.quantiles.emplace_back(*at, metrics::as_double(cell.value));
    } else {
      series.value = cell.value;
    }
  }

  [[nodiscard]] std::vector<std::string> values_of(const Labels& labels) const {
    std::vector<std::string> values(descriptor_.label_names.size());
    for (const auto& [name, value] : labels) {
      const auto at = std::lower_bound(descriptor_.label_names.begin(), descriptor_.label_names.end(), name);
      values[static_cast<std::size_t>(at - descriptor_.label_names.begin())] = metrics::to_utf8(value);
    }
    return values;
  }

  [[nodiscard]] Labels labels_of(const std::vector<std::string>& values) const {
    Labels labels;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!values[i].empty()) labels.emplace_back(descriptor_.label_names[i], values[i]);
    return labels;
  }

  /// Whether it has what its type needs. Counters do not fall below 0.
  [[nodiscard]] bool is_whole(const Series& series) const {
    if (type_ == "h" || type_ == "s") return !series.value.has_value();
    return series.value && (type_ != "c" || metrics::as_double(*series.value) >= 0);
  }

  static void fill_counter(metrics::Counter& into, const Series& from) {
    if (const auto* integer = std::get_if<std::uint64_t>(&*from.value)) return into.add(*integer);
    static_cast<void>(into.add(std::get<double>(*from.value)));  // is_whole() has seen that it can
  }

  static void fill_summary(metrics::Summary& into, const Series& from) { into.set_quantiles(from.quantiles); }

  template <class S>
  static void fill_level(S& into, const Series& from) {
    into.set(*from.value);
  }

  void refuse(const Series& series) { refused_[series.name_space] += series.cells; }

  template <class S, class Fill>
  void fill_family(Result<metrics::Family<S>*> family, const Fill& fill) {
    for (const auto& [labels, series] : series_) {
      auto made = family && is_whole(series) ? (*family)->with(values_of(labels)) : Result<S*>(Error("is left out"));
      if (made) {
        fill(**made, series);
      } else {
        refuse(series);
      }
    }
  }

  template <class S, class Fill>
  void build_as(const Fill& fill) {
    fill_family<S>(registry_.family<S>(descriptor_), fill);
  }

  void build_histogram() {
    std::set<double> bounds;
    for (const auto& [labels, series] : series_)
      for (const auto& [bound, count] : series.buckets)
        if (std::isfinite(bound)) bounds.insert(bound);
    auto layout = metrics::BucketLayout::create({bounds.begin(), bounds.end()});
    if (!layout) {
      for (const auto& [labels, series] : series_) refuse(series);
      return;
    }
    fill_family<metrics::Histogram>(registry_.family<metrics::Histogram>(descriptor_, *layout),
                                    [&layout](auto& into, const Series& from) {
                                      std::uint64_t before = 0;
                                      for (const auto& [bound, count] : from.buckets) {
                                        // A writer is between two commands at most: a bucket that lags behind is as the
                                        // one below it.
                                        if (count > before) into.add((*layout)->bucket_of(bound), count - before, 0);
                                        before = std::max(before, count);
                                      }
                                      into.add(0, 0, metrics::as_double(from.sum.value_or(std::uint64_t{0})));
                                      return true;
                                    });
  }

  metrics::FamilyDescriptor descriptor_;
  std::string type_;
  metrics::Registry& registry_;
  RefusedFields& refused_;
  std::map<Labels, Series> series_;
};

/// Fields of all hashes, by the names of their families.
std::map<std::string, ParsedFamily> parse_fields(const std::vector<RedisHash>& hashes, RefusedFields& refused) {
  std::map<std::string, ParsedFamily> families;
  for (const RedisHash& hash : hashes) {
    for (const auto& [text, value] : hash.fields) {
      auto field = parse_redis_field(text);
      const auto number = parse_number(value);
      const bool is_text =
          field && (field->extension == redis_extension::kType || field->extension == redis_extension::kDescription);
      if (!field || (!is_text && !number)) {
        ++refused[hash.name_space];
        continue;
      }
      ParsedFamily& family = families[field->name];
      if (is_text) {
        // Of two namespaces that do not agree the first has its way.
        std::string& into = field->extension == redis_extension::kType ? family.type : family.help;
        if (into.empty()) into = value;
        continue;
      }
      if (hashes.size() > 1) field->labels.emplace_back("namespace", hash.name_space);
      std::sort(field->labels.begin(), field->labels.end());
      family.cells.push_back({hash.name_space, std::move(field->extension), std::move(field->labels), *number});
    }
  }
  return families;
}

class RedisSource final : public MetricsSource {
 public:
  RedisSource(const RedisTarget& target, std::vector<std::string> namespaces)
      : client_(target), namespaces_(std::move(namespaces)) {}

  metrics::SnapshotPtr read() override {
    RefusedFields refused;
    for (const auto& name : namespaces_) refused[name] = 0;
    const auto hashes = fetch();
    problem_ = hashes ? "" : hashes.error().message();
    auto snapshot = decode_redis(hashes ? *hashes : std::vector<RedisHash>(), refused);
    add_own(hashes.has_value(), refused, *snapshot);
    return snapshot;
  }

  [[nodiscard]] std::string problem() const override { return problem_; }

 private:
  Result<std::vector<RedisHash>> fetch() {
    RedisCommands commands;
    for (const auto& name : namespaces_) commands.add({"HGETALL", name});
    const auto replies = client_.run(commands);
    if (!replies) return replies.error();
    std::vector<RedisHash> hashes;
    for (std::size_t i = 0; i < namespaces_.size(); ++i) {
      const redisReply& reply = *(*replies)[i];
      if (reply.type != REDIS_REPLY_ARRAY) return Error(namespaces_[i] + ": " + std::string(text_of(reply)));
      RedisHash hash{namespaces_[i], {}};
      for (std::size_t at = 0; at + 1 < reply.elements; at += 2)
        hash.fields.emplace_back(text_of(*reply.element[at]), text_of(*reply.element[at + 1]));
      hashes.push_back(std::move(hash));
    }
    return hashes;
  }

  static void add_own(bool is_up, const RefusedFields& refused, metrics::Snapshot& snapshot) {
    metrics::Registry own;
    if (auto up = own.family<metrics::Gauge>({"connscope_expose_up", "1 when Redis could be read.", "", {}, ""}))
      if (auto series = (*up)->with({})) (*series)->set(std::uint64_t{is_up ? 1U : 0U});
    auto fields = own.family<metrics::Gauge>({"connscope_expose_refused_fields",
                                              "Fields that are no metrics, or none that can be shown.",
                                              "",
                                              {"namespace"},
                                              ""});
    for (const auto& [name, count] : refused)
      if (fields)
        if (auto series = (*fields)->with({metrics::to_utf8(name)})) (*series)->set(count);
    put(*own.snapshot(), snapshot);
  }

  /// In the place of families of these names, if a hash has some.
  static void put(const metrics::Snapshot& own, metrics::Snapshot& snapshot) {
    const auto by_name = [](const auto& a, const auto& b) { return a.descriptor->name < b.descriptor->name; };
    auto& families = snapshot.families;
    for (const auto& family : own.families) {
      const auto [first, last] = std::equal_range(families.begin(), families.end(), family, by_name);
      families.insert(families.erase(first, last), family);
    }
  }

  RedisClient client_;
  std::vector<std::string> namespaces_;
  std::string problem_;
};

}  // namespace

std::shared_ptr<metrics::Snapshot> decode_redis(const std::vector<RedisHash>& hashes, RefusedFields& refused) {
  // Nobody knows when they were created, and the time 0 is left out.
  metrics::Registry registry({kMaxSeries, [] { return metrics::WallTime(); }});
  std::vector<FamilyBuilder> builders;
  for (const auto& [name, parsed] : parse_fields(hashes, refused)) {
    if (parsed.cells.empty()) continue;
    builders.emplace_back(name, parsed, registry, refused);
    builders.back().build();
  }
  auto snapshot = registry.snapshot();
  for (const FamilyBuilder& builder : builders) builder.complete(*snapshot);
  snapshot->taken_at = std::chrono::system_clock::now();
  return snapshot;
}

Result<std::unique_ptr<MetricsSource>> make_redis_source(const config::Section& section, const std::string& address,
                                                         std::vector<std::string> namespaces) {
  RedisTarget target = RedisTarget::parse(section);
  auto named = section.texts("namespaces");
  if (namespaces.empty()) namespaces = named.empty() ? std::vector<std::string>{"connscope"} : std::move(named);
  if (!address.empty()) {
    const auto given = SocketAddress::parse(address);
    if (!given)
      return Error("--redis " + address + ": is not an address; allowed: HOST:PORT, [IPV6]:PORT, or unix:/PATH");
    target.address = *given;
  }
  return std::unique_ptr<MetricsSource>(std::make_unique<RedisSource>(target, std::move(namespaces)));
}

}  // namespace connscope::exporters
