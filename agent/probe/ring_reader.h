// SPDX-License-Identifier: Apache-2.0
//
// RingReader: the records of a kernel's ring buffer. Its memory is there twice over in this process while it is mapped,
// so that a record that wraps is one piece; and most buffers are empty most of the time. So it is mapped when there are
// records to take, and unmapped behind them, unless it is held.
//
// Borrows the map's descriptor, which outlives it. One thread. Source: libbpf's ring_buffer__new, and the kernel's
// Documentation/bpf/ringbuf.rst.
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <memory>

#include "agent/base/result.h"

namespace connscope::probe {

class RingReader {
 public:
  /// Is told of each record. Negative: it wants no more in this call.
  using Take = int (*)(void* context, void* record, std::size_t size);

  RingReader() = default;
  /// Maps the buffer once, to see whether that can be done.
  static Result<RingReader> open(int map_fd, Take take, void* context);

  /// Readable (epoll) while there are records; -1 when it was not opened.
  [[nodiscard]] int fd() const { return map_fd_; }
  /// Takes the records that are there.
  Status consume();
  /// Keeps it mapped from now on, or not: for who expects many records at short intervals.
  void hold(bool is_held);

 private:
  struct Closer {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };
  RingReader(int map_fd, Take take, void* context) : map_fd_(map_fd), take_(take), context_(context) {}
  [[nodiscard]] bool has_records() const;
  Status map();

  int map_fd_ = -1;
  Take take_ = nullptr;
  void* context_ = nullptr;
  std::unique_ptr<ring_buffer, Closer> ring_;
  bool is_held_ = false;
};

}  // namespace connscope::probe
