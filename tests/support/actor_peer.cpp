// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_peer.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/support/actor_socket.h"

namespace connscope::actor {
namespace {

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

/// What the peer needs of a SYN that it saw.
struct SeenSyn {
  in_addr_t from = 0;
  in_addr_t to = 0;
  std::uint16_t from_port = 0;
};

SeenSyn await_syn(int packets, std::uint16_t port) {
  std::array<unsigned char, 2048> bytes{};
  for (;;) {
    const ssize_t size = ::recv(packets, bytes.data(), bytes.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(iphdr) + sizeof(tcphdr))) continue;
    iphdr ip{};
    std::memcpy(&ip, bytes.data(), sizeof(ip));
    tcphdr tcp{};
    std::memcpy(&tcp, bytes.data() + ip.ihl * 4U, sizeof(tcp));
    if (ip.protocol != IPPROTO_TCP || ntohs(tcp.dest) != port || tcp.syn == 0 || tcp.ack != 0) continue;
    return {ip.saddr, ip.daddr, ntohs(tcp.source)};
  }
}

std::uint16_t checksum(const unsigned char* bytes, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// One bare segment back to the connecting program. The checksum covers the pseudo header (RFC 9293, section 3.1).
void send_segment(int raw, const SeenSyn& syn, std::uint16_t port, std::uint32_t sequence, bool reset) {
  tcphdr tcp{};
  tcp.source = htons(port);
  tcp.dest = htons(syn.from_port);
  tcp.seq = htonl(sequence);
  tcp.doff = sizeof(tcp) / 4;
  tcp.syn = reset ? 0 : 1;
  tcp.rst = reset ? 1 : 0;
  tcp.window = htons(1024);
  std::array<unsigned char, 12 + sizeof(tcphdr)> covered{};
  std::memcpy(&covered[0], &syn.to, 4);
  std::memcpy(&covered[4], &syn.from, 4);
  covered[9] = IPPROTO_TCP;
  covered[11] = sizeof(tcphdr);
  std::memcpy(&covered[12], &tcp, sizeof(tcp));
  tcp.check = htons(checksum(covered.data(), covered.size()));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = syn.from;
  if (::sendto(raw, &tcp, sizeof(tcp), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)) < 0) fail("sendto");
}

void print_connect(int fd, const sockaddr* address, socklen_t length) {
  print_result(result_name(::connect(fd, address, length) == 0 ? 0 : errno), 0);
}

}  // namespace

void run_listen(const ListenOptions& options) {
  const UniqueFd listener = make_tcp_socket(AF_INET6, options.mptcp);
  set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.fast_open) set_option(listener.get(), IPPROTO_TCP, TCP_FASTOPEN, 64);
  const Address any = make_address("::", options.port);
  if (::bind(listener.get(), any.get(), any.length) != 0) fail("bind");
  if (::listen(listener.get(), options.backlog) != 0) fail("listen");
  print_result("listening", local_port(listener.get()));
  for (;;) {
    const UniqueFd connection(::accept(listener.get(), nullptr, nullptr));
    if (!connection) continue;
    // Data that came in the SYN is read, all of it, else the close would be a reset.
    char bytes[64];
    if (options.fast_open) ::recv(connection.get(), bytes, sizeof(bytes), 0);
  }
}

int run_reset_peer(std::uint16_t port) {
  const UniqueFd packets(::socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
  if (!packets) fail("packet socket");
  const UniqueFd raw(::socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
  if (!raw) fail("raw socket");
  print_result("watching", 0);
  const SeenSyn syn = await_syn(packets.get(), port);
  constexpr std::uint32_t kFirstSequence = 1000;
  send_segment(raw.get(), syn, port, kFirstSequence, false);
  send_segment(raw.get(), syn, port, kFirstSequence + 1, true);
  return 0;
}

int run_misuse(const std::string& address, std::uint16_t open_port, std::uint16_t dropped_port) {
  const Address open_peer = make_address(address, open_port);
  const UniqueFd connected = make_tcp_socket(open_peer.family(), false);
  reset_on_close(connected.get());
  print_connect(connected.get(), open_peer.get(), open_peer.length);
  print_connect(connected.get(), open_peer.get(), open_peer.length);

  const Address dropped_peer = make_address(address, dropped_port);
  const UniqueFd connecting = make_tcp_socket(dropped_peer.family(), false);
  set_nonblocking(connecting.get());
  print_connect(connecting.get(), dropped_peer.get(), dropped_peer.length);
  print_connect(connecting.get(), dropped_peer.get(), dropped_peer.length);

  const UniqueFd datagram(::socket(AF_INET, SOCK_DGRAM, 0));
  const Address nowhere = make_address("203.0.113.1", 9);
  print_connect(datagram.get(), nowhere.get(), nowhere.length);

  const UniqueFd local(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un absent{};
  absent.sun_family = AF_UNIX;
  std::strcpy(absent.sun_path, "/nonexistent/socket");
  print_connect(local.get(), reinterpret_cast<sockaddr*>(&absent), sizeof(absent));

  print_connect(-1, open_peer.get(), open_peer.length);
  print_connect(STDIN_FILENO, open_peer.get(), open_peer.length);
  return 0;
}

}  // namespace connscope::actor
