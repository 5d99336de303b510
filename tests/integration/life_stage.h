// SPDX-License-Identifier: Apache-2.0
//
// One connection between two actors, from its handshake to the end of both programs, with hands on the path between
// them. Each stage has a port of its own, so that several can be played at the same time. One thread at a time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "tests/integration/world.h"

namespace connscope::testing {

/// What one end is told to do: flags of `tcp_actor talk` or `serve`, and steps.
struct Part {
  std::string steps;
  std::vector<std::string> flags = {};
};

class Stage {
 public:
  /// Returns when both ends have the connection; each waits for a line then.
  static Result<Stage> open(const World& world, const Actor& client_actor, const Actor& server_actor,
                            const std::string& address, const Part& client, const Part& server);

  ChildProcess& client() { return client_; }
  ChildProcess& server() { return listener_.process; }
  [[nodiscard]] const std::string& port() const { return listener_.port; }

  /// Lets that end go on.
  static void go(ChildProcess& end);
  void go_both();
  /// Waits until that end has printed a line that begins with `word`.
  static void await(ChildProcess& end, const std::string& word);
  /// Waits until the end has ended by itself, and well. Its input is closed.
  static void await_end(ChildProcess& end);

  /// From now on nothing arrives at either end, at `first` a little sooner; what is sent leaves its sender all the
  /// same.
  void cut(const ChildProcess& first);
  /// Nothing that carries a FIN arrives.
  void cut_ends();
  void mend();
  /// Has the kernel of that end destroy the connection, as an administrator does.
  void destroy(const ChildProcess& end);
  /// Waits until that end's kernel has sent something again.
  void await_retransmission(const ChildProcess& end);
  /// Waits until that end's kernel has forgotten the connection, whose program may be gone long since.
  void await_gone(const ChildProcess& end);

  /// What an end printed after it had the connection.
  static std::vector<std::string> said(const ChildProcess& end);

  /// The connection surely lived as long as from one call of these to the other, and no longer than since `begun`.
  [[nodiscard]] std::chrono::steady_clock::time_point begun() const { return begun_; }
  [[nodiscard]] std::chrono::steady_clock::time_point established() const { return established_; }

 private:
  Stage(const World& world, Listener listener, ChildProcess client, std::chrono::steady_clock::time_point begun)
      : world_(&world), listener_(std::move(listener)), client_(std::move(client)), begun_(begun) {}
  void drop(const ChildProcess& first, const std::string& condition);
  /// Runs `ss` with these words on the connection where that end is; what it lists.
  [[nodiscard]] std::string ss(const ChildProcess& end, std::vector<std::string> words) const;

  const World* world_;
  Listener listener_;
  ChildProcess client_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point established_;
};

}  // namespace connscope::testing
