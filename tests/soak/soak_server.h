// SPDX-License-Identifier: Apache-2.0
//
// The soak's server: one thread that does what its clients ask, with a tally of its own.
#pragma once

#include <unordered_map>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/soak/soak_peer.h"

namespace connscope::soak {

/// Serves until the program is asked to end, and from then on until its last client has gone.
class Server {
 public:
  explicit Server(Tally& tally);
  /// Says the port on standard output first.
  Status run();

 private:
  void watch(int fd);
  Status accept(int listener);
  Status serve(int client);
  Status see_end(int client, int error);
  Status end(int client, bool by_reset);

  Tally& tally_;
  UniqueFd epoll_;
  std::unordered_map<int, UniqueFd> clients_;
};

}  // namespace connscope::soak
