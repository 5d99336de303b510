// SPDX-License-Identifier: Apache-2.0
//
// CPU time of encoding snapshots (bar: 10,000 series in at most 10 ms). A series is what Prometheus counts as one, a
// line of the exposition; "label sets" counts what the registry calls a series. The buffer is reused, as by the server.
// Beside it Debian's prometheus-cpp, where it is installed, with the same 100,000 counters (bar: five times as many a
// second of CPU time).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/metrics/registry.h"
#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
#include "exporters/prometheus_protobuf.h"
#endif
#ifdef CONNSCOPE_WITH_PROMETHEUS_CPP
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#endif

namespace {

using connscope::exporters::Encoder;
using connscope::metrics::BucketLayout;
using connscope::metrics::Counter;
using connscope::metrics::Histogram;
using connscope::metrics::Registry;
using connscope::metrics::SnapshotPtr;

void add_counters(Registry& registry, int label_sets) {
  auto* family =
      registry
          .family<Counter>(
              {"conn_failures", "Connections that failed, each once.", "", {"process", "role", "stage", "reason"}, ""})
          .value();
  for (int i = 0; i < label_sets; ++i) {
    auto* series = family->with({"process-" + std::to_string(i), "client", "tcp", "host_unreachable"}).value();
    series->add(static_cast<std::uint64_t>(i) * 977U);
  }
}

void add_histograms(Registry& registry, int label_sets) {
  auto* family = registry
                     .family<Histogram>({"conn_tcp_connect_duration_seconds",
                                         "First SYN to established, or to failure.",
                                         "seconds",
                                         {"process", "ip_family", "outcome"},
                                         ""},
                                        BucketLayout::exponential(2, -80, 28, 4))
                     .value();
  for (int i = 0; i < label_sets; ++i) {
    auto* series = family->with({"process-" + std::to_string(i), "ipv4", "ok"}).value();
    for (std::size_t bucket = 20; bucket < 60; ++bucket) series->add(bucket, static_cast<std::uint64_t>(i + 1), 0.0123);
  }
}

SnapshotPtr make_snapshot(int counters, int histograms) {
  Registry registry({1'000'000, std::chrono::system_clock::now});
  if (counters > 0) add_counters(registry, counters);
  if (histograms > 0) add_histograms(registry, histograms);
  return registry.snapshot();
}

void encode(benchmark::State& state, const Encoder& encoder) {
  const auto snapshot = make_snapshot(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    encoder.encode(*snapshot, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  if (encoder.content_type().find("text") != std::string_view::npos)
    state.counters["lines"] = static_cast<double>(std::count(out.begin(), out.end(), '\n'));
  state.counters["bytes"] = static_cast<double>(out.size());
}

void openmetrics(benchmark::State& state) { encode(state, connscope::exporters::OpenMetricsEncoder("1.0.0")); }
void prometheus_text(benchmark::State& state) { encode(state, connscope::exporters::PrometheusTextEncoder()); }

#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
void prometheus_protobuf(benchmark::State& state) { encode(state, connscope::exporters::PrometheusProtobufEncoder()); }
#endif

#ifdef CONNSCOPE_WITH_PROMETHEUS_CPP
/// What its exposer does for a scrape, once the text is a string.
void prometheus_cpp(benchmark::State& state) {
  prometheus::Registry registry;
  auto& family = prometheus::BuildCounter()
                     .Name("conn_failures_total")
                     .Help("Connections that failed, each once.")
                     .Register(registry);
  for (int i = 0; i < state.range(0); ++i) {
    family
        .Add({{"process", "process-" + std::to_string(i)},
              {"role", "client"},
              {"stage", "tcp"},
              {"reason", "host_unreachable"}})
        .Increment(i * 977.0);
  }
  const prometheus::TextSerializer serializer;
  std::string out;
  for (auto _ : state) {
    out = serializer.Serialize(registry.Collect());
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["lines"] = static_cast<double>(std::count(out.begin(), out.end(), '\n'));
  state.counters["bytes"] = static_cast<double>(out.size());
}
#endif

/// 10,000 counters; 10,000 lines, half of them of histograms; 10,000 label sets, a tenth of them histograms; 100,000.
void mixes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"counters", "histograms"})->Unit(benchmark::kMillisecond);
  bench->Args({10'000, 0})->Args({5'000, 161})->Args({9'000, 1'000})->Args({100'000, 0});
}

BENCHMARK(prometheus_text)->Apply(mixes);
BENCHMARK(openmetrics)->Apply(mixes);
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
BENCHMARK(prometheus_protobuf)->Apply(mixes);
#endif
#ifdef CONNSCOPE_WITH_PROMETHEUS_CPP
BENCHMARK(prometheus_cpp)->ArgName("counters")->Unit(benchmark::kMillisecond)->Arg(100'000);
#endif

}  // namespace

BENCHMARK_MAIN();
