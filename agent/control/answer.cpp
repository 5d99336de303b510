// SPDX-License-Identifier: Apache-2.0
#include "agent/control/answer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/control/connection.h"

namespace connscope::control {

std::string line_of(const nlohmann::json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool Stream::send(const nlohmann::json& line) {
  const auto connection = connection_.lock();
  return connection && connection->append_streamed(line_of(line));
}

bool Stream::is_open() const {
  const auto connection = connection_.lock();
  return connection && connection->is_streaming();
}

void Responder::send(const nlohmann::json& line) { connection_->append(line_of(line)); }

void Responder::produce(Producer next) { connection_->produce(std::move(next)); }

void Responder::fail(std::string_view message) { connection_->fail(message); }

Stream Responder::stream() {
  connection_->keep_streaming();
  return Stream(connection_);
}

}  // namespace connscope::control
