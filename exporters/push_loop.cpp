// SPDX-License-Identifier: Apache-2.0
#include "exporters/push_loop.h"

#include <linux/capability.h>

#include <algorithm>
#include <utility>

#include "agent/base/thread_rights.h"

namespace connscope::exporters {

PushLoop::PushLoop(std::unique_ptr<ReportExporter> exporter, std::shared_ptr<PushCounts> counts,
                   std::size_t max_reports)
    : exporter_(std::move(exporter)),
      counts_(std::move(counts)),
      max_reports_(max_reports),
      thread_([this] { run(); }) {}

PushLoop::~PushLoop() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_finishing_, true)) deadline_ = {};
  }
  changed_.notify_one();
  wait();
}

void PushLoop::wait() {
  if (thread_.joinable()) thread_.join();
}

std::uint64_t PushLoop::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void PushLoop::replace(std::unique_ptr<ReportExporter> exporter) {
  {
    const std::lock_guard lock(mutex_);
    replacement_ = std::move(exporter);
    tries_ = 0;
  }
  changed_.notify_one();
}

void PushLoop::push(metrics::ReportPtr report) {
  {
    const std::lock_guard lock(mutex_);
    make_room(report->size());
    metrics_in_queue_ += report->size();
    queue_.push_back(std::move(report));
    ++counts_->queued;
  }
  changed_.notify_one();
}

void PushLoop::make_room(std::size_t metrics) {
  while (!queue_.empty() && (queue_.size() >= max_reports_ || metrics_in_queue_ + metrics > kMaxMetrics)) drop_oldest();
}

/// The next one, if it was tried before, is another now.
void PushLoop::drop_oldest() {
  metrics_in_queue_ -= queue_.front()->size();
  queue_.pop_front();
  --counts_->queued;
  count_dropped();
}

void PushLoop::count_dropped() {
  ++counts_->dropped;
  ++lost_;
}

void PushLoop::finish(std::chrono::steady_clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    is_finishing_ = true;
    deadline_ = deadline;
  }
  changed_.notify_one();
}

std::string PushLoop::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void PushLoop::run() {
  (void)give_up_capability(CAP_NET_ADMIN);  // which is for the start of probes
  for (;;) {
    if (metrics::ReportPtr report = next()) {
      send(std::move(report));
    } else if (kept_ != 0) {
      forward();
    } else {
      break;
    }
  }
  finished_ = true;
}

/// What is to be sent, or kept, next; nothing when it is the turn of what is kept, or the end.
metrics::ReportPtr PushLoop::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !queue_.empty() || kept_ != 0 || is_finishing_; });
  const auto may_go_on = [this] { return is_finishing_ || replacement_ || (kept_ != 0 && !queue_.empty()); };
  if (tries_ != 0) changed_.wait_until(lock, next_try_, may_go_on);
  if (is_finishing_ && std::chrono::steady_clock::now() >= deadline_) {
    while (!queue_.empty()) drop_oldest();
    count_kept(0);
  }
  if (replacement_) use(std::move(replacement_));
  if (queue_.empty()) return nullptr;
  metrics::ReportPtr report = std::move(queue_.front());
  queue_.pop_front();
  metrics_in_queue_ -= report->size();
  --counts_->queued;
  return report;
}

void PushLoop::use(std::unique_ptr<ReportExporter> exporter) {
  exporter->take_over(*exporter_);
  exporter_ = std::move(exporter);
  KeptReports* kept = exporter_->kept();
  count_kept(kept == nullptr ? 0 : kept->size());
}

void PushLoop::count_kept(std::uint64_t kept) { counts_->queued += kept - std::exchange(kept_, kept); }

void PushLoop::count(const Sent& sent) {
  counts_->packets += sent.packets;
  counts_->bytes += sent.bytes;
  counts_->refused += sent.refused;
  counts_->reports += sent.finished;
  counts_->dropped += sent.dropped;
  if (!sent.status) ++counts_->failures;
}

void PushLoop::send(metrics::ReportPtr report) {
  const Sent sent = exporter_->send(*report);
  count(sent);
  KeptReports* kept = exporter_->kept();
  if (kept != nullptr) count_kept(kept->size());
  if (kept == nullptr && sent.status) ++counts_->reports;
  const std::lock_guard lock(mutex_);
  // That a report could be kept says nothing of the receiver.
  if (kept != nullptr && sent.status) return;
  problem_ = sent.status ? "" : sent.status.error().message();
  if (kept != nullptr) return;
  if (sent.status || !sent.retry_after) {
    tries_ = 0;
    if (!sent.status) ++lost_;
    return;
  }
  pause(*sent.retry_after);
  put_back(std::move(report));
}

void PushLoop::forward() {
  KeptReports& kept = *exporter_->kept();
  const Sent sent = kept.forward();
  count(sent);
  count_kept(kept.size());
  const std::lock_guard lock(mutex_);
  problem_ = sent.status ? "" : sent.status.error().message();
  if (sent.retry_after) {
    pause(*sent.retry_after);
  } else {
    tries_ = 0;
  }
}

/// At the end there is no time for pauses: one more try, and then the rest is dropped.
void PushLoop::pause(std::chrono::milliseconds retry_after) {
  if (is_finishing_ && tries_ != 0) deadline_ = {};
  const auto pause = std::min(kFirstPause * (1U << std::min(tries_, 10U)), kLongestPause);
  next_try_ = std::chrono::steady_clock::now() + std::max(pause, retry_after);
  ++tries_;
}

void PushLoop::put_back(metrics::ReportPtr report) {
  if (queue_.size() >= max_reports_ || (!queue_.empty() && metrics_in_queue_ + report->size() > kMaxMetrics)) {
    count_dropped();
    return;
  }
  metrics_in_queue_ += report->size();
  queue_.push_front(std::move(report));
  ++counts_->queued;
}

}  // namespace connscope::exporters
