// SPDX-License-Identifier: Apache-2.0
#include "exporters/catalog.h"

#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"

namespace connscope::exporters {

std::vector<Format> make_formats() {
  std::vector<Format> formats;
  formats.push_back({"text/plain; version=0.0.4", false, std::make_unique<PrometheusTextEncoder>()});
  for (const char* version : {"1.0.0", "0.0.1"}) {
    formats.push_back({std::string("application/openmetrics-text; version=") + version, true,
                       std::make_unique<OpenMetricsEncoder>(version)});
  }
  return formats;
}

}  // namespace connscope::exporters
