// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/utf8.h"

namespace connscope::metrics {

namespace {

/// What a lead byte allows: how many bytes follow, and the range of the first of them, which is where RFC 3629 keeps
/// out overlong forms, surrogates and what is beyond U+10FFFF.
struct Lead {
  std::size_t followers;
  unsigned char second_min;
  unsigned char second_max;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(at) < 0x80) return 1;
  const Lead lead = lead_of(byte(at));
  if (lead.followers == 0 || text.size() - at <= lead.followers) return 0;
  if (byte(at + 1) < lead.second_min || byte(at + 1) > lead.second_max) return 0;
  for (std::size_t i = 2; i <= lead.followers; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  return lead.followers + 1;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    result += length == 0 ? kReplacement : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return result;
}

}  // namespace connscope::metrics
