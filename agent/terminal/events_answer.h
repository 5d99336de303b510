// SPDX-License-Identifier: Apache-2.0
//
// The agent's half of `events`: who follows failures and outliers, each with filters of its own. The request may have
// "process" (a glob), "stage", and "kinds" (a list of "failure" and "outlier"; both when there is none). The answer
// begins with {"following": true}, and goes on with a connection a line (connection_json.h) until one side goes.
//
// Peers and hosts are told: only root and the agent's own user get here, who can see them anyway.
//
// Owns the subscriptions. The main thread only; `feed` outlives this, and this outlives the control server.
#pragma once

#include <list>
#include <memory>

#include "agent/control/server.h"
#include "agent/detail/connection_feed.h"

namespace connscope::terminal {

class EventFollowers {
 public:
  explicit EventFollowers(detail::ConnectionFeed& feed) : feed_(feed) {}

  [[nodiscard]] control::Handler handler();
  /// Ends the subscriptions of those who have gone, so that the kernel tells nothing to nobody. To be called now and
  /// then, and not by the feed.
  void forget_gone();

 private:
  struct Follower;
  void follow(const nlohmann::json& request, control::Responder& responder);

  detail::ConnectionFeed& feed_;
  std::list<std::shared_ptr<Follower>> followers_;
};

}  // namespace connscope::terminal
