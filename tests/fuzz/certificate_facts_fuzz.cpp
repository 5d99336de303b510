// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the begin of a certificate. What is read of them is a label's value, and bytes behind it make no
// difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/metrics/utf8.h"
#include "bpf/tls/certificate_facts.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string der(reinterpret_cast<const char*>(data), size);
  const auto facts = connscope::bpf::certificate_facts(der);
  if (!facts) return 0;
  require(connscope::metrics::is_utf8(facts->issuer));
  const auto again = connscope::bpf::certificate_facts(der + "more");
  require(again && again->not_after == facts->not_after);
  return 0;
}
