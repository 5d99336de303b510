// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text format 0.0.4, which has counter, gauge, histogram, summary and untyped only: an info is a gauge
// `x_info`, a stateset a gauge, an unknown untyped, and a gauge histogram a histogram (as gauges its `_bucket` lines
// would be refused by linters). There is no creation time. Stateless; any thread.
// Source: Prometheus documentation, "Exposition formats".
#pragma once

#include <string>
#include <string_view>

#include "exporters/text.h"

namespace connscope::exporters {

class PrometheusTextEncoder final : public TextEncoder {
 public:
  [[nodiscard]] std::string_view content_type() const override { return "text/plain; version=0.0.4; charset=utf-8"; }

 private:
  void write_head(const metrics::FamilySnapshot& family, LineWriter& lines) const override;
  void write_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample,
                    LineWriter& lines) const override;
  void write_end(std::string& /*out*/) const override {}
};

}  // namespace connscope::exporters
