// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what a server answers to OTLP, in both encodings: the reason is UTF-8 of one line, fit for the log.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/metrics/utf8.h"
#include "exporters/otlp_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connscope::exporters;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const MessageEncoding encoding : {MessageEncoding::kProtobuf, MessageEncoding::kJson}) {
    const OtlpAnswer answer = read_otlp_answer(encoding, body);
    const bool is_line = std::none_of(answer.message.begin(), answer.message.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (!is_line || !connscope::metrics::is_utf8(answer.message)) std::abort();
  }
  return 0;
}
