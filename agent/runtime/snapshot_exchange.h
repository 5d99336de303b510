// SPDX-License-Identifier: Apache-2.0
//
// SnapshotExchange: the one place where the collecting thread and the readers meet. Readers ask for a snapshot that is
// newer than their question and wait for it; all who ask while a collect runs are served by the next one. A question
// may name what it is about, so that the collect does no more than the questions need that it answers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/metrics/snapshot.h"

namespace connscope::runtime {

class SnapshotExchange {
 public:
  SnapshotExchange();

  /// The questions that one collect answers.
  struct Round {
    std::uint64_t last = 0;
    std::set<std::string> about;  ///< what any of them named
  };

  // Readers: any thread.
  /// A snapshot of a collect that began after this call; the last one there is when `patience` runs out first, which is
  /// nullptr before the first collect.
  [[nodiscard]] metrics::SnapshotPtr fresh(std::chrono::milliseconds patience,
                                           const std::vector<std::string>& about = {});
  [[nodiscard]] metrics::SnapshotPtr latest() const;

  // The collecting thread.
  /// Readable when somebody waits for a snapshot.
  [[nodiscard]] int wake_fd() const { return wake_.get(); }
  /// Called before a collect: which questions it answers.
  [[nodiscard]] Round begin();
  void publish(metrics::SnapshotPtr snapshot, const Round& round);

 private:
  UniqueFd wake_;
  mutable std::mutex mutex_;
  std::condition_variable published_;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::set<std::string> about_;  // what the questions since the last begin() named
  metrics::SnapshotPtr snapshot_;
};

}  // namespace connscope::runtime
