// SPDX-License-Identifier: Apache-2.0
//
// ConnectionFeed: hands each Connection that the kernel tells of to those who have subscribed to its kind. It knows
// whether anybody listens, and to what: otherwise the kernel sends nothing. It keeps the bounds of outliers too.
//
// Owned by the runtime, lent to the probes (which connect the source) and to who subscribes; outlives them all. The
// collecting thread only: a reader of another thread subscribes a RecentConnections.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/result.h"
#include "agent/detail/connection.h"
#include "agent/detail/outlier_bounds.h"

namespace connscope::detail {

/// Where connections come from: the probe that owns the kernel's ring buffer.
class ConnectionSource {
 public:
  virtual ~ConnectionSource() = default;

  /// From now on connections of these kinds are wanted; 0: nobody listens.
  virtual Status want(Kinds kinds) = 0;
  /// The bounds of that process and metric are others now; nullptr: there are none any more.
  virtual Status bound(const std::string& process, Metric metric, const Bounds* bounds) = 0;
  /// Readable (epoll) while there is something to read.
  [[nodiscard]] virtual int fd() const = 0;
  /// Publishes what has come, as much as one turn of the event loop may take; the rest leaves fd() readable.
  virtual void drain() = 0;
};

class ConnectionFeed final : public OutlierBounds {
 public:
  /// Must be quick, and may not subscribe or unsubscribe.
  using Listener = std::function<void(const Connection&)>;

  /// Ends the subscription when it is destroyed.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { reset(); }
    void reset();

   private:
    friend class ConnectionFeed;
    ConnectionFeed* feed_ = nullptr;
    std::uint64_t number_ = 0;
  };

  ConnectionFeed() = default;
  ConnectionFeed(const ConnectionFeed&) = delete;
  ConnectionFeed& operator=(const ConnectionFeed&) = delete;
  ~ConnectionFeed() override = default;

  /// From now on `listener` is told of connections of any of `kinds`.
  [[nodiscard]] Subscription subscribe(Kinds kinds, Listener listener);
  /// What anybody listens to.
  [[nodiscard]] Kinds wanted() const;
  /// By the source. Those who do not listen to its kind are not told.
  void publish(const Connection& connection) const;

  void set_bounds(std::string_view process, Metric metric, const Bounds& bounds) override;
  void clear_bounds(std::string_view process, Metric metric) override;

  /// The source is told at once of all that is wanted. One that is destroyed before the feed connects nullptr first.
  Status connect(ConnectionSource* source);
  /// -1: there is no source, so nothing will ever come.
  [[nodiscard]] int fd() const { return source_ != nullptr ? source_->fd() : -1; }
  void drain() const;
  /// How the source has taken the last change of what is wanted.
  [[nodiscard]] const Status& health() const { return health_; }

 private:
  struct Entry {
    std::uint64_t number;
    Kinds kinds;
    Listener listener;
  };
  void unsubscribe(std::uint64_t number);
  void tell_wanted();
  void tell_bounds(const std::string& process, Metric metric, const Bounds* bounds);

  std::list<Entry> listeners_;
  std::map<std::pair<std::string, Metric>, Bounds> bounds_;
  ConnectionSource* source_ = nullptr;
  Status health_;
  std::uint64_t last_number_ = 0;
};

}  // namespace connscope::detail
