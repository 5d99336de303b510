// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/packet_run.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/integration/lab.h"

namespace connscope::testing {
namespace {

/// The link's and the IPv4 header before a transport's.
std::string framed(char protocol, const std::string& transport) {
  const std::string link = std::string(12, '\1') + std::string("\x08\x00", 2);
  const std::string begin = std::string("\x45\x00", 2) + number(20 + transport.size()) + std::string(4, '\0');
  return link + begin + '\x40' + protocol + number(0) + std::string("\x7f\0\0\1\x7f\0\0\1", 8) + transport;
}

}  // namespace

std::string number(std::size_t value) { return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)}; }

std::string udp_packet(std::uint16_t from, std::uint16_t to, const std::string& message) {
  return framed(17, number(from) + number(to) + number(8 + message.size()) + number(0) + message);
}

std::string tcp_packet(std::uint16_t from, std::uint16_t to, const std::string& stream) {
  const std::string rest = std::string("\x50\x18", 2) + number(1024) + number(0) + number(0);
  return framed(6, number(from) + number(to) + std::string(8, '\2') + rest + stream);
}

UniqueFd program_at(const std::string& root, Direction direction, const std::string& name) {
  for (const std::uint32_t id : must(programs_at(root, direction))) {
    UniqueFd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 && name == info.name) return program;
  }
  throw std::runtime_error("no program " + name + " at " + root);
}

int run(const UniqueFd& program, const std::string& packet) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = packet.data();
  options.data_size_in = static_cast<std::uint32_t>(packet.size());
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program.get(), &options) != 0) throw std::runtime_error(std::strerror(errno));
  return static_cast<int>(options.retval);
}

}  // namespace connscope::testing
