// SPDX-License-Identifier: Apache-2.0
//
// Reading of hash maps, per CPU or not, by batches (BPF_MAP_LOOKUP_BATCH, since Linux 5.6): a few system calls for tens
// of thousands of cells. Entries are read, never deleted: programs may be writing them. Values must consist of u64
// counters alone, which are added up over the CPUs.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

/// The sum over the CPUs of a value made of u64 counters.
template <class Value>
[[nodiscard]] Value sum_over_cpus(const Value* per_cpu, std::size_t cpus) {
  static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) % sizeof(std::uint64_t) == 0);
  using Counters = std::array<std::uint64_t, sizeof(Value) / sizeof(std::uint64_t)>;
  Counters total{};
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    Counters part;
    std::memcpy(&part, per_cpu + cpu, sizeof(part));
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += part[i];
  }
  Value sum;
  std::memcpy(&sum, &total, sizeof(sum));
  return sum;
}

/// One per-CPU map's reader. Keeps its buffers between reads; one thread.
template <class Key, class Value>
class MapDrain {
 public:
  MapDrain() : MapDrain(static_cast<std::size_t>(std::max(1, libbpf_num_possible_cpus()))) {}
  /// `cpus` = 1: of a map that is not per CPU.
  explicit MapDrain(std::size_t cpus) : cpus_(cpus) {}

  /// Calls `visit(const Key&, const Value& sum)` for each entry. The descriptor is only borrowed.
  template <class Visit>
  Status read(int map_fd, Visit&& visit) {
    if (batch_ == 0) resize(first_batch());
    std::array<std::uint64_t, 8> position{};  // opaque to us; the kernel wants a key's size at most
    static_assert(sizeof(Key) <= sizeof(position));
    entries_ = 0;
    for (bool first = true;; first = false) {
      auto count = static_cast<std::uint32_t>(batch_);
      const int error = bpf_map_lookup_batch(map_fd, first ? nullptr : position.data(), position.data(), keys_.get(),
                                             values_.get(), &count, nullptr);
      if (error == -ENOSPC) {  // one bucket of the map holds more than our batch; nothing was copied, position stays
        resize(batch_ * 2);
        if (first) return read(map_fd, std::forward<Visit>(visit));
        continue;
      }
      if (error != 0 && error != -ENOENT) return Error::from_errno("batch look-up", -error);
      for (std::size_t i = 0; i < count; ++i) visit(keys_[i], sum_over_cpus(&values_[i * cpus_], cpus_));
      entries_ += count;
      if (error == -ENOENT) return {};
    }
  }
  /// How many entries the last read saw.
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

 private:
  /// There is a reader for each of some twenty maps, most of which hold a few cells: a full map takes more calls, at
  /// about a microsecond each.
  static constexpr std::size_t kBufferBytes = 32U << 10U;
  static constexpr std::size_t kFewest = 16;  // more than one bucket of a map mostly has
  [[nodiscard]] std::size_t first_batch() const {
    return std::max(kBufferBytes / (sizeof(Key) + sizeof(Value) * cpus_), kFewest);
  }
  /// Not written beforehand: what no batch has filled takes no memory.
  void resize(std::size_t batch) {
    keys_ = std::make_unique_for_overwrite<Key[]>(batch);
    values_ = std::make_unique_for_overwrite<Value[]>(batch * cpus_);
    batch_ = batch;
  }

  std::size_t cpus_;
  std::size_t batch_ = 0;
  std::unique_ptr<Key[]> keys_;
  std::unique_ptr<Value[]> values_;
  std::uint64_t entries_ = 0;
};

/// Reads one element of a per-CPU array of u64 counters and adds up the CPUs.
Result<std::uint64_t> read_counter(int map_fd, std::uint32_t index);

}  // namespace connscope::probe
