// SPDX-License-Identifier: Apache-2.0
#include "agent/service/handed_over.h"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace connscope::service {
namespace {

/// What sd_listen_fds_with_names allocates: an array that ends with nullptr, of strings.
struct FreeNames {
  void operator()(char** names) const {
    for (char** name = names; *name != nullptr; ++name) std::free(*name);
    std::free(names);
  }
};

bool listens_on_tcp(int fd) { return ::sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0; }

}  // namespace

Result<std::vector<UniqueFd>> take_handed_over_sockets() {
  char** raw_names = nullptr;
  // The variables go, so that no program which the agent might start takes the sockets for its own.
  const int count = ::sd_listen_fds_with_names(1, &raw_names);
  if (count < 0) return Error::from_errno("LISTEN_FDS", -count);
  std::vector<UniqueFd> sockets;
  if (count == 0) return sockets;
  const std::unique_ptr<char*, FreeNames> names(raw_names);
  for (int i = 0; i < count; ++i) sockets.emplace_back(SD_LISTEN_FDS_START + i);
  for (int i = 0; i < count; ++i) {
    if (!listens_on_tcp(SD_LISTEN_FDS_START + i))
      return Error(std::string("socket '") + names.get()[i] +
                   "' of the service manager: is none that listens on TCP; allowed: ListenStream=HOST:PORT");
  }
  return sockets;
}

}  // namespace connscope::service
