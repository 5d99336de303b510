// SPDX-License-Identifier: Apache-2.0
//
// ConnectionsPage: the last connections with their timings, as the route /connections gives them (FEATURES L31), and
// [connections] of the config. Off by default, and then nothing is kept. Peers and hosts are shown only where the
// config asks for it (FEATURES D17). Made and reloaded on the collecting thread; the route's handler runs on the
// server's.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "agent/config/document.h"
#include "agent/detail/connection_feed.h"
#include "agent/detail/recent_connections.h"
#include "agent/http/message.h"
#include "agent/http/server.h"
#include "agent/terminal/connection_json.h"

namespace connscope::runtime {

struct ConnectionsSettings {
  std::size_t keep = 0;  ///< how many; 0: off
  terminal::Privacy shown;

  /// Problems go to the document that `root` belongs to.
  static ConnectionsSettings parse(config::Section root);
};

class ConnectionsPage {
 public:
  /// `feed` outlives this, and this the HTTP server.
  explicit ConnectionsPage(detail::ConnectionFeed& feed) : feed_(feed) {}

  /// Those that were kept are forgotten when their number changes.
  void apply(const ConnectionsSettings& settings);
  [[nodiscard]] http::Route route();

 private:
  struct Kept {
    ConnectionsSettings settings;
    std::shared_ptr<detail::RecentConnections> recent;  // nullptr: off
  };
  [[nodiscard]] Kept kept() const;
  [[nodiscard]] http::Response answer(const http::Request& request) const;

  detail::ConnectionFeed& feed_;
  detail::ConnectionFeed::Subscription subscription_;
  mutable std::mutex mutex_;
  Kept kept_;
};

}  // namespace connscope::runtime
