// SPDX-License-Identifier: Apache-2.0
//
// Intake: where the receiving thread and the collecting thread meet. The receiver holds the lock nearly all the time
// when much comes in, and mutexes are not fair: so it gives way as soon as the collecting thread asks.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>

#include "agent/identity/identity_source.h"
#include "agent/ingest/accumulator.h"

namespace connscope::ingest {

class Intake {
 public:
  explicit Intake(Limits limits) : accumulator_(limits) {}

  /// The receiving thread: `use(Accumulator&)` for one batch of packets.
  template <class Use>
  void with(Use&& use) {
    asked_.wait(true);
    const std::lock_guard lock(mutex_);
    std::forward<Use>(use)(accumulator_);
  }

  /// The collecting thread.
  [[nodiscard]] Taken take(Accumulator::Time now) {
    asked_ = true;
    const std::lock_guard lock(mutex_);
    asked_ = false;
    asked_.notify_one();
    return accumulator_.take(now);
  }

  /// The collecting thread: whether rules look at arguments, and a number that changes when all senders must be looked
  /// at anew.
  void set_rules(identity::CaptureWishes wishes, std::uint64_t generation) {
    {
      const std::lock_guard lock(wishes_mutex_);
      wishes_ = wishes;
    }
    generation_.store(generation, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  [[nodiscard]] identity::CaptureWishes wishes() const {
    const std::lock_guard lock(wishes_mutex_);
    return wishes_;
  }

 private:
  std::atomic<bool> asked_ = false;
  mutable std::mutex wishes_mutex_;  // never held for longer than a copy
  identity::CaptureWishes wishes_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::mutex mutex_;
  Accumulator accumulator_;
};

}  // namespace connscope::ingest
