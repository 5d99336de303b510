// SPDX-License-Identifier: Apache-2.0
//
// The sockets that CivetWeb listens on. It keeps them to itself, but what they are set to is what keeps idle clients
// from taking its threads, so they are looked up among the process's descriptors: those that listen on its ports.
#pragma once

#include <cstdint>
#include <vector>

namespace connscope::http {

class ListeningSockets {
 public:
  ListeningSockets() = default;
  static ListeningSockets find(const std::vector<std::uint16_t>& ports);

  /// A connection is accepted only when its first bytes are there, or after about half a minute without
  /// (TCP_DEFER_ACCEPT): who connects and says nothing costs a few bytes in the kernel and no thread.
  void defer_accept() const;

  /// No connection is accepted from now on, and who waits for one in poll() wakes.
  void shut_down() const;

 private:
  explicit ListeningSockets(std::vector<int> descriptors);

  std::vector<int> descriptors_;  // not owned; valid until CivetWeb is told to stop
};

}  // namespace connscope::http
