// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/tcp_labels.h"

#include <arpa/inet.h>

#include <array>

namespace connscope::bpf {
namespace {

std::string text_of(const listen_address& address, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = address.is_ipv6 != 0;
  if (::inet_ntop(v6 ? AF_INET6 : AF_INET, address.words, text.data(), text.size()) == nullptr) return {};
  const std::string host = v6 ? "[" + std::string(text.data()) + "]" : text.data();
  return host + ":" + std::to_string(port);
}

}  // namespace

void TcpLabels::learn_listener(std::uint32_t netns, std::uint16_t port, const listen_address& address) {
  if (!listeners_.is_on()) return;
  const std::string text = text_of(address, port);
  auto [known, is_new] = addresses_.emplace(std::pair(netns, port), text);
  if (!is_new && known->second != text) known->second = "*:" + std::to_string(port);
}

std::string TcpLabels::listener_of(std::uint64_t identity, std::uint16_t port) {
  if (!listeners_.is_on()) return {};
  const auto known = addresses_.find({identities().label_of(identity).netns, port});
  return listeners_.admit(known == addresses_.end() ? "*:" + std::to_string(port) : known->second);
}

}  // namespace connscope::bpf
