// SPDX-License-Identifier: Apache-2.0
//
// What a line of an application costs once it is in the agent's memory: packets of lines of all types whose series are
// known.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "agent/ingest/accumulator.h"

namespace {

using connscope::ingest::Accumulator;

constexpr int kSeries = 100;

/// As ingest_load sends them.
std::vector<std::string> make_packets(int lines) {
  constexpr const char* kValues[] = {":1|c", ":1|c|#route:/x,code:200", ":42|g", ":1.5|ms", ":1000|h"};
  std::vector<std::string> packets(kSeries);
  int series = 0;
  for (std::string& packet : packets) {
    for (int line = 0; line < lines; ++line, ++series) {
      const int number = series % kSeries;
      packet += (line > 0 ? "\n" : "") + ("load.metric" + std::to_string(number)) + kValues[number % 5];
    }
  }
  return packets;
}

void add_packets(benchmark::State& state) {
  const auto lines = static_cast<int>(state.range(0));
  const auto packets = make_packets(lines);
  const auto sender = std::make_shared<connscope::ingest::Sender>();
  Accumulator accumulator({});
  std::size_t next = 0;
  for (auto _ : state) {
    accumulator.add_packet(sender, packets[next]);
    next = next + 1 == packets.size() ? 0 : next + 1;
  }
  const auto taken = accumulator.take(std::chrono::steady_clock::now());
  if (taken.lines != static_cast<std::uint64_t>(state.iterations()) * static_cast<std::uint64_t>(lines))
    state.SkipWithError("lines were lost");
  state.SetItemsProcessed(state.iterations() * lines);
}

BENCHMARK(add_packets)->ArgName("lines")->Arg(1)->Arg(20)->Arg(60);

}  // namespace

BENCHMARK_MAIN();
