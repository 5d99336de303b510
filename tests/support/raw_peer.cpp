// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raw_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace connscope::testing {
namespace {

constexpr std::uint32_t kHere = 0x0a4e0001;   // 10.78.0.1, of the socket
constexpr std::uint32_t kThere = 0x0a4e0002;  // of the peer
constexpr std::uint16_t kPort = 443;
constexpr std::uint32_t kFirst = 1000;  // sequence number of the peer's SYN
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;
constexpr int kLimitMs = 2000;

std::string number(std::size_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = bytes; i-- > 0;) text += static_cast<char>(value >> 8U * i);
  return text;
}

std::size_t number_at(const std::string& bytes, std::size_t at, unsigned size) {
  std::size_t value = 0;
  for (unsigned i = 0; i < size; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

/// RFC 1071.
std::string checksum(std::string bytes) {
  bytes.resize((bytes.size() + 1) & ~std::size_t{1}, '\0');
  std::size_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) sum += number_at(bytes, at, 2);
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return number(~sum & 0xffffU, 2);
}

}  // namespace

Status RawPeer::open_device(const NetNamespace& where) {
  device_ = UniqueFd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strcpy(request.ifr_name, "raw0");
  if (!device_ || ::ioctl(device_.get(), TUNSETIFF, &request) != 0)
    return Error::from_errno("make a TUN device", errno);
  return where.ip("address add 10.78.0.1/24 dev raw0\nlink set raw0 up\n");
}

Result<RawPeer> RawPeer::connected(const NetNamespace& where) {
  RawPeer peer;
  Status made;
  std::thread inside([&] {
    if (::setns(where.fd(), CLONE_NEWNET) != 0) {
      made = Error::from_errno("setns", errno);
      return;
    }
    made = peer.open_device(where);
    peer.socket_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  });
  inside.join();
  if (!made) return made.error();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(kThere);
  const int connecting = ::connect(peer.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (connecting != 0 && errno != EINPROGRESS) return Error::from_errno("connect", errno);
  if (auto answered = peer.answer_connect(); !answered) return answered.error();
  return peer;
}

Status RawPeer::answer_connect() {
  for (;;) {
    const auto segment = receive();
    if (!segment) return segment.error();
    if ((segment->flags & kSyn) != 0) {
      port_ = segment->source;
      acknowledged_ = segment->sequence + 1;
      if (auto written = write_segment(kFirst, kSyn | kAck, ""); !written) return written;
    } else if ((segment->flags & kAck) != 0) {
      return {};
    }
  }
}

Result<RawPeer::Segment> RawPeer::receive() const {
  for (;;) {
    pollfd ready{device_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kLimitMs) != 1) return Error("the socket sends nothing");
    std::string packet(65536, '\0');
    const ssize_t size = ::read(device_.get(), packet.data(), packet.size());
    if (size < 0) return Error::from_errno("read", errno);
    packet.resize(static_cast<std::size_t>(size));
    if (packet.size() < 40 || (packet[0] & 0xf0) != 0x40 || packet[9] != IPPROTO_TCP) continue;
    const std::size_t ip = (static_cast<unsigned char>(packet[0]) & 0x0fU) * std::size_t{4};
    const std::size_t header = (static_cast<std::uint8_t>(packet[ip + 12]) >> 4U) * std::size_t{4};
    return Segment{static_cast<std::uint16_t>(number_at(packet, ip, 2)),
                   static_cast<std::uint16_t>(number_at(packet, ip + 2, 2)),
                   static_cast<std::uint32_t>(number_at(packet, ip + 4, 4)), static_cast<std::uint8_t>(packet[ip + 13]),
                   packet.size() - ip - header};
  }
}

Status RawPeer::write_segment(std::uint32_t sequence, std::uint8_t flags, const std::string& bytes) const {
  const std::string addresses = number(kThere, 4) + number(kHere, 4);
  const std::string begin = number(kPort, 2) + number(port_, 2) + number(sequence, 4) + number(acknowledged_, 4) +
                            '\x50' + static_cast<char>(flags) + number(60000, 2);
  const std::string rest = number(0, 2) + bytes;
  const std::size_t size = begin.size() + 2 + rest.size();
  const std::string sum = checksum(addresses + number(IPPROTO_TCP, 2) + number(size, 2) + begin + number(0, 2) + rest);
  const std::string ip_begin =
      std::string("\x45\0", 2) + number(20 + size, 2) + number(0, 4) + '\x40' + static_cast<char>(IPPROTO_TCP);
  const std::string packet = ip_begin + checksum(ip_begin + number(0, 2) + addresses) + addresses + begin + sum + rest;
  if (::write(device_.get(), packet.data(), packet.size()) != static_cast<ssize_t>(packet.size()))
    return Error::from_errno("write", errno);
  return {};
}

Status RawPeer::send(std::uint32_t offset, const std::string& bytes, std::uint8_t flags) {
  return write_segment(kFirst + 1 + offset, kAck | flags, bytes);
}

Status RawPeer::await(std::size_t bytes) {
  const std::uint32_t wanted = acknowledged_ + static_cast<std::uint32_t>(bytes);
  while (acknowledged_ != wanted) {
    const auto segment = receive();
    if (!segment) return segment.error();
    if (segment->sequence == acknowledged_) acknowledged_ += static_cast<std::uint32_t>(segment->payload);
  }
  return write_segment(kFirst, kAck, "");
}

}  // namespace connscope::testing
