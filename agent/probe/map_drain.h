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
    if (keys_.empty()) resize(first_batch());
    std::array<std::uint64_t, 8> position{};  // opaque to us; the kernel wants a key's size at most
    static_assert(sizeof(Key) <= sizeof(position));
    entries_ = 0;
    for (bool first = true;; first = false) {
      auto count = static_cast<std::uint32_t>(keys_.size());
      const int error = bpf_map_lookup_batch(map_fd, first ? nullptr : position.data(), position.data(), keys_.data(),
                                             values_.data(), &count, nullptr);
      if (error == -ENOSPC) {  // one bucket of the map holds more than our batch; nothing was copied, position stays
        resize(keys_.size() * 2);
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
  static constexpr std::size_t kBufferBytes = 512U << 10U;
  [[nodiscard]] std::size_t first_batch() const {
    return std::clamp<std::size_t>(kBufferBytes / (sizeof(Key) + sizeof(Value) * cpus_), 256, 4096);
  }
  void resize(std::size_t batch) {
    keys_.resize(batch);
    values_.resize(batch * cpus_);
  }

  std::size_t cpus_;
  std::vector<Key> keys_;
  std::vector<Value> values_;
  std::uint64_t entries_ = 0;
};

/// Reads one element of a per-CPU array of u64 counters and adds up the CPUs.
Result<std::uint64_t> read_counter(int map_fd, std::uint32_t index);

}  // namespace connscope::probe
