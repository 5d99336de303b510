// SPDX-License-Identifier: Apache-2.0
//
// CellMap: what was read last from each cell of a kernel map, by the cell's key. Keys are the structs that both halves
// share: no padding, a whole number of u64 words, compared byte by byte as the kernel does. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <unordered_map>

namespace connscope::probe {

template <class Key>
struct CellKeyHash {
  static_assert(std::has_unique_object_representations_v<Key> && sizeof(Key) % sizeof(std::uint64_t) == 0);

  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 0;
    for (std::size_t offset = 0; offset < sizeof(Key); offset += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, reinterpret_cast<const unsigned char*>(&key) + offset, sizeof(word));
      // Fibonacci hashing spreads each word to the high bits; the shift brings them back to where buckets are chosen.
      hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 32U;
    }
    return static_cast<std::size_t>(hash);
  }
};

template <class Key>
struct CellKeyEqual {
  bool operator()(const Key& left, const Key& right) const { return std::memcmp(&left, &right, sizeof(Key)) == 0; }
};

template <class Key, class Value>
using CellMap = std::unordered_map<Key, Value, CellKeyHash<Key>, CellKeyEqual<Key>>;

}  // namespace connscope::probe
