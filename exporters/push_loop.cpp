// SPDX-License-Identifier: Apache-2.0
#include "exporters/push_loop.h"

#include <utility>

namespace connscope::exporters {

PushLoop::PushLoop(std::unique_ptr<ReportExporter> exporter, std::shared_ptr<PushCounts> counts)
    : exporter_(std::move(exporter)), counts_(std::move(counts)), thread_([this] { run(); }) {}

PushLoop::~PushLoop() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_finishing_, true)) deadline_ = {};
  }
  changed_.notify_one();
  thread_.join();
}

void PushLoop::replace(std::unique_ptr<ReportExporter> exporter) {
  const std::lock_guard lock(mutex_);
  replacement_ = std::move(exporter);
}

void PushLoop::push(metrics::ReportPtr report) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t more = report->metrics.size();
    while (!queue_.empty() && (queue_.size() >= kMaxReports || metrics_in_queue_ + more > kMaxMetrics)) drop_oldest();
    metrics_in_queue_ += more;
    queue_.push_back(std::move(report));
    ++counts_->queued;
  }
  changed_.notify_one();
}

void PushLoop::drop_oldest() {
  metrics_in_queue_ -= queue_.front()->metrics.size();
  queue_.pop_front();
  --counts_->queued;
  ++counts_->dropped;
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
  while (const metrics::ReportPtr report = next()) send(*report);
  finished_ = true;
}

metrics::ReportPtr PushLoop::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !queue_.empty() || is_finishing_; });
  if (is_finishing_ && std::chrono::steady_clock::now() >= deadline_)
    while (!queue_.empty()) drop_oldest();
  if (replacement_) exporter_ = std::move(replacement_);
  if (queue_.empty()) return nullptr;
  metrics::ReportPtr report = std::move(queue_.front());
  queue_.pop_front();
  metrics_in_queue_ -= report->metrics.size();
  --counts_->queued;
  return report;
}

void PushLoop::send(const metrics::Report& report) {
  const Sent sent = exporter_->send(report);
  counts_->packets += sent.packets;
  counts_->bytes += sent.bytes;
  counts_->refused += sent.refused;
  ++(sent.status ? counts_->reports : counts_->failures);
  const std::lock_guard lock(mutex_);
  problem_ = sent.status ? "" : sent.status.error().message();
}

}  // namespace connscope::exporters
