// SPDX-License-Identifier: Apache-2.0
//
// Bytes of DNS messages, put together by hand for the tests of the parser: good ones, and as wrong as a test wants
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace connscope::testing {

inline std::string number(unsigned value) { return {static_cast<char>(value >> 8U), static_cast<char>(value)}; }

/// `dotted` as labels, without the root's; empty is nothing.
inline std::string labels(std::string_view dotted) {
  std::string bytes;
  while (!dotted.empty()) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    bytes += static_cast<char>(label.size());
    bytes += label;
    dotted.remove_prefix(label.size() < dotted.size() ? label.size() + 1 : label.size());
  }
  return bytes;
}

inline std::string name(std::string_view dotted) { return labels(dotted) + '\0'; }
inline std::string pointer(unsigned to) { return number(0xc000U | to); }
inline std::string question(const std::string& name_bytes, unsigned type, unsigned dns_class = 1) {
  return name_bytes + number(type) + number(dns_class);
}
inline std::string record(const std::string& owner, unsigned type, const std::string& data, unsigned ttl_high = 0) {
  return owner + number(type) + number(1) + number(ttl_high) + number(60) + number(static_cast<unsigned>(data.size())) +
         data;
}
/// EDNS's record; `rcode_high` are the upper eight bits of the RCODE.
inline std::string opt(unsigned rcode_high) { return record(name(""), 41, "", rcode_high << 8U); }

struct Header {
  unsigned id = 0x1234;
  unsigned flags = 0x8180;
  unsigned questions = 1;
  unsigned answers = 0;
  unsigned authorities = 0;
  unsigned additional = 0;
};

inline std::string header(const Header& counts) {
  return number(counts.id) + number(counts.flags) + number(counts.questions) + number(counts.answers) +
         number(counts.authorities) + number(counts.additional);
}

}  // namespace connscope::testing
