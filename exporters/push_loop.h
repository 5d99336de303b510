// SPDX-License-Identifier: Apache-2.0
//
// PushLoop: one exporter with a thread of its own and a bounded queue, so that a receiver that is slow or down delays
// nobody: not a collect, and no other exporter. A report that could not be sent and may be sent again waits at the head
// of the queue, for longer each time. When the queue is full the oldest reports go, and are counted. An exporter that
// keeps reports itself gets them at once; what waits is then its own queue. push(), finish() and the destructor are of
// the thread that made it; the counts may be read from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/metrics/report.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// What has become of the reports for one exporter. Outlives the loops that serve it one after another.
struct PushCounts {
  std::atomic<std::uint64_t> reports{0};  ///< that were sent whole
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> failures{0};  ///< times that a report could not be sent
  std::atomic<std::uint64_t> dropped{0};   ///< reports that left a queue unsent
  std::atomic<std::uint64_t> refused{0};   ///< values that the format cannot say
  std::atomic<std::uint64_t> queued{0};    ///< reports that wait now, in either queue
};

class PushLoop {
 public:
  static constexpr std::size_t kMaxReports = 64;
  /// All reports in the queue together; one that has more by itself waits alone.
  static constexpr std::size_t kMaxMetrics = 50'000;
  /// Between two tries, doubled from the one to the other; a receiver may ask for more.
  static constexpr std::chrono::milliseconds kFirstPause{1000};
  static constexpr std::chrono::milliseconds kLongestPause{30'000};

  /// No more than `max_reports` wait.
  PushLoop(std::unique_ptr<ReportExporter> exporter, std::shared_ptr<PushCounts> counts,
           std::size_t max_reports = kMaxReports);
  PushLoop(const PushLoop&) = delete;
  PushLoop& operator=(const PushLoop&) = delete;
  /// Waits for finish() to be done; without it, drops what waits.
  ~PushLoop();

  /// From the next report on it is this one that sends. What waits stays in the queue.
  void replace(std::unique_ptr<ReportExporter> exporter);
  /// Never blocks.
  void push(metrics::ReportPtr report);
  /// No more reports come. Those in the queue are sent until `deadline`, then dropped; what an exporter keeps stays
  /// kept. Does not wait.
  void finish(std::chrono::steady_clock::time_point deadline);
  /// Waits for finish() to be done.
  void wait();
  /// Reports that will not arrive any more: dropped, or refused for good.
  [[nodiscard]] std::uint64_t lost() const;
  /// Whether the thread has nothing left to do after finish(), so that the destructor returns at once.
  [[nodiscard]] bool is_finished() const { return finished_; }
  /// Why the last report could not be sent; empty when it could.
  [[nodiscard]] std::string problem() const;

 private:
  void run();
  metrics::ReportPtr next();
  void use(std::unique_ptr<ReportExporter> exporter);
  void send(metrics::ReportPtr report);
  void forward();
  void count(const Sent& sent);
  void count_kept(std::uint64_t kept);
  void pause(std::chrono::milliseconds retry_after);
  void put_back(metrics::ReportPtr report);
  void make_room(std::size_t metrics);
  void drop_oldest();
  void count_dropped();

  std::unique_ptr<ReportExporter> exporter_;  // the push thread's
  std::unique_ptr<ReportExporter> replacement_;
  std::uint64_t kept_ = 0;  // by the exporter; the push thread's
  std::shared_ptr<PushCounts> counts_;
  std::size_t max_reports_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<metrics::ReportPtr> queue_;
  std::size_t metrics_in_queue_ = 0;
  unsigned tries_ = 0;  // that have failed, of the report at the head or of the oldest that is kept
  std::chrono::steady_clock::time_point next_try_;
  bool is_finishing_ = false;
  std::uint64_t lost_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  std::string problem_;
  std::atomic<bool> finished_{false};
  std::thread thread_;  // last: it uses all the others
};

}  // namespace connscope::exporters
