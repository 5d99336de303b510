// SPDX-License-Identifier: Apache-2.0
//
// Reasons of the stage dns, as label values: of queries on the wire, by their enum dns_outcome and the answer's RCODE.
//
// No state; any thread.
#pragma once

#include <array>
#include <cstddef>

#include "bpf/dns/dns_query.h"

namespace connscope::bpf {

/// By outcome; those that an RCODE gives are below.
inline constexpr std::array<const char*, QUERY_OUTCOMES> kQueryReasons = {
    "", "nodata", "other_rcode", "timeout", "badsrv", "aborted", "id_mismatch", "malformed"};
/// RFC 1035 section 4.1.1, by RCODE.
inline constexpr std::array<const char*, 6> kRcodeReasons = {"",         "formerr", "servfail",
                                                             "nxdomain", "notimp",  "refused"};

/// Empty for what is no failure.
constexpr const char* dns_reason_name(std::size_t outcome, std::size_t rcode) {
  if (outcome == QUERY_ERROR_RCODE && rcode < kRcodeReasons.size()) return kRcodeReasons[rcode];
  return outcome < kQueryReasons.size() ? kQueryReasons[outcome] : "";
}

}  // namespace connscope::bpf
