// SPDX-License-Identifier: Apache-2.0
//
// RedisClient: pipelined commands to one server, with TLS, AUTH and a database by the config. libcurl makes the
// connection and its TLS, as Debian's hiredis has none; hiredis reads what comes. The connection is made with the first
// commands, and anew after an error, so that a server may come late, go, and come back. One thread; each call ends
// within the timeout. Source: Redis' protocol specification (RESP2); libcurl's CURLOPT_CONNECT_ONLY.
#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "exporters/server_access.h"
#include "exporters/socket_address.h"

namespace connscope::exporters {

struct RedisTarget {
  SocketAddress address;
  ServerAccess access;  ///< a username needs Redis 6
  bool has_tls = false;
  int database = 0;

  /// Reads address, tls, database and what ServerAccess has. Problems go to the document.
  static RedisTarget parse(const config::Section& section);
};

/// Commands as they go over the wire.
class RedisCommands {
 public:
  void add(std::initializer_list<std::string_view> words);
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::size_t count_ = 0;
  std::string bytes_;
};

using RedisReply = std::unique_ptr<redisReply, void (*)(void*)>;

[[nodiscard]] inline bool is_error(const redisReply& reply) { return reply.type == REDIS_REPLY_ERROR; }
[[nodiscard]] inline std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}

class RedisClient {
 public:
  /// Of all answers to one call.
  static constexpr std::size_t kMaxAnswer = 256U << 20U;

  explicit RedisClient(RedisTarget target);

  /// One reply a command, errors of the server's among them. An error, which names the server, where there is none to
  /// talk to: then it is not known which commands it has run.
  Result<std::vector<RedisReply>> run(const RedisCommands& commands);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  Result<std::vector<RedisReply>> exchange(const RedisCommands& commands);
  Status connect();
  Status log_in();
  Status send(std::string_view bytes, Deadline deadline);
  Result<std::vector<RedisReply>> receive(std::size_t count, Deadline deadline);

  RedisTarget target_;
  std::optional<CurlHandle> curl_;  // while it is connected
  int socket_ = -1;                 // curl's
};

}  // namespace connscope::exporters
