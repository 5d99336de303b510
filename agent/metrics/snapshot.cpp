// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

const char* to_string(MetricType type) {
  switch (type) {
    case MetricType::kUnknown:
      break;
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kStateSet:
      return "stateset";
    case MetricType::kInfo:
      return "info";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGaugeHistogram:
      return "gaugehistogram";
    case MetricType::kSummary:
      return "summary";
  }
  return "unknown";
}

}  // namespace connscope::metrics
