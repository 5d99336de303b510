// SPDX-License-Identifier: Apache-2.0
//
// write_exposition openmetrics|prometheus|protobuf: the hostile snapshot on stdout, for parsers that are not ours.
// write_exposition native: in protobuf a histogram whose quantiles are known, geometric_seconds: 5000 values, from 1 ms
// up by 0.2 % each.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>

#include "agent/metrics/registry.h"
#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
#include "exporters/prometheus_protobuf.h"
#endif
#include "tests/conformance/hostile_snapshot.h"

namespace {

[[maybe_unused]] connscope::metrics::SnapshotPtr make_geometric_snapshot() {
  using connscope::metrics::BucketLayout;
  connscope::metrics::Registry registry({1000, std::chrono::system_clock::now});
  auto* series = registry
                     .family<connscope::metrics::Histogram>({"geometric_seconds", "Known.", "seconds", {}, ""},
                                                            BucketLayout::exponential(2, -80, 28, 4))
                     .value()
                     ->with({})
                     .value();
  for (int i = 0; i < 5000; ++i) series->observe(0.001 * std::pow(1.002, i));
  return registry.snapshot();
}

int write(const connscope::exporters::Encoder& encoder, const connscope::metrics::Snapshot& snapshot) {
  std::string out;
  encoder.encode(snapshot, {}, out);
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view format = argc == 2 ? argv[1] : "";
  const connscope::exporters::OpenMetricsEncoder openmetrics("1.0.0");
  const connscope::exporters::PrometheusTextEncoder prometheus;
  if (format == "openmetrics") return write(openmetrics, *connscope::test::make_hostile_snapshot());
  if (format == "prometheus") return write(prometheus, *connscope::test::make_hostile_snapshot());
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
  const connscope::exporters::PrometheusProtobufEncoder protobuf;
  if (format == "protobuf") return write(protobuf, *connscope::test::make_hostile_snapshot());
  if (format == "native") return write(protobuf, *make_geometric_snapshot());
#endif
  std::fputs("usage: write_exposition openmetrics|prometheus|protobuf|native\n", stderr);
  return 2;
}
