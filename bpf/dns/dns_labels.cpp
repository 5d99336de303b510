// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_labels.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <array>
#include <cerrno>

#include "bpf/dns/dns_names.h"
#include "bpf/dns/dns_query.h"

namespace connscope::bpf {
namespace {

std::string text_of(const dns_server& server) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = server.is_ipv6 != 0 ? AF_INET6 : AF_INET;
  return ::inet_ntop(family, server.words, text.data(), text.size()) == nullptr ? std::string() : text.data();
}

}  // namespace

std::string DnsLabels::qtype(std::uint16_t type) {
  const std::string name = dns_type_name(type);
  return name.rfind("TYPE", 0) == 0 ? unnamed_types_.admit(name) : name;
}

std::string DnsLabels::server(std::uint32_t number) {
  if (!servers_.is_on()) return {};
  const auto known = addresses_.find(number);
  return known == addresses_.end() ? "other" : servers_.admit(known->second);
}

Status DnsLabels::learn_servers(int map_fd) {
  if (!servers_.is_on()) return {};
  std::uint32_t number = 0;
  for (bool first = true; bpf_map_get_next_key(map_fd, first ? nullptr : &number, &number) == 0; first = false) {
    dns_server server{};
    if (addresses_.count(number) != 0) continue;
    if (bpf_map_lookup_elem(map_fd, &number, &server) != 0) return Error::from_errno("dns_servers", errno);
    addresses_.emplace(number, text_of(server));
  }
  return {};
}

}  // namespace connscope::bpf
