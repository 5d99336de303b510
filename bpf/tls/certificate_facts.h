// SPDX-License-Identifier: Apache-2.0
//
// What the begin of an X.509 certificate (RFC 5280, in DER) says of who issued it and how long it is valid: its serial
// number, its issuer and its validity come before all that is long. Bytes are a peer's: nothing is trusted, and all
// work is bounded by them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connscope::bpf {

struct CertificateFacts {
  std::string issuer;          ///< its common name, or else its organisation; empty when it has neither
  std::int64_t not_after = 0;  ///< seconds since 1970
};

/// nullopt: no certificate, or cut before the end of its validity.
[[nodiscard]] std::optional<CertificateFacts> certificate_facts(std::string_view der);

}  // namespace connscope::bpf
