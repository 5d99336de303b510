// SPDX-License-Identifier: Apache-2.0
#include "agent/http/finish.h"

#include <civetweb.h>

#include <string>

#include "agent/http/accept.h"
#include "agent/http/gzip.h"

namespace connscope::http {
namespace {

constexpr std::size_t kWorthCompressing = 1024;  // below, one packet carries the body either way

}  // namespace

Response finish(Response response, std::string_view accept_encoding) {
  if (response.body.size() > kWorthCompressing && accepts_gzip(accept_encoding)) {
    if (auto packed = gzip(response.body)) {  // when it fails, the plain body is as good an answer
      response.body = std::move(*packed);
      response.headers.emplace_back("Content-Encoding", "gzip");
    }
  }
  if (!response.content_type.empty()) response.headers.emplace_back("Content-Type", response.content_type);
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

Response plain_response(int status, std::string_view detail) {
  Response response;
  response.status = status;
  response.body = std::to_string(status) + " " + mg_get_response_code_text(nullptr, status);
  if (!detail.empty()) response.body += ": " + std::string(detail);
  response.body += "\n";
  return response;
}

}  // namespace connscope::http
