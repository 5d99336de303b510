// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/snapshot_exchange.h"

#include <sys/eventfd.h>

#include <utility>

namespace connscope::runtime {

SnapshotExchange::SnapshotExchange() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

metrics::SnapshotPtr SnapshotExchange::fresh(std::chrono::milliseconds patience,
                                             const std::vector<std::string>& about) {
  std::unique_lock lock(mutex_);
  about_.insert(about.begin(), about.end());
  const std::uint64_t question = ++asked_;
  ::eventfd_write(wake_.get(), 1);
  published_.wait_for(lock, patience, [&] { return answered_ >= question; });
  return snapshot_;
}

metrics::SnapshotPtr SnapshotExchange::latest() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

SnapshotExchange::Round SnapshotExchange::begin() {
  eventfd_t waiting = 0;
  ::eventfd_read(wake_.get(), &waiting);
  const std::lock_guard lock(mutex_);
  return {asked_, std::exchange(about_, {})};
}

void SnapshotExchange::publish(metrics::SnapshotPtr snapshot, const Round& round) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
    answered_ = round.last;
  }
  published_.notify_all();
}

}  // namespace connscope::runtime
