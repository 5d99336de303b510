// SPDX-License-Identifier: Apache-2.0
//
// Client: the command line's end of the control socket; one request and its answer. Blocks. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::control {

class Client {
 public:
  /// Connects and sends the request. The error says in a person's terms why there is no agent to talk to.
  static Result<Client> ask(const std::string& path, const nlohmann::json& request);

  /// The next line of the answer; nothing after its good end. An error is the agent's own, or says that the answer was
  /// cut off, or that nothing came for `patience`; without one it waits for as long as it takes.
  Result<std::optional<nlohmann::json>> next(std::optional<std::chrono::milliseconds> patience = std::nullopt);

 private:
  explicit Client(UniqueFd socket) : socket_(std::move(socket)) {}
  Status read_more(std::optional<std::chrono::milliseconds> patience);

  UniqueFd socket_;
  std::string received_;
};

/// Hands every line of the answer to `on_line`, which must not throw.
Status ask_for_all(const std::string& path, const nlohmann::json& request,
                   const std::function<void(const nlohmann::json&)>& on_line);

}  // namespace connscope::control
