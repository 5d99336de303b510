// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/ring_reader.h"

#include <poll.h>

#include <cerrno>
#include <utility>

namespace connscope::probe {

Result<RingReader> RingReader::open(int map_fd, Take take, void* context) {
  RingReader reader(map_fd, take, context);
  if (auto mapped = reader.map(); !mapped) return mapped.error();
  reader.ring_.reset();
  return reader;
}

Status RingReader::map() {
  ring_.reset(ring_buffer__new(map_fd_, take_, context_, nullptr));
  if (!ring_) return Error::from_errno("ring buffer", errno);
  return {};
}

bool RingReader::has_records() const {
  pollfd ring{map_fd_, POLLIN, 0};
  return ::poll(&ring, 1, 0) > 0;
}

Status RingReader::consume() {
  if (map_fd_ < 0 || (!ring_ && !has_records())) return {};
  if (!ring_)
    if (auto mapped = map(); !mapped) return mapped;
  const int taken = ring_buffer__consume(ring_.get());
  if (!is_held_) ring_.reset();
  if (taken < 0 && taken != -EAGAIN) return Error::from_errno("ring buffer", -taken);
  return {};
}

void RingReader::hold(bool is_held) {
  is_held_ = is_held;
  if (!is_held) ring_.reset();
}

}  // namespace connscope::probe
