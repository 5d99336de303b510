// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/exemplars.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "agent/metrics/exemplar.h"

namespace connscope::runtime {
namespace {

constexpr std::string_view kFailuresId = "n.cn.failures";
constexpr double kNsPerSecond = 1e9;

/// The label `ip_family`; empty when the peer is not known.
std::string_view ip_family_of(std::string_view peer) {
  if (peer.empty()) return {};
  return peer.front() == '[' ? "ipv6" : "ipv4";
}

/// What of a sample an exemplar may be of, and whether anything was counted there.
struct Target {
  std::size_t bucket;
  bool is_used;
};

Target target_of(const metrics::CounterValue& counter) { return {0, metrics::as_double(counter.total) > 0}; }

Target target_of(const metrics::HistogramValue& histogram, double value) {
  const auto& bounds = histogram.layout->text_bounds();
  const std::size_t fine = histogram.layout->bucket_of(value);
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), fine);
  const std::size_t first = bound == bounds.begin() ? 0 : *(bound - 1) + 1;
  const std::size_t end = bound == bounds.end() ? histogram.counts.size() : *bound + 1;
  const auto counts = histogram.counts.begin();
  const bool is_used = std::any_of(counts + static_cast<std::ptrdiff_t>(first),
                                   counts + static_cast<std::ptrdiff_t>(end), [](auto count) { return count != 0; });
  return {static_cast<std::size_t>(bound - bounds.begin()), is_used};
}

std::optional<std::size_t> used_bucket_of(const metrics::Value& value, double exemplar) {
  Target target{0, false};
  if (const auto* counter = std::get_if<metrics::CounterValue>(&value)) target = target_of(*counter);
  if (const auto* histogram = std::get_if<metrics::HistogramValue>(&value)) target = target_of(*histogram, exemplar);
  return target.is_used ? std::optional(target.bucket) : std::nullopt;
}

}  // namespace

ExemplarSettings ExemplarSettings::parse(config::Section root) {
  const config::Section section = root.table("exemplars");
  return {section.flag("peers", false), section.flag("hosts", false)};
}

/// Puts exemplars at the samples of one family.
class Exemplars::Placing {
 public:
  explicit Placing(metrics::FamilySnapshot& family) : family_(family) {
    const auto& names = family.descriptor->label_names;
    const auto process = static_cast<std::size_t>(std::find(names.begin(), names.end(), "process") - names.begin());
    if (process == names.size()) return;
    for (std::size_t i = 0; i < family.samples.size(); ++i)
      by_process_.emplace((*family.samples[i].label_values)[process], i);
  }

  /// At the only sample that can have counted it; otherwise nowhere.
  void put(const Place& place, const std::shared_ptr<const metrics::Exemplar>& exemplar) {
    std::optional<metrics::PlacedExemplar> found;
    const auto [first, last] = by_process_.equal_range(place.process);
    for (auto candidate = first; candidate != last; ++candidate) {
      const metrics::Sample& sample = family_.samples[candidate->second];
      if (!may_be(place, sample)) continue;
      const auto bucket = used_bucket_of(sample.value, exemplar->value);
      if (!bucket) continue;
      if (found) return;
      found = {candidate->second, *bucket, exemplar};
    }
    if (found) family_.exemplars.push_back(std::move(*found));
  }

  /// Several octaves may share a bucket: the newest stays.
  void finish() {
    auto& all = family_.exemplars;
    const auto spot = [](const auto& placed) { return std::tie(placed.sample, placed.bucket); };
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return spot(a) != spot(b) ? spot(a) < spot(b) : a.exemplar->time > b.exemplar->time;
    });
    all.erase(std::unique(all.begin(), all.end(), [&](const auto& a, const auto& b) { return spot(a) == spot(b); }),
              all.end());
  }

 private:
  [[nodiscard]] bool may_be(const Place& place, const metrics::Sample& sample) const {
    const auto& names = family_.descriptor->label_names;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!may_have(place, names[i], (*sample.label_values)[i])) return false;
    return true;
  }

  /// Labels that a connection does not tell may have any value.
  static bool may_have(const Place& place, std::string_view label, std::string_view value) {
    if (label == "role") return value == place.role;
    if (label == "reason") return value == place.reason;
    if (label == "ip_family") return place.ip_family.empty() || value == place.ip_family;
    // A duration's stage is what an attempt has failed in.
    if (label == "stage") return value == place.stage || (place.family_id != kFailuresId && value.empty());
    if (label == "outcome") return place.reason.empty() ? value == "ok" : value == "fail" || value == place.reason;
    return true;
  }

  metrics::FamilySnapshot& family_;
  std::unordered_multimap<std::string_view, std::size_t> by_process_;
};

void Exemplars::apply(const ExemplarSettings& settings) {
  if (settings == settings_) return;
  settings_ = settings;
  kept_.clear();
  subscription_.reset();
  if (!settings.any()) return;
  subscription_ = feed_.subscribe(detail::kFailure | detail::kOutlier,
                                  [this](const detail::Connection& connection) { note(connection); });
}

void Exemplars::note(const detail::Connection& connection) {
  metrics::Exemplar exemplar{labels_of(connection), 1, connection.time};
  if (exemplar.labels.empty()) return;
  Place place{kFailuresId,
              connection.process,
              detail::name_of(connection.role),
              detail::name_of(connection.stage),
              connection.reason,
              ip_family_of(connection.peer)};
  if ((connection.kinds & detail::kFailure) != 0) keep(place, exemplar);
  place.family_id = detail::id_of(connection.metric);
  if (place.family_id.empty()) return;
  place.octave = static_cast<std::size_t>(std::bit_width(connection.duration_ns));
  exemplar.value = static_cast<double>(connection.duration_ns) / kNsPerSecond;
  keep(std::move(place), std::move(exemplar));
}

metrics::Labels Exemplars::labels_of(const detail::Connection& connection) const {
  metrics::Labels labels;
  if (settings_.peers) metrics::add_exemplar_label("peer", connection.peer, labels);
  if (connection.pid != 0) metrics::add_exemplar_label("pid", std::to_string(connection.pid), labels);
  if (settings_.hosts) metrics::add_exemplar_label("host", connection.host, labels);
  return labels;
}

void Exemplars::keep(Place place, metrics::Exemplar exemplar) {
  kept_[std::move(place)] = std::make_shared<const metrics::Exemplar>(std::move(exemplar));
  if (kept_.size() <= kMostKept) return;
  kept_.erase(std::min_element(kept_.begin(), kept_.end(),
                               [](const auto& a, const auto& b) { return a.second->time < b.second->time; }));
}

void Exemplars::attach(metrics::Snapshot& snapshot) {
  if (!settings_.any()) return;
  feed_.drain();  // of what this snapshot has counted, all that was told
  for (metrics::FamilySnapshot& family : snapshot.families) {
    const std::string_view id = family.descriptor->id;
    const auto first = kept_.lower_bound(Place{id, {}, {}, {}, {}, {}});
    if (first == kept_.end() || first->first.family_id != id) continue;
    Placing placing(family);
    for (auto kept = first; kept != kept_.end() && kept->first.family_id == id; ++kept)
      placing.put(kept->first, kept->second);
    placing.finish();
  }
}

}  // namespace connscope::runtime
