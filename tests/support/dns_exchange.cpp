// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_exchange.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>

#include "tests/support/tls_bytes.h"

namespace connscope::testing {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd bound(int type, std::uint16_t port) {
  UniqueFd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return socket;
}

namespace {

/// With one address where the server has no error to tell.
std::string answer_to(std::string query, int rcode) {
  query[2] = static_cast<char>(0x81);
  query[3] = static_cast<char>(0x80 | rcode);
  if (rcode != 0) return query;
  query[7] = 1;
  return query + tls::number(0xc00c) + tls::number(1) + tls::number(1) + tls::number(60, 4) + tls::number(4) +
         tls::number(INADDR_LOOPBACK, 4);
}

}  // namespace

void exchange_dns(std::uint16_t port, std::uint16_t id, int rcode, std::chrono::milliseconds after) {
  const UniqueFd server = bound(SOCK_DGRAM, port);
  const UniqueFd client = bound(SOCK_DGRAM);
  std::string query =
      tls::number(id) + tls::number(0x0100) + tls::number(1) + tls::number(0) + tls::number(0) + tls::number(0);
  query += std::string("\7blocked\7example\0", 17) + tls::number(1) + tls::number(1);
  const sockaddr_in to = loopback(port);
  ::sendto(client.get(), query.data(), query.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  if (rcode < 0) return;
  std::array<char, 512> buffer{};
  sockaddr_in from{};
  socklen_t size = sizeof(from);
  const auto bytes =
      ::recvfrom(server.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  ASSERT_GT(bytes, 12);
  std::this_thread::sleep_for(after);
  const std::string answer = answer_to(std::string(buffer.data(), static_cast<std::size_t>(bytes)), rcode);
  ::sendto(server.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  EXPECT_GT(::recv(client.get(), buffer.data(), buffer.size(), 0), 0);
}

}  // namespace connscope::testing
