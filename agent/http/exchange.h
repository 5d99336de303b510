// SPDX-License-Identifier: Apache-2.0
//
// One request and its response on a CivetWeb connection. Called on the connection's thread, inside CivetWeb's
// callbacks.
#pragma once

#include <civetweb.h>

#include "agent/http/message.h"

namespace connscope::http {

[[nodiscard]] Request read_request(const mg_request_info& info);

/// Whether bytes follow the header that nobody here reads: the connection must be closed behind the response then.
[[nodiscard]] bool announces_body(const mg_request_info& info);

enum class Afterwards { kClose, kKeepIfClientLikes };

/// Sends status line, headers and (but for HEAD) body. A client that does not take them in time is closed.
void write_response(mg_connection& connection, const Response& response, Afterwards afterwards);

}  // namespace connscope::http
