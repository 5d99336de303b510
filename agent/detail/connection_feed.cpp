// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/connection_feed.h"

namespace connscope::detail {

ConnectionFeed::Subscription& ConnectionFeed::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  reset();
  feed_ = std::exchange(other.feed_, nullptr);
  number_ = other.number_;
  return *this;
}

void ConnectionFeed::Subscription::reset() {
  if (feed_ != nullptr) feed_->unsubscribe(number_);
  feed_ = nullptr;
}

ConnectionFeed::Subscription ConnectionFeed::subscribe(Kinds kinds, Listener listener) {
  Subscription subscription;
  subscription.feed_ = this;
  subscription.number_ = ++last_number_;
  const Kinds before = wanted();
  listeners_.push_back({subscription.number_, kinds, std::move(listener)});
  if (wanted() != before) tell_wanted();
  return subscription;
}

void ConnectionFeed::unsubscribe(std::uint64_t number) {
  const Kinds before = wanted();
  listeners_.remove_if([number](const Entry& entry) { return entry.number == number; });
  if (wanted() != before) tell_wanted();
}

Kinds ConnectionFeed::wanted() const {
  unsigned kinds = 0;
  for (const Entry& entry : listeners_) kinds |= entry.kinds;
  return static_cast<Kinds>(kinds);
}

void ConnectionFeed::publish(const Connection& connection) const {
  for (const Entry& entry : listeners_)
    if ((entry.kinds & connection.kinds) != 0) entry.listener(connection);
}

void ConnectionFeed::set_bounds(std::string_view process, Metric metric, const Bounds& bounds) {
  const auto [entry, is_new] = bounds_.try_emplace({std::string(process), metric}, bounds);
  if (!is_new && entry->second == bounds) return;
  entry->second = bounds;
  tell_bounds(entry->first.first, metric, &bounds);
}

void ConnectionFeed::clear_bounds(std::string_view process, Metric metric) {
  const std::pair<std::string, Metric> key{process, metric};
  if (bounds_.erase(key) != 0) tell_bounds(key.first, metric, nullptr);
}

Status ConnectionFeed::connect(ConnectionSource* source) {
  source_ = source;
  health_ = {};
  tell_wanted();
  for (const auto& [key, bounds] : bounds_) tell_bounds(key.first, key.second, &bounds);
  return health_;
}

void ConnectionFeed::drain() const {
  if (source_ != nullptr) source_->drain();
}

void ConnectionFeed::tell_wanted() {
  if (source_ != nullptr) health_ = source_->want(wanted());
}

void ConnectionFeed::tell_bounds(const std::string& process, Metric metric, const Bounds* bounds) {
  if (source_ == nullptr) return;
  if (auto bound = source_->bound(process, metric, bounds); !bound) health_ = bound;
}

}  // namespace connscope::detail
