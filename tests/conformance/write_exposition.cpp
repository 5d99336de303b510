// SPDX-License-Identifier: Apache-2.0
//
// write_exposition openmetrics|prometheus: the hostile snapshot on stdout, for parsers that are not ours.
#include <cstdio>
#include <string>
#include <string_view>

#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"
#include "tests/conformance/hostile_snapshot.h"

int main(int argc, char** argv) {
  const std::string_view format = argc == 2 ? argv[1] : "";
  const connscope::exporters::OpenMetricsEncoder openmetrics("1.0.0");
  const connscope::exporters::PrometheusTextEncoder prometheus;
  const connscope::exporters::Encoder* encoder = nullptr;
  if (format == "openmetrics") encoder = &openmetrics;
  if (format == "prometheus") encoder = &prometheus;
  if (encoder == nullptr) {
    std::fputs("usage: write_exposition openmetrics|prometheus\n", stderr);
    return 2;
  }
  std::string out;
  encoder->encode(*connscope::test::make_hostile_snapshot(), {}, out);
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 1;
}
