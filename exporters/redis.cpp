// SPDX-License-Identifier: Apache-2.0
#include "exporters/redis.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <variant>

#include "agent/metrics/utf8.h"
#include "exporters/redis_fields.h"
#include "exporters/sample_index.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::MetricType;
using metrics::Number;

/// How long the key of an agent's last transfer stays when the agent does not come again.
constexpr std::string_view kMarkerSeconds = "86400";

std::string_view type_letter(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "c";
    case MetricType::kHistogram:
      return "h";
    case MetricType::kSummary:
      return "s";
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
    case MetricType::kUnknown:
      return "g";
    case MetricType::kGaugeHistogram:
      break;
  }
  return "";  // its buckets can fall, which none of the letters allows
}

std::string_view suffix_of(MetricType type) {
  if (type == MetricType::kCounter) return "_total";
  return type == MetricType::kInfo ? "_info" : "";
}

/// Adds the commands of one family.
class FamilyCommands {
 public:
  FamilyCommands(const metrics::FamilySnapshot& family, const metrics::Snapshot* before, const std::string& hash,
                 RedisCommands& commands)
      : family_(family),
        baseline_(before, family.descriptor->name),
        may_begin_(before != nullptr || !family.descriptor->external),
        hash_(hash),
        name_(family.descriptor->name + std::string(suffix_of(family.type))),
        commands_(commands) {}

  void add_head() {
    set_if_absent(redis_extension::kType, type_letter(family_.type));
    if (!family_.descriptor->help.empty()) set_if_absent(redis_extension::kDescription, family_.descriptor->help);
  }

  void add(const metrics::Sample& sample) {
    sample_ = &sample;
    labels_.clear();
    const auto& names = family_.descriptor->label_names;
    for (std::size_t i = 0; i < names.size(); ++i) labels_.emplace_back(names[i], (*sample.label_values)[i]);
    std::visit(*this, sample.value);
  }

  void operator()(const metrics::UnknownValue& value) { set(labels_, value.value); }
  void operator()(const metrics::GaugeValue& value) { set(labels_, value.value); }

  void operator()(const metrics::InfoValue& value) {
    metrics::Labels labels = labels_;
    for (const auto& label : value.labels) {
      const auto is_same = [&label](const auto& own) { return own.first == label.first; };
      if (std::none_of(labels_.begin(), labels_.end(), is_same)) labels.push_back(label);
    }
    set(labels, std::uint64_t{1});
  }

  void operator()(const metrics::StateSetValue& value) {
    for (const auto& [state, on] : value.states) {
      metrics::Labels labels = labels_;
      labels.emplace_back(family_.descriptor->name, state);
      set(labels, std::uint64_t{on ? 1U : 0U});
    }
  }

  void operator()(const metrics::CounterValue& value) {
    const auto* before = baseline_.find_value<metrics::CounterValue>(*sample_);
    if (before == nullptr && !may_begin_) return;
    const std::string field = field_of(redis_extension::kValue, labels_);
    const auto* total = std::get_if<std::uint64_t>(&value.total);
    const Number none = std::uint64_t{0};
    const auto* total_before = std::get_if<std::uint64_t>(before == nullptr ? &none : &before->total);
    if (total != nullptr && total_before != nullptr) {
      add_count(field, rise(*total_before, *total), before == nullptr);
    } else {
      add_sum(field, rise(before == nullptr ? 0 : metrics::as_double(before->total), metrics::as_double(value.total)),
              before == nullptr);
    }
  }

  void operator()(const metrics::HistogramValue& value) {
    const auto* before = baseline_.find_value<metrics::HistogramValue>(*sample_);
    if (before == nullptr && !may_begin_) return;
    const auto& bounds = value.layout->text_bounds();
    std::uint64_t risen = 0;
    std::size_t next = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      const std::size_t end = i < bounds.size() ? bounds[i] + 1 : value.counts.size();
      for (; next < end; ++next) risen += rise(before == nullptr ? 0 : before->counts[next], value.counts[next]);
      const double bound =
          i < bounds.size() ? value.layout->bounds()[bounds[i]] : std::numeric_limits<double>::infinity();
      add_bucket(bound, risen, before == nullptr);
    }
    add_count(field_of(redis_extension::kCount, labels_), risen, before == nullptr);
    add_sum(field_of(redis_extension::kSum, labels_), value.sum - (before == nullptr ? 0 : before->sum),
            before == nullptr);
  }

  void operator()(const metrics::SummaryValue& value) {
    const auto* before = baseline_.find_value<metrics::SummaryValue>(*sample_);
    if (before == nullptr && !may_begin_) return;
    for (const auto& [quantile, at] : value.quantiles) {
      metrics::Labels labels = labels_;
      labels.emplace_back("quantile", std::string());
      append_number(quantile, labels.back().second);
      set(labels, at);
    }
    add_count(field_of(redis_extension::kCount, labels_), rise(before == nullptr ? 0 : before->count, value.count),
              before == nullptr);
    add_sum(field_of(redis_extension::kSum, labels_), value.sum - (before == nullptr ? 0 : before->sum),
            before == nullptr);
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  [[nodiscard]] std::string field_of(std::string_view extension, const metrics::Labels& labels) const {
    std::string field = name_;
    field.append(":").append(extension).append(":").append(redis_labels(labels));
    return field;
  }

  void set_if_absent(std::string_view extension, std::string_view text) {
    commands_.add({"HSETNX", hash_, field_of(extension, {}), metrics::to_utf8(text)});
  }

  void set(const metrics::Labels& labels, const Number& value) {
    if (!std::isfinite(metrics::as_double(value))) {
      ++refused_;
      return;
    }
    std::string text;
    append_number(value, text);
    commands_.add({"HSET", hash_, field_of(redis_extension::kValue, labels), text});
  }

  /// A new series is there from its first transfer on, though nothing happened to it.
  void add_count(const std::string& field, std::uint64_t count, bool is_new) {
    if (count == 0 && !is_new) return;
    if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      ++refused_;
      return;
    }
    commands_.add({"HINCRBY", hash_, field, std::to_string(count)});
  }

  void add_sum(const std::string& field, double sum, bool is_new) {
    if (sum == 0 && !is_new) return;
    if (!std::isfinite(sum)) {
      ++refused_;
      return;
    }
    std::string text;
    append_number(sum, text);
    commands_.add({"HINCRBYFLOAT", hash_, field, text});
  }

  void add_bucket(double bound, std::uint64_t count, bool is_new) {
    metrics::Labels labels = labels_;
    labels.emplace_back("le", std::string());
    append_canonical(bound, labels.back().second);
    add_count(field_of(redis_extension::kBucket, labels), count, is_new);
  }

  const metrics::FamilySnapshot& family_;
  SampleIndex baseline_;
  bool may_begin_;
  const std::string& hash_;
  std::string name_;
  RedisCommands& commands_;
  const metrics::Sample* sample_ = nullptr;
  metrics::Labels labels_;
  std::uint64_t refused_ = 0;
};

std::string random_text() {
  std::random_device random;
  return std::to_string(std::uint64_t{random()} << 32U | random());
}

class RedisExporter final : public ReportExporter {
 public:
  RedisExporter(const RedisTarget& target, std::string hash, Selection selection, std::chrono::seconds expiry)
      : client_(target),
        place_(target.address.text() + " " + std::to_string(target.database)),
        hash_(std::move(hash)),
        marker_(hash_ + ":connscope:" + random_text()),
        selection_(std::move(selection)),
        expiry_(expiry) {}

  Sent send(const metrics::Report& report) override {
    if (auto known = find_out_what_became_of_the_last(); !known) return again(known.error());
    const auto wanted = selected(report.snapshot);
    RedisCommands commands;
    Sent sent;
    commands.add({"MULTI"});
    sent.refused = encode_redis(transferred_.get(), *wanted, hash_, commands);
    if (expiry_.count() != 0) commands.add({"EXPIRE", hash_, std::to_string(expiry_.count())});
    commands.add({"SET", marker_, std::to_string(++number_), "EX", kMarkerSeconds});
    commands.add({"EXEC"});
    in_doubt_ = wanted;
    const auto replies = client_.run(commands);
    if (!replies) return again(replies.error());
    in_doubt_.reset();
    const redisReply& outcome = *replies->back();
    if (outcome.type != REDIS_REPLY_ARRAY) return again(Error("Redis refuses a transfer: " + first_error(*replies)));
    transferred_ = wanted;
    for (std::size_t i = 0; i < outcome.elements; ++i)
      if (is_error(*outcome.element[i])) ++sent.refused;
    sent.packets = 1;
    sent.bytes = commands.bytes().size();
    return sent;
  }

  /// What is in the hash already must not be added again.
  void take_over(ReportExporter& previous) override {
    auto* other = dynamic_cast<RedisExporter*>(&previous);
    if (other == nullptr || other->place_ != place_ || other->hash_ != hash_) return;
    marker_ = other->marker_;
    number_ = other->number_;
    transferred_ = other->transferred_;
    in_doubt_ = other->in_doubt_;
  }

 private:
  static Sent again(const Error& error) {
    Sent sent;
    sent.status = error;
    sent.retry_after = std::chrono::milliseconds(0);
    return sent;
  }

  static std::string first_error(const std::vector<RedisReply>& replies) {
    for (const RedisReply& reply : replies)
      if (is_error(*reply)) return std::string(text_of(*reply));
    return "without a reason";
  }

  /// Asks, where an answer was lost, whether that transfer has the number that the server knows.
  Status find_out_what_became_of_the_last() {
    if (!in_doubt_) return {};
    RedisCommands commands;
    commands.add({"GET", marker_});
    const auto replies = client_.run(commands);
    if (!replies) return replies.error();
    if (is_error(*replies->front())) return Error("Redis refuses a question: " + first_error(*replies));
    if (text_of(*replies->front()) == std::to_string(number_)) transferred_ = in_doubt_;
    in_doubt_.reset();
    return {};
  }

  [[nodiscard]] metrics::SnapshotPtr selected(const metrics::SnapshotPtr& snapshot) const {
    if (selection_.names.empty()) return snapshot;
    auto made = std::make_shared<metrics::Snapshot>();
    made->taken_at = snapshot->taken_at;
    for (const auto& family : snapshot->families)
      if (selection_.selects_family(family)) made->families.push_back(family);
    return made;
  }

  RedisClient client_;
  std::string place_;
  std::string hash_;
  std::string marker_;
  Selection selection_;
  std::chrono::seconds expiry_;
  std::uint64_t number_ = 0;  // of the last transfer
  metrics::SnapshotPtr transferred_;
  metrics::SnapshotPtr in_doubt_;
};

}  // namespace

std::uint64_t encode_redis(const metrics::Snapshot* before, const metrics::Snapshot& after, const std::string& hash,
                           RedisCommands& commands) {
  std::uint64_t refused = 0;
  for (const auto& family : after.families) {
    if (family.samples.empty()) continue;
    if (type_letter(family.type).empty() || family.descriptor->name.find(':') != std::string::npos) {
      refused += family.samples.size();
      continue;
    }
    FamilyCommands family_commands(family, before, hash, commands);
    family_commands.add_head();
    for (const auto& sample : family.samples) family_commands.add(sample);
    refused += family_commands.refused();
  }
  return refused;
}

std::unique_ptr<ReportExporter> make_redis_exporter(const config::Section& section,
                                                    const ExporterServices& /*services*/) {
  using std::chrono::seconds;
  const std::string hash = section.text("namespace", "connscope");
  if (hash.empty()) section.fail("namespace", "is empty; allowed: the name of a Redis hash");
  Selection selection{{}, section.texts("names")};
  const auto expiry = section.duration_or("never", "expire", seconds(0), seconds(1), std::chrono::hours(24 * 365));
  const auto expiry_seconds = std::chrono::ceil<seconds>(expiry.value_or(seconds(0)));
  return std::make_unique<RedisExporter>(RedisTarget::parse(section), hash, std::move(selection), expiry_seconds);
}

}  // namespace connscope::exporters
