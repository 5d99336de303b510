// SPDX-License-Identifier: Apache-2.0
//
// Names of DNS's numbers as IANA's registry "Domain Name System (DNS) Parameters" assigns them: the label values of the DNS
// families. What is not assigned is named by its number as RFC 3597 does it, "TYPE65400"; for codes "RCODE24" likewise. All
// are in capitals; 255, the registry's "*", is ANY, and of the two names of RCODE 16 it is BADVERS, the one of answers with EDNS.
//
// No state; any thread. The number of names is that of the numbers, so whoever makes label values of them must limit them.
#pragma once

#include <cstdint>
#include <string>

namespace connscope::bpf {

std::string dns_type_name(std::uint16_t type);
std::string dns_rcode_name(std::uint16_t rcode);

}  // namespace connscope::bpf
