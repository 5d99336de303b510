// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/accumulator.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "agent/ingest/buckets.h"

namespace connscope::ingest {
namespace {

// Of spellings for each series that may be; more are looked up the slow way.
constexpr std::size_t kSpellings = 4;
constexpr std::size_t kMaxExampleBytes = 200;
constexpr double kMillisecondsPerSecond = 1000;

void append_sender(std::string& key, const SenderPtr& sender) {
  const Sender* address = sender.get();  // the slots keep it from being another's
  key.append(reinterpret_cast<const char*>(&address), sizeof(address));
}

/// A line without looking into its parts: "name:values|form".
struct Parts {
  explicit Parts(std::string_view text) : form(text), values(take_until(form, '|')), name(take_until(values, ':')) {}

  std::string_view form;
  std::string_view values;
  std::string_view name;
};

std::string canonical(const SeriesKey& key) {
  std::string text;
  append_sender(text, key.sender);
  text.append(1, static_cast<char>(key.kind)).append(key.sent_name);
  for (const auto& [name, value] : key.labels) text.append(1, '|').append(name).append(1, ':').append(value);
  return text;
}

Delta make_delta(const SeriesKey& key) {
  switch (key.kind) {
    case Kind::kCounter:
      return CounterDelta{};
    case Kind::kGauge:
      return GaugeDelta{};
    case Kind::kSet:
      return SetDelta{};
    case Kind::kTimer:
    case Kind::kHistogram:
    case Kind::kDistribution:
      break;
  }
  return HistogramDelta(ready_buckets(key.unit));
}

}  // namespace

/// Each line is hashed; the standard library's takes four times as long.
std::size_t Accumulator::SpellingHash::operator()(const SpellingView& of) const {
  const auto form = XXH3_64bits_withSeed(of.form.data(), of.form.size(), reinterpret_cast<std::uintptr_t>(of.sender));
  return XXH3_64bits_withSeed(of.name.data(), of.name.size(), form);
}

/// Of a process that will not write again; there may be many such.
bool Accumulator::is_gone(const Slot& slot) { return slot.key->sender->origin == Sender::Origin::kGone; }

void Accumulator::count_packet(const SenderPtr& sender) {
  ++(sender->origin == Sender::Origin::kUdp ? taken_.packets_udp : taken_.packets_unix);
  const bool unknown = sender->origin == Sender::Origin::kGone || sender->origin == Sender::Origin::kUnknown;
  if (unknown) ++taken_.packets_unknown;
}

void Accumulator::add_packet(const SenderPtr& sender, std::string_view packet) {
  count_packet(sender);
  while (!packet.empty()) {
    const std::string_view line = take_until(packet, '\n');
    if (!line.empty()) add_line(sender, line);
  }
}

void Accumulator::refuse_packet(const SenderPtr& sender, Refusal reason) {
  count_packet(sender);
  ++taken_.lines;
  refuse(reason, "", sender);
}

void Accumulator::add_line(const SenderPtr& sender, std::string_view text) {
  ++taken_.lines;
  const Parts parts(text);
  const auto known = spellings_.find(SpellingView{sender.get(), parts.name, parts.form});
  const auto refused = known != spellings_.end() ? add(known->second, parts.values) : add_unknown(sender, text);
  if (refused) refuse(*refused, text, sender);
}

void Accumulator::refuse(Refusal reason, std::string_view text, const SenderPtr& sender) {
  if (taken_.refused[index(reason)]++ == 0)
    taken_.examples[index(reason)] = {std::string(text.substr(0, kMaxExampleBytes)), sender};
}

std::optional<Refusal> Accumulator::add_unknown(const SenderPtr& sender, std::string_view text) {
  Line line;
  if (auto refused = parse_line(text, line)) return refused;
  // A line with a wrong value makes no series.
  if (line.kind != Kind::kSet)
    if (auto refused = read_values(line.kind, line.values)) return refused;
  Refusal refused{};
  Slot* slot = find_or_make(sender, line, refused);
  if (slot == nullptr) return refused;
  const Form form{slot, line.kind, line.rate};
  if (spellings_.size() < limits_.series * kSpellings)
    spellings_.emplace(Spelling{sender.get(), std::string(line.name), std::string(Parts(text).form)}, form);
  return add(form, line.values);
}

/// All values are read first, so that a line with a wrong one adds nothing.
std::optional<Refusal> Accumulator::add(const Form& form, std::string_view values) {
  if (values.empty()) return Refusal::kMalformed;
  if (const auto number = parse_short(values); number && form.kind != Kind::kSet) {
    add_number(form, {*number, false});
  } else if (auto* set = std::get_if<SetDelta>(&form.slot->delta)) {
    if (auto refused = add_to_set(*set, values)) return refused;
  } else {
    if (auto refused = read_values(form.kind, values)) return refused;
    for (const Value& value : values_) add_number(form, value);
  }
  ++form.slot->lines;
  return std::nullopt;
}

std::optional<Refusal> Accumulator::read_values(Kind kind, std::string_view values) {
  values_.clear();
  do {
    const auto value = parse_value(take_until(values, ':'));
    if (!value) return Refusal::kBadValue;
    if (kind == Kind::kCounter && value->number < 0) return Refusal::kNegativeCounter;
    values_.push_back(*value);
  } while (!values.empty());
  return std::nullopt;
}

void Accumulator::add_number(const Form& form, const Value& value) {
  if (auto* counter = std::get_if<CounterDelta>(&form.slot->delta)) {
    counter->add(form.rate == 1 ? value.number : value.number / form.rate);
  } else if (auto* gauge = std::get_if<GaugeDelta>(&form.slot->delta)) {
    value.is_signed ? gauge->add(value.number, ++order_) : gauge->set(value.number, ++order_);
  } else if (auto* histogram = std::get_if<HistogramDelta>(&form.slot->delta)) {
    const double unit = form.kind == Kind::kTimer ? kMillisecondsPerSecond : 1;
    histogram->observe(value.number / unit, form.rate);
  }
}

std::optional<Refusal> Accumulator::add_to_set(SetDelta& set, std::string_view values) {
  while (!values.empty()) {
    const std::uint64_t hash = std::hash<std::string_view>()(take_until(values, ':'));
    if (set.hashes.count(hash) != 0) continue;
    if (set_values_ >= limits_.set_values) return Refusal::kSetFull;
    set.hashes.insert(hash);
    ++set_values_;
  }
  return std::nullopt;
}

Accumulator::Slot* Accumulator::find_or_make(const SenderPtr& sender, const Line& line, Refusal& refused) {
  auto key = std::make_shared<SeriesKey>();
  key->sender = sender;
  if (auto reason = make_series_key(line, *key)) {
    refused = *reason;
    return nullptr;
  }
  std::string text = canonical(*key);
  if (const auto known = slots_.find(text); known != slots_.end()) return &known->second;
  if (auto reason = check_limits(*key)) {
    refused = *reason;
    return nullptr;
  }
  Share& share = shares_[sender.get()];
  ++share.series;
  auto& [sent_name, uses] = share.names[key->family];
  sent_name = key->sent_name;
  ++uses;
  Delta delta = make_delta(*key);
  return &slots_.emplace(std::move(text), Slot{std::move(key), std::move(delta), 0, {}}).first->second;
}

std::optional<Refusal> Accumulator::check_limits(const SeriesKey& key) {
  if (slots_.size() >= limits_.series) return Refusal::kSeriesLimit;
  const auto share = shares_.find(key.sender.get());
  if (share == shares_.end()) return std::nullopt;
  const auto name = share->second.names.find(key.family);
  if (name != share->second.names.end() && name->second.first != key.sent_name) return Refusal::kNameConflict;
  return share->second.series >= limits_.process_series ? std::optional(Refusal::kProcessSeriesLimit) : std::nullopt;
}

Taken Accumulator::take(Time now) {
  if (period_start_ == Time{}) period_start_ = now;
  const bool period_ends = now - period_start_ >= limits_.set_period;
  Taken taken = std::exchange(taken_, Taken{});
  for (auto& [text, slot] : slots_) take_slot(slot, now, period_ends, taken);
  if (period_ends) {
    period_start_ = now;
    set_values_ = 0;
  }
  give_up_idle(now, taken);
  const auto order_of = [](const Taken::Update& update) {
    const auto* gauge = std::get_if<GaugeDelta>(&update.delta);
    return gauge != nullptr ? gauge->order : 0;
  };
  std::sort(taken.updates.begin(), taken.updates.end(),
            [&](const Taken::Update& a, const Taken::Update& b) { return order_of(a) < order_of(b); });
  taken.series = slots_.size();
  taken.senders = shares_.size();
  return taken;
}

void Accumulator::take_slot(Slot& slot, Time now, bool period_ends, Taken& taken) {
  if (slot.last_use == Time{} || slot.lines > 0) slot.last_use = now;
  const bool is_set = std::holds_alternative<SetDelta>(slot.delta);
  if (is_set ? !period_ends && !is_gone(slot) : slot.lines == 0) return;
  Delta next = make_delta(*slot.key);
  if (auto* histogram = std::get_if<HistogramDelta>(&next))
    histogram->carry = std::get<HistogramDelta>(slot.delta).carry;
  taken.updates.push_back({slot.key, std::exchange(slot.lines, 0), std::exchange(slot.delta, std::move(next))});
}

void Accumulator::give_up_idle(Time now, Taken& taken) {
  bool gave_up = false;
  for (auto at = slots_.begin(); at != slots_.end();) {
    if (now - at->second.last_use < limits_.idle && !is_gone(at->second)) {
      ++at;
      continue;
    }
    gave_up = true;
    give_up(*at->second.key);
    taken.gone.push_back(std::move(at->second.key));
    at = slots_.erase(at);
  }
  if (gave_up) spellings_.clear();  // they point to slots; those in use are back with the next line
}

void Accumulator::give_up(const SeriesKey& key) {
  const auto share = shares_.find(key.sender.get());
  const auto name = share->second.names.find(key.family);
  if (--name->second.second == 0) share->second.names.erase(name);
  if (--share->second.series == 0) shares_.erase(share);
}

}  // namespace connscope::ingest
