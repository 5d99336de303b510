// SPDX-License-Identifier: Apache-2.0
#include "bpf/detail/connection_of.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "agent/metrics/utf8.h"
#include "bpf/dns/dns_reasons.h"
#include "bpf/dns/lookup_cells.h"
#include "bpf/tcp/tcp_names.h"
#include "bpf/tls/tls_names.h"

namespace connscope::bpf {
namespace {

constexpr std::array<detail::Stage, DETAIL_METRICS> kStages = {detail::Stage::kDns, detail::Stage::kDns,
                                                               detail::Stage::kTcp, detail::Stage::kTcp,
                                                               detail::Stage::kTls, detail::Stage::kAttempt};

template <std::size_t kCount>
std::string_view name_in(const std::array<const char*, kCount>& names, std::size_t number) {
  return number < kCount ? names[number] : "";
}

std::string_view reason_name(unsigned metric, unsigned reason) {
  switch (metric) {
    case DETAIL_LOOKUP:
      return reason < LOOKUP_OUTCOMES ? lookup_reason_name(reason) : "";
    case DETAIL_QUERY:
      return dns_reason_name(reason & 0xfU, reason >> 4U);
    case DETAIL_CONNECT:
      return name_in(kOutcomeNames, reason);
    case DETAIL_LIFE:
      return name_in(kFailureNames, reason);
    case DETAIL_TLS:
      return reason < TLS_REASONS ? tls_reason_name(static_cast<std::uint8_t>(reason)) : "";
    default:
      return "";
  }
}

void write_port(std::string& text, std::uint16_t port_on_wire) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), ntohs(port_on_wire));
  text.push_back(':');
  text.append(digits.begin(), end.ptr);
}

void write_peer(std::string& text, const detail_origin& origin) {
  constexpr std::array<std::uint32_t, 4> kUnknown{};
  text.clear();
  if (std::equal(kUnknown.begin(), kUnknown.end(), std::begin(origin.peer))) return;
  std::array<char, INET6_ADDRSTRLEN> address{};
  const bool is_ipv4 = origin.peer[0] == 0 && origin.peer[1] == 0 && origin.peer[2] == htonl(0xffff);
  if (is_ipv4) {
    text += ::inet_ntop(AF_INET, &origin.peer[3], address.data(), address.size());
  } else {
    text.push_back('[');
    text += ::inet_ntop(AF_INET6, &origin.peer[0], address.data(), address.size());
    text.push_back(']');
  }
  write_port(text, origin.peer_port);
}

/// Labels up to where they end or the bytes do: "\3www\7example\3org\0" is "www.example.org".
void write_wire_name(std::string& text, const char* bytes, std::size_t size) {
  std::size_t at = 0;
  while (at < size && bytes[at] != 0) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at++]));
    const std::size_t end = std::min(size, at + length);
    if (!text.empty()) text.push_back('.');
    text.append(bytes + at, end - at);
    at = end;
  }
}

void write_host(std::string& text, const detail_origin& origin) {
  std::array<char, DETAIL_HOST_BYTES> bytes{};
  std::memcpy(bytes.data(), &origin.host[0], bytes.size());
  text.clear();
  if (origin.host_form == HOST_TEXT) text.append(bytes.data(), ::strnlen(bytes.data(), bytes.size()));
  if (origin.host_form == HOST_WIRE) write_wire_name(text, bytes.data(), bytes.size());
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
  if (!is_plain) text = metrics::to_utf8(text);
}

std::optional<std::uint64_t> known(std::uint64_t duration_ns) {
  return duration_ns != 0 ? std::optional(duration_ns) : std::nullopt;
}

/// The parts that came before, and the one that the event is about.
void write_parts(const detail_event& event, detail::Connection& connection) {
  connection.dns_ns = known(event.origin.dns_ns);
  connection.tcp_ns = known(event.origin.tcp_ns);
  connection.tls_ns = known(event.origin.tls_ns);
  if (connection.stage == detail::Stage::kDns) connection.dns_ns = event.duration_ns;
  if (event.metric == DETAIL_CONNECT) connection.tcp_ns = event.duration_ns;
  if (event.metric == DETAIL_TLS) connection.tls_ns = event.duration_ns;
}

}  // namespace

void fill_connection(const detail_event& event, detail::Connection& connection) {
  const unsigned metric = std::min<unsigned>(event.metric, DETAIL_ATTEMPT);
  const bool is_attempt = metric == DETAIL_ATTEMPT;
  connection.kinds = event.kinds;
  connection.pid = event.origin.tgid;
  connection.role = event.role == 0 ? detail::Role::kClient : detail::Role::kServer;
  connection.metric = static_cast<detail::Metric>(metric);
  connection.stage = kStages[metric];
  connection.ok = event.is_failed == 0;
  connection.reason =
      is_attempt ? reason_name(event.origin.metric, event.origin.reason) : reason_name(metric, event.reason);
  if (connection.ok) connection.reason = {};
  connection.duration_ns = event.duration_ns;
  connection.mean_ns = event.mean_ns;
  write_parts(event, connection);
  write_peer(connection.peer, event.origin);
  write_host(connection.host, event.origin);
}

}  // namespace connscope::bpf
