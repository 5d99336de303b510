// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/recent_connections.h"

#include <algorithm>

namespace connscope::detail {

void RecentConnections::add(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (ring_.size() < capacity_) {
    ring_.push_back(connection);
  } else {
    ring_[total_ % capacity_] = connection;
  }
  ++total_;
}

std::vector<Connection> RecentConnections::latest(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(most, ring_.size());
  std::vector<Connection> connections;
  connections.reserve(count);
  for (std::size_t back = 1; back <= count; ++back) connections.push_back(ring_[(total_ - back) % capacity_]);
  return connections;
}

std::uint64_t RecentConnections::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace connscope::detail
