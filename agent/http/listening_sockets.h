// SPDX-License-Identifier: Apache-2.0
//
// The sockets that CivetWeb listens on. It keeps them to itself, but what they are set to is what keeps idle clients
// from taking its threads, so they are looked up among the process's descriptors: those that listen on its ports.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::http {

class ListeningSockets {
 public:
  ListeningSockets() = default;
  static ListeningSockets find(const std::vector<std::uint16_t>& ports);

  /// A connection is accepted only when its first bytes are there, or after about half a minute without
  /// (TCP_DEFER_ACCEPT): who connects and says nothing costs a few bytes in the kernel and no thread.
  void defer_accept() const;

  /// Puts other listening sockets in the places of these, since CivetWeb takes none that are made: from now on its
  /// descriptors are those sockets, and what it has bound is closed. There is one place more than `sockets`: it gets
  /// one that never has a connection, by which shut_down() wakes CivetWeb.
  Status become(std::vector<UniqueFd> sockets);

  /// No connection is accepted from now on, and who waits for one in poll() wakes. Sockets that become() was given are
  /// left as they are, for their other owner.
  void shut_down() const;

 private:
  explicit ListeningSockets(std::vector<int> descriptors);

  std::vector<int> descriptors_;  // not owned; valid until CivetWeb is told to stop
  UniqueFd waker_;                // the other end of the last of them, after become()
};

}  // namespace connscope::http
