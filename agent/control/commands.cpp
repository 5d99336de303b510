// SPDX-License-Identifier: Apache-2.0
#include "agent/control/commands.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "agent/control/connection.h"
#include "agent/control/protocol.h"

namespace connscope::control {

bool Commands::answer(const std::string& text, const std::shared_ptr<Connection>& connection) const {
  Responder responder(connection);
  const auto refuse = [&](const std::string& message) { return responder.fail(message), false; };
  const auto request = nlohmann::json::parse(text, nullptr, false);
  if (!request.is_object()) return refuse("the request is no JSON object; allowed: {\"command\": NAME, ...}");
  const auto command = request.find(kCommandKey);
  if (command == request.end() || !command->is_string()) return refuse("the request has no \"command\" that is text");
  const auto name = command->get<std::string>();
  const auto handler = handlers_.find(name);
  if (handler == handlers_.end()) return refuse("unknown command \"" + name + "\"; allowed: " + names());
  call(*handler, request, responder);
  connection->end_answer();
  return true;
}

void Commands::call(const Handlers::value_type& handler, const nlohmann::json& request, Responder& responder) {
  try {
    handler.second(request, responder);
  } catch (const std::exception& error) {
    responder.fail(handler.first + ": " + error.what());
  }
}

std::string Commands::names() const {
  std::string names;
  for (const auto& [name, handler] : handlers_) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace connscope::control
