// SPDX-License-Identifier: Apache-2.0
#include "agent/host/mount_reader.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace connscope::host {

/// What a thread shares with the reader. A batch is the paths from `next` on that are not skipped.
struct MountReader::Worker {
  std::mutex mutex;
  std::condition_variable changed;
  Paths paths;  // null between batches
  std::vector<bool> skipped;
  std::vector<MountSpace> results;  // of the whole batch
  std::size_t next = 0;             // the path that is being read
  bool is_done = false;             // with the batch
  bool is_dismissed = false;        // the thread ends when it can
  bool has_ended = false;

  void run(const Call& call);
  void read_batch(const Call& call, std::unique_lock<std::mutex>& lock);
};

void MountReader::Worker::run(const Call& call) {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return is_dismissed || (paths && !is_done); });
    if (!is_dismissed) read_batch(call, lock);
    if (is_dismissed) break;
    is_done = true;
    changed.notify_all();
  }
  has_ended = true;
}

void MountReader::Worker::read_batch(const Call& call, std::unique_lock<std::mutex>& lock) {
  const Paths batch = paths;
  for (; next < batch->size() && !is_dismissed; ++next) {
    if (skipped[next]) continue;
    MountSpace space;
    const char* path = (*batch)[next].c_str();
    lock.unlock();
    if (call(path, &space.values) != 0) space.error = errno;
    lock.lock();
    results[next] = space;
  }
}

MountReader::MountReader(Call call, std::chrono::milliseconds limit) : call_(std::move(call)), limit_(limit) {}

MountReader::~MountReader() {
  if (worker_) hung_.emplace("", std::move(worker_));
  for (const auto& [path, worker] : hung_) {
    const std::lock_guard lock(worker->mutex);
    worker->is_dismissed = true;
    worker->changed.notify_all();
  }
}

const std::vector<MountSpace>& MountReader::read(const Paths& paths) {
  forget_returned();
  spaces_.assign(paths->size(), MountSpace{{}, ETIMEDOUT});
  const std::vector<bool> skipped = hung_among(*paths);
  std::size_t first = 0;
  for (std::size_t found = 0; found < kNewlyHung && first < paths->size() && hung_.size() < kHung; ++found) {
    first = read_from(first, paths, skipped);
    if (first == paths->size()) break;
    ++timeouts_;
    hung_.emplace((*paths)[first], std::move(worker_));
    ++first;
  }
  return spaces_;
}

void MountReader::forget_returned() {
  for (auto hung = hung_.begin(); hung != hung_.end();) {
    std::unique_lock lock(hung->second->mutex);
    const bool has_ended = hung->second->has_ended;
    lock.unlock();
    hung = has_ended ? hung_.erase(hung) : std::next(hung);
  }
}

std::vector<bool> MountReader::hung_among(const std::vector<std::string>& paths) const {
  std::vector<bool> skipped(paths.size());
  if (hung_.empty()) return skipped;
  for (std::size_t i = 0; i < paths.size(); ++i) skipped[i] = hung_.count(paths[i]) != 0;
  return skipped;
}

std::size_t MountReader::read_from(std::size_t first, const Paths& paths, const std::vector<bool>& skipped) {
  if (!worker_) {
    worker_ = std::make_shared<Worker>();
    std::thread([worker = worker_, call = call_] { worker->run(call); }).detach();
  }
  std::unique_lock lock(worker_->mutex);
  worker_->paths = paths;
  worker_->skipped = skipped;
  worker_->results.assign(paths->size(), MountSpace{{}, ETIMEDOUT});
  worker_->next = first;
  worker_->is_done = false;
  worker_->changed.notify_all();
  for (std::size_t before = first; !worker_->is_done; before = worker_->next) {
    worker_->changed.wait_for(lock, limit_, [this] { return worker_->is_done; });
    // It has hung for a limit at least; two when it began just after we looked.
    if (!worker_->is_done && worker_->next == before) break;
  }
  worker_->is_dismissed = !worker_->is_done;
  const std::size_t reached = worker_->is_done ? paths->size() : worker_->next;
  std::copy(worker_->results.begin() + static_cast<std::ptrdiff_t>(first),
            worker_->results.begin() + static_cast<std::ptrdiff_t>(reached),
            spaces_.begin() + static_cast<std::ptrdiff_t>(first));
  return reached;
}

}  // namespace connscope::host
