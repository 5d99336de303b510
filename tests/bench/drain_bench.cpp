// SPDX-License-Identifier: Apache-2.0
//
// Reading of a full per-CPU hash map with the keys and values of connect_ended (bar: 65,536 entries in at most 45 ms).
// `drain` is the reading alone; `drain_and_compare` also finds each cell's value before in a hash map, as a probe's
// user half does for its deltas; `compare_alone` is that look-up without the kernel. Needs the right to make BPF maps.
#include <benchmark/benchmark.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/tcp/tcp.h"

namespace {

using connscope::Error;
using connscope::Result;
using connscope::UniqueFd;
using Drain = connscope::probe::MapDrain<connect_ended_key, connect_ended>;

constexpr std::uint32_t kEntries = 65536;
constexpr std::uint64_t kFirstIdentity = 1'000'000'000'000;  // ids are times in ns
constexpr std::uint64_t kIdentityStep = 7'654'321;

connect_ended_key key_of(std::uint32_t entry) {
  connect_ended_key key{};
  key.identity = kFirstIdentity + entry / LATENCY_BUCKETS * kIdentityStep;
  key.bucket = static_cast<std::uint16_t>(entry % LATENCY_BUCKETS);
  key.outcome = static_cast<std::uint8_t>(entry % CONNECT_OUTCOMES);
  return key;
}

Result<UniqueFd> make_full_map() {
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "drain_bench", sizeof(connect_ended_key), sizeof(connect_ended),
                              kEntries, nullptr));
  if (!map) return Error::from_errno("create a BPF map", errno);
  const auto cpus = static_cast<std::size_t>(std::max(1, libbpf_num_possible_cpus()));
  for (std::uint32_t entry = 0; entry < kEntries; ++entry) {
    const connect_ended_key key = key_of(entry);
    const std::vector<connect_ended> values(cpus, connect_ended{entry + 1U, entry * 1000U, 0});
    if (bpf_map_update_elem(map.get(), &key, values.data(), BPF_NOEXIST) != 0)
      return Error::from_errno("fill the BPF map", errno);
  }
  return map;
}

using Seen = connscope::probe::CellMap<connect_ended_key, connect_ended>;

/// How many counts are new since the last time.
std::uint64_t compare(Seen& seen, const connect_ended_key& key, const connect_ended& sum) {
  connect_ended& before = seen[key];
  const std::uint64_t news = sum.count - before.count;
  before = sum;
  return news;
}

template <class Visit>
void drain_all(benchmark::State& state, Visit&& visit) {
  auto map = make_full_map();
  if (!map) return state.SkipWithError(map.error().message().c_str());
  Drain drain;
  for (auto _ : state) {
    if (auto read = drain.read(map->get(), visit); !read) return state.SkipWithError(read.error().message().c_str());
    if (drain.entries() != kEntries) return state.SkipWithError("entries are missing");
  }
  state.counters["entries"] = static_cast<double>(drain.entries());
}

void drain(benchmark::State& state) {
  std::uint64_t total = 0;
  drain_all(state, [&total](const connect_ended_key&, const connect_ended& sum) { total += sum.count; });
  benchmark::DoNotOptimize(total);
}

void drain_and_compare(benchmark::State& state) {
  std::uint64_t news = 0;
  Seen seen;
  drain_all(state, [&](const connect_ended_key& key, const connect_ended& sum) { news += compare(seen, key, sum); });
  benchmark::DoNotOptimize(news);
}

void compare_alone(benchmark::State& state) {
  std::vector<std::pair<connect_ended_key, connect_ended>> cells;
  for (std::uint32_t entry = 0; entry < kEntries; ++entry)
    cells.emplace_back(key_of(entry), connect_ended{entry, entry, 0});
  std::shuffle(cells.begin(), cells.end(), std::mt19937(1));  // the map's order is that of its hash, not ours
  Seen seen;
  std::uint64_t news = 0;
  for (auto _ : state)
    for (const auto& [key, sum] : cells) news += compare(seen, key, sum);
  benchmark::DoNotOptimize(news);
}

BENCHMARK(drain)->Unit(benchmark::kMillisecond);
BENCHMARK(drain_and_compare)->Unit(benchmark::kMillisecond);
BENCHMARK(compare_alone)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
