// SPDX-License-Identifier: Apache-2.0
//
// What a handler gets and gives. Both own their strings, so a handler may keep or move them as it likes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace connscope::http {

struct Request {
  std::string method;           ///< as sent: "GET" or "HEAD" by the time a handler sees it
  std::string path;             ///< as sent, not percent-decoded, without the query
  std::string query;            ///< as sent, without the `?`; parse_query() reads it
  std::string accept;           ///< the Accept header; several lines are joined by ", "; empty when there was none
  std::string accept_encoding;  ///< the Accept-Encoding header, likewise
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Called from several threads at once. What it throws becomes a 500. For HEAD it answers as for GET: the server
/// leaves the body out.
using Handler = std::function<Response(const Request&)>;

}  // namespace connscope::http
