// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_talk.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "tests/support/actor_socket.h"
#include "tests/support/actor_steps.h"

namespace connscope::actor {
namespace {

UniqueFd connected(const TalkOptions& options, const Address& peer) {
  UniqueFd fd = make_tcp_socket(peer.family(), options.end.mptcp);
  set_buffers(fd.get(), options.end.receive_buffer, options.end.send_buffer);
  // With fast open, five bytes are in the SYN.
  const bool begun = options.end.fast_open
                         ? ::sendto(fd.get(), "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, peer.get(), peer.length) == 5
                         : ::connect(fd.get(), peer.get(), peer.length) == 0;
  if (!begun) die(std::string("connect: ") + std::strerror(errno));
  return fd;
}

}  // namespace

int run_talk(const TalkOptions& options) {
  const Address peer = make_address(options.address, options.port);
  Connections connections;
  for (long i = 0; i < options.count; ++i) {
    connections.push_back(connected(options, peer));
    if (options.end.together) continue;
    run_steps(connections, options.end.steps);
    connections.clear();
  }
  if (options.end.together) run_steps(connections, options.end.steps);
  return 0;
}

}  // namespace connscope::actor
