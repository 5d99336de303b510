// SPDX-License-Identifier: Apache-2.0
//
// What a command's handler answers with. A Responder lives as long as the handler runs; a Stream as long as its holder
// likes, and it does no harm when its client has gone. Handlers and streams are of the main thread, and never block:
// what a client does not read waits in a buffer that is bounded.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace connscope::control {

class Connection;

/// The next line of an answer; nothing at its end. Called when there is room for it, on the main thread.
using Producer = std::function<std::optional<std::string>()>;

/// Lines that are sent as things happen, until the client goes.
class Stream {
 public:
  explicit Stream(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// False once the client is gone. One that does not read what waits for it is told so, dropped, and counted.
  bool send(const nlohmann::json& line);
  [[nodiscard]] bool is_open() const;

 private:
  std::weak_ptr<Connection> connection_;
};

class Responder {
 public:
  explicit Responder(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// One line of a short answer: all of them together must fit into the buffer, or the client is dropped.
  void send(const nlohmann::json& line);
  /// The rest of a long answer: `next` is asked for a line whenever the client has taken those before.
  void produce(Producer next);
  /// Ends the answer with an error, which says what is wrong and what is allowed.
  void fail(std::string_view message);
  /// Keeps the connection when the handler returns.
  [[nodiscard]] Stream stream();

 private:
  std::shared_ptr<Connection> connection_;
};

/// The object as one line, with its line end. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string line_of(const nlohmann::json& object);

}  // namespace connscope::control
