// SPDX-License-Identifier: Apache-2.0
//
// What a server of OTLP says of a request that it has taken: how many points it rejected, and why. Pure; any bytes.
// Source: opentelemetry-proto 1.0, ExportMetricsServiceResponse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporters/message_writer.h"

namespace connscope::exporters {

struct OtlpAnswer {
  std::uint64_t rejected = 0;
  std::string message;  ///< without control characters
};

/// Of an answer that cannot be read nothing is known, and so nothing was rejected.
[[nodiscard]] OtlpAnswer read_otlp_answer(MessageEncoding encoding, std::string_view body);

}  // namespace connscope::exporters
