// SPDX-License-Identifier: Apache-2.0
//
// RecentConnections: the last connections that were told of, as many as it was made for; older ones fall out. The
// collecting thread adds, any thread reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "agent/detail/connection.h"

namespace connscope::detail {

class RecentConnections {
 public:
  /// `capacity` > 0.
  explicit RecentConnections(std::size_t capacity) : capacity_(capacity) {}

  void add(const Connection& connection);
  /// The newest first, at most `most`.
  [[nodiscard]] std::vector<Connection> latest(std::size_t most) const;
  /// How many were ever added.
  [[nodiscard]] std::uint64_t total() const;

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<Connection> ring_;  // grows up to the capacity; then each takes the place, and the memory, of the oldest
  std::uint64_t total_ = 0;
};

}  // namespace connscope::detail
