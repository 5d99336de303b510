// SPDX-License-Identifier: Apache-2.0
//
// write_exposition openmetrics|prometheus|protobuf|otlp_protobuf|otlp_json|remote_write: the hostile snapshot on
// stdout, for parsers that are not ours. write_exposition native: in protobuf a histogram whose quantiles are known,
// geometric_seconds: 5000 values, from 1 ms up by 0.2 % each.
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
#ifdef CONNSCOPE_WITH_OTLP
#include "exporters/otlp.h"
#endif
#ifdef CONNSCOPE_WITH_REMOTE_WRITE
#include "exporters/remote_write.h"
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

int write(const std::string& out) { return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 1; }

int write(const connscope::exporters::Encoder& encoder, const connscope::metrics::Snapshot& snapshot) {
  std::string out;
  encoder.encode(snapshot, {}, out);
  return write(out);
}

#ifdef CONNSCOPE_WITH_OTLP
int write_otlp(connscope::exporters::MessageEncoding encoding) {
  std::string out;
  connscope::exporters::encode_otlp(nullptr, *connscope::test::make_hostile_snapshot(), {}, {encoding, false, {}, true},
                                    out);
  return write(out);
}
#endif

#ifdef CONNSCOPE_WITH_REMOTE_WRITE
int write_remote_write() {
  std::string out;
  connscope::exporters::encode_remote_write(nullptr, *connscope::test::make_hostile_snapshot(), {},
                                            {{{"job", "j"}}, true, true, true},
                                            [&out](std::string_view request, std::uint32_t) { out += request; });
  return write(out);
}
#endif

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
#ifdef CONNSCOPE_WITH_OTLP
  if (format == "otlp_protobuf") return write_otlp(connscope::exporters::MessageEncoding::kProtobuf);
  if (format == "otlp_json") return write_otlp(connscope::exporters::MessageEncoding::kJson);
#endif
#ifdef CONNSCOPE_WITH_REMOTE_WRITE
  if (format == "remote_write") return write_remote_write();
#endif
  std::fputs("usage: write_exposition openmetrics|prometheus|protobuf|native|otlp_protobuf|otlp_json|remote_write\n",
             stderr);
  return 2;
}
