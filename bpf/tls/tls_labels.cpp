// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/tls_labels.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "bpf/tls/tls.h"
#include "bpf/tls/tls_names.h"

namespace connscope::bpf {
namespace {

/// A client may ask for any bytes: what no host name has is shown as a question mark.
std::string text_of(const tls_host& host) {
  const auto* end = std::find(std::begin(host.name), std::end(host.name), 0);
  std::string text(std::begin(host.name), end);
  for (char& letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    letter = byte > 0x20 && byte < 0x7f ? static_cast<char>(std::tolower(byte)) : '?';
  }
  return text;
}

}  // namespace

std::string TlsLabels::cipher(std::uint16_t cipher) {
  return cipher == 0 ? std::string() : ciphers_.admit(tls_cipher_name(cipher));
}

std::string TlsLabels::alert(std::uint8_t alert) { return alerts_.admit(tls_alert_name(alert)); }

std::string TlsLabels::host(std::uint32_t number) {
  if (number == 0 || !hosts_.is_on()) return {};
  const auto known = names_.find(number);
  return known == names_.end() ? "other" : hosts_.admit(known->second);
}

Status TlsLabels::learn_hosts(int map_fd) {
  if (!hosts_.is_on()) return {};
  std::uint32_t number = 0;
  for (bool first = true; bpf_map_get_next_key(map_fd, first ? nullptr : &number, &number) == 0; first = false) {
    tls_host host{};
    if (names_.count(number) != 0) continue;
    if (bpf_map_lookup_elem(map_fd, &number, &host) != 0) return Error::from_errno("tls_hosts", errno);
    names_.emplace(number, text_of(host));
  }
  return {};
}

}  // namespace connscope::bpf
