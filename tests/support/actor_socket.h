// SPDX-License-Identifier: Apache-2.0
//
// Sockets and results of tcp_actor, on nothing but the C library. Errors are errno values, 0 is success.
// A failure that is no subject of a test (socket(), setsockopt()) ends the program.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/unique_fd.h"

namespace connscope::actor {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// An IPv4 address, or an IPv6 one (`::ffff:a.b.c.d` is IPv4 through an IPv6 socket).
Address make_address(const std::string& text, std::uint16_t port);

UniqueFd make_tcp_socket(int family, bool mptcp);
void set_option(int fd, int level, int name, int value);
void set_nonblocking(int fd);
/// Bytes; 0 leaves the kernel's.
void set_buffers(int fd, int receive, int send);
/// Closing then sends an RST and leaves no TIME_WAIT, so that a test's ports are free at once.
void reset_on_close(int fd);
/// Waits for a connect's end; false when `timeout_ms` passed before it. −1 waits without limit.
bool await_writable(int fd, long timeout_ms);
/// Waits until one of `events` or an error is there.
void await_events(int fd, short events);
/// The port that the socket is bound to.
std::uint16_t local_port(int fd);
/// Fetches and clears SO_ERROR.
int take_socket_error(int fd);

std::int64_t now_us();

/// Writes "WORD MICROSECONDS\n" to standard output in one write, so that lines of threads and children never mix.
void print_result(std::string_view word, std::int64_t duration_us);
/// "ok" for 0, else the error's name.
std::string_view result_name(int error);

}  // namespace connscope::actor
