// SPDX-License-Identifier: Apache-2.0
//
// OpenMetrics' text format. A value that the specification forbids (a NaN count, a negative sum) is left out, since one
// such line costs the whole scrape. Stateless; any thread. Source: OpenMetrics 1.0.0.
#pragma once

#include <string>
#include <string_view>

#include "exporters/text.h"

namespace connscope::exporters {

class OpenMetricsEncoder final : public TextEncoder {
 public:
  /// `version` only changes what the content type says: "1.0.0", or "0.0.1" for clients from before it.
  explicit OpenMetricsEncoder(std::string_view version);

  [[nodiscard]] std::string_view content_type() const override { return content_type_; }

 private:
  void write_head(const metrics::FamilySnapshot& family, LineWriter& lines) const override;
  void write_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample,
                    LineWriter& lines) const override;
  void write_end(std::string& out) const override;

  std::string content_type_;
};

}  // namespace connscope::exporters
