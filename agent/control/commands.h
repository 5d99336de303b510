// SPDX-License-Identifier: Apache-2.0
//
// Commands: from the text of a request to the handler of its command, without sockets. The main thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "agent/control/answer.h"

namespace connscope::control {

/// `request` is the JSON object that was sent, whatever else is in it. Called on the main thread; what it throws is
/// answered as an error.
using Handler = std::function<void(const nlohmann::json& request, Responder& responder)>;

class Commands {
 public:
  /// A name that is registered twice keeps the last handler.
  void add(const std::string& name, Handler handler) { handlers_[name] = std::move(handler); }

  /// Answers on the connection; false when the request is none of ours, which the answer says.
  bool answer(const std::string& text, const std::shared_ptr<Connection>& connection) const;

 private:
  using Handlers = std::map<std::string, Handler, std::less<>>;
  [[nodiscard]] std::string names() const;
  static void call(const Handlers::value_type& handler, const nlohmann::json& request, Responder& responder);

  Handlers handlers_;
};

}  // namespace connscope::control
