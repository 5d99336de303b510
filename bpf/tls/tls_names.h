// SPDX-License-Identifier: Apache-2.0
//
// Names of what the TLS probes count, as label values. Ciphers and alerts are named as IANA's registry "Transport Layer
// Security (TLS) Parameters" does it; what is not assigned is named by its number, "0x1A1A" and "200".
//
// No state; any thread. Peers choose ciphers and alerts, so whoever makes label values of them must limit them.
#pragma once

#include <cstdint>
#include <string>

#include "bpf/tls/tls.h"

namespace connscope::bpf {

std::string tls_cipher_name(std::uint16_t cipher);
std::string tls_alert_name(std::uint8_t alert);
/// "1.3"; "unknown" where no ServerHello came.
const char* tls_version_name(std::uint8_t version);
const char* tls_role_name(std::uint8_t role);
const char* tls_direction_name(std::uint8_t direction);
const char* tls_library_name(std::uint8_t library);
/// Empty for TLS_OK.
const char* tls_reason_name(std::uint8_t reason);

}  // namespace connscope::bpf
