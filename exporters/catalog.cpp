// SPDX-License-Identifier: Apache-2.0
#include "exporters/catalog.h"

#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
#include "exporters/prometheus_protobuf.h"
#endif

namespace connscope::exporters {

std::vector<Format> make_formats() {
  std::vector<Format> formats;
  formats.push_back({"text/plain; version=0.0.4", false, std::make_unique<PrometheusTextEncoder>()});
  for (const char* version : {"1.0.0", "0.0.1"}) {
    formats.push_back({std::string("application/openmetrics-text; version=") + version, true,
                       std::make_unique<OpenMetricsEncoder>(version)});
  }
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
  auto protobuf = std::make_unique<PrometheusProtobufEncoder>();
  formats.push_back({std::string(protobuf->content_type()), true, std::move(protobuf)});
#endif
  return formats;
}

}  // namespace connscope::exporters
