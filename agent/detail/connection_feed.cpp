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
  if (wanted() != before) tell_source();
  return subscription;
}

void ConnectionFeed::unsubscribe(std::uint64_t number) {
  const Kinds before = wanted();
  listeners_.remove_if([number](const Entry& entry) { return entry.number == number; });
  if (wanted() != before) tell_source();
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
  tell_source();
}

void ConnectionFeed::clear_bounds(std::string_view process, Metric metric) {
  if (bounds_.erase({std::string(process), metric}) != 0) tell_source();
}

Status ConnectionFeed::connect(ConnectionSource* source) {
  source_ = source;
  tell_source();
  return health_;
}

void ConnectionFeed::drain() const {
  if (source_ != nullptr) source_->drain();
}

void ConnectionFeed::tell_source() { health_ = source_ != nullptr ? source_->want(wanted(), bounds_) : Status(); }

}  // namespace connscope::detail
