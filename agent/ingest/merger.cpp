// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/merger.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "agent/ingest/buckets.h"

namespace connscope::ingest {
namespace {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Histogram;

constexpr const char* kProcessLabel = "process";
constexpr const char* kUnknownProcess = "unknown";
constexpr const char* kUdpProcess = "udp";

void add(Counter& counter, const CounterDelta& delta) {
  counter.add(delta.whole);
  if (delta.part > 0) (void)counter.add(delta.part);
}

void add(Gauge& gauge, const GaugeDelta& delta) {
  gauge.set(delta.is_set ? delta.value : metrics::as_double(gauge.value().value) + delta.value);
}

void add(Gauge& gauge, const SetDelta& delta) { gauge.set(std::uint64_t{delta.hashes.size()}); }

void add(Histogram& histogram, const HistogramDelta& delta) {
  histogram.add(0, 0, delta.sum);
  for (std::size_t bucket = 0; bucket < delta.counts.size(); ++bucket) histogram.add(bucket, delta.counts[bucket], 0);
}

/// The pairs that a family's type allows are the only ones there are.
template <class S, class D>
concept Takes = requires(S& series, const D& delta) {
  add(series, delta);
};

template <class Series>
void add_any(const Series& series, const Delta& delta) {
  std::visit(
      [](auto* to, const auto& what) {
        if constexpr (Takes<std::remove_pointer_t<decltype(to)>, std::decay_t<decltype(what)>>) add(*to, what);
      },
      series, delta);
}

std::vector<std::string> values_of(const SeriesKey& key, const std::string& process,
                                   const std::vector<std::string>& names) {
  std::vector<std::string> values;
  values.reserve(names.size());
  for (const std::string& name : names) {
    const auto label =
        std::find_if(key.labels.begin(), key.labels.end(), [&](const auto& l) { return l.first == name; });
    if (name == kProcessLabel) {
      values.push_back(process);
    } else {
      values.push_back(label == key.labels.end() ? "" : label->second);
    }
  }
  return values;
}

metrics::FamilyDescriptor describe(const SeriesKey& key) {
  metrics::FamilyDescriptor descriptor;
  descriptor.name = key.family;
  descriptor.help = std::string("Of applications: the ") + to_string(key.kind) + " " + key.sent_name + ".";
  descriptor.unit = key.unit;
  descriptor.label_names.emplace_back(kProcessLabel);
  for (const auto& [name, value] : key.labels) descriptor.label_names.push_back(name);
  descriptor.fold_label = kProcessLabel;
  descriptor.id = key.id;
  return descriptor;
}

/// Gives the family the labels of `key` that it lacks.
Status widen(metrics::FamilyBase& family, const SeriesKey& key) {
  for (const auto& [name, value] : key.labels) {
    const auto& names = family.descriptor().label_names;
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (names.size() >= Merger::kMaxLabels)
      return Error(family.descriptor().name + " has " + std::to_string(names.size()) + " labels already");
    if (auto added = family.add_label(name); !added) return added;
  }
  return {};
}

}  // namespace

void Merger::apply(Taken& taken, Time now) {
  forget_labels_of_old_rules();
  for (const Taken::Update& update : taken.updates) {
    const Found found = shown_for(update.key, now);
    if (found) {
      (*found)->last_use = update.lines > 0 ? now : (*found)->last_use;
      add_any((*found)->series, update.delta);
      continue;
    }
    const std::size_t reason = index(found.error().reason);
    if (taken.refused[reason] == 0)
      taken.examples[reason] = {update.key->sent_name, update.key->sender, found.error().detail};
    taken.refused[reason] += update.lines;
  }
  for (const SeriesKeyPtr& key : taken.gone) targets_.erase(key.get());
  forget_idle(now);
}

/// What was shown under old names stays as it is, and idles.
void Merger::forget_labels_of_old_rules() {
  std::erase_if(labels_, [](const auto& entry) { return entry.first.use_count() == 1; });
  if (generation_ == identities_.generation()) return;
  generation_ = identities_.generation();
  labels_.clear();
  targets_.clear();
}

const identity::ProcessLabel& Merger::label_of(const SenderPtr& sender) {
  const auto known = labels_.find(sender);
  return known != labels_.end() ? known->second : labels_.emplace(sender, find_label(*sender)).first->second;
}

identity::ProcessLabel Merger::find_label(const Sender& sender) {
  if (sender.origin == Sender::Origin::kUdp) return {kUdpProcess, true, 0};
  // Of one that has ended rules would know the name at best; the kernel half may have seen all of it.
  const bool has_ended = sender.pid > 0 && sender.attributes.exe.empty();
  if (has_ended)
    if (auto label = identities_.label_of_process(static_cast<std::uint32_t>(sender.pid))) return *label;
  if (sender.origin == Sender::Origin::kProcess) return identities_.label_of(sender.attributes);
  return {kUnknownProcess, true, 0};
}

Merger::Found Merger::shown_for(const SeriesKeyPtr& key, Time now) {
  const auto known = targets_.find(key.get());
  if (known != targets_.end()) return known->second.shown;
  const identity::ProcessLabel& label = label_of(key->sender);
  if (!label.captured) return tl::unexpected(Refused{Refusal::kExcluded, label.prefix + " is excluded by a rule"});
  Found found = show(*key, label.prefix, now);
  if (found) targets_.emplace(key.get(), Target{key, *found});
  return found;
}

Merger::Found Merger::show(const SeriesKey& key, const std::string& process, Time now) {
  const auto in = [&](auto family) -> Found {
    if (!family) return tl::unexpected(Refused{Refusal::kTypeConflict, family.error().message()});
    return show_in(**family, key, process, now);
  };
  switch (key.kind) {
    case Kind::kCounter:
      return in(family_of<Counter>(key));
    case Kind::kGauge:
    case Kind::kSet:
      return in(family_of<Gauge>(key));
    case Kind::kTimer:
    case Kind::kHistogram:
    case Kind::kDistribution:
      break;
  }
  return in(family_of<Histogram>(key));
}

template <class S>
Result<Family<S>*> Merger::family_of(const SeriesKey& key) {
  metrics::FamilyDescriptor descriptor = describe(key);
  const auto known = families_.find(key.family);
  // Further labels do not change a family, nor does another way to write its name; another type or unit does.
  if (known != families_.end()) {
    descriptor.label_names = known->second->descriptor().label_names;
    descriptor.id = known->second->descriptor().id;
  }
  auto family = [&] {
    if constexpr (std::is_same_v<S, Histogram>) {
      return registry_.family<S>(std::move(descriptor), ready_buckets(key.unit));
    } else {
      return registry_.family<S>(std::move(descriptor));
    }
  }();
  if (family) families_.emplace(key.family, *family);
  return family;
}

template <class S>
Merger::Found Merger::show_in(Family<S>& family, const SeriesKey& key, const std::string& process, Time now) {
  if (auto wide = widen(family, key); !wide) return tl::unexpected(Refused{Refusal::kBadTag, wide.error().message()});
  auto values = values_of(key, process, family.descriptor().label_names);
  const auto series = family.with(values);
  if (!series) return tl::unexpected(Refused{Refusal::kBadTag, series.error().message()});
  const auto known = shown_.find(*series);
  if (known != shown_.end()) return known->second;
  if (shown_.size() >= limits_.series && family.remove(values))
    return tl::unexpected(Refused{Refusal::kSeriesLimit, "ingest.series is " + std::to_string(limits_.series)});
  auto shown = std::make_shared<Shown>(Shown{&family, std::move(values), *series, now});
  shown_.emplace(*series, shown);
  return shown;
}

void Merger::forget_idle(Time now) {
  std::erase_if(shown_, [&](const auto& entry) {
    const ShownPtr& shown = entry.second;
    if (shown.use_count() > 1 || now - shown->last_use < limits_.idle) return false;
    // Labels that its family got since are empty for it.
    shown->values.resize(shown->family->descriptor().label_names.size());
    return shown->family->remove(shown->values);  // a folded one is others' as well
  });
}

}  // namespace connscope::ingest
