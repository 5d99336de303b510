// SPDX-License-Identifier: Apache-2.0
//
// SnapshotExchange: the one place where the collecting thread and the readers meet. Readers ask for a snapshot that is
// newer than their question and wait for it; all who ask while a collect runs are served by the next one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "agent/base/unique_fd.h"
#include "agent/metrics/snapshot.h"

namespace connscope::runtime {

class SnapshotExchange {
 public:
  SnapshotExchange();

  // Readers: any thread.
  /// A snapshot of a collect that began after this call; the last one there is when `patience` runs out first, which is
  /// nullptr before the first collect.
  [[nodiscard]] metrics::SnapshotPtr fresh(std::chrono::milliseconds patience);
  [[nodiscard]] metrics::SnapshotPtr latest() const;

  // The collecting thread.
  /// Readable when somebody waits for a snapshot.
  [[nodiscard]] int wake_fd() const { return wake_.get(); }
  /// Called before a collect: which questions it answers.
  [[nodiscard]] std::uint64_t begin();
  void publish(metrics::SnapshotPtr snapshot, std::uint64_t answers);

 private:
  UniqueFd wake_;
  mutable std::mutex mutex_;
  std::condition_variable published_;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  metrics::SnapshotPtr snapshot_;
};

}  // namespace connscope::runtime
