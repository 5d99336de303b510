// SPDX-License-Identifier: Apache-2.0
//
// HttpSender: requests to one server, over a connection that stays open between them, with TLS and authentication by
// the config (server_access.h). Each request has one time limit for all of it; of an answer no more than kMaxAnswer
// bytes are kept. One thread. Source: libcurl's easy interface; RFC 9110 (status codes, Retry-After).
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "exporters/report_exporter.h"
#include "exporters/server_access.h"

namespace connscope::exporters {

/// A server, and how it is talked to.
struct HttpTarget {
  std::string url;  ///< http:// or https://, without user, query and a slash at the end
  ServerAccess access;
  std::string token_file;  ///< instead of username and password

  /// Reads url, token_file and what ServerAccess has. Problems go to the document.
  static HttpTarget parse(const config::Section& section, std::string_view default_url);
};

struct HttpRequest {
  const char* method = "POST";
  std::string path;  ///< behind the target's URL, with its query, encoded
  std::vector<std::string> headers;
  std::string_view body;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::chrono::milliseconds retry_after{0};  ///< what the server asks for; 0: nothing
};

class HttpSender {
 public:
  static constexpr std::size_t kMaxAnswer = 64U << 10U;

  /// `token_scheme` comes before the token in the header Authorization: "Bearer", "Token".
  explicit HttpSender(HttpTarget target, std::string token_scheme = "Bearer")
      : target_(std::move(target)), token_scheme_(std::move(token_scheme)) {}

  /// The answer, whatever its status is. An error, which names the URL, where there is none.
  Result<HttpAnswer> exchange(const HttpRequest& request);
  /// The same as the outcome of a report: 2xx is success; 429, 5xx and no answer at all can be tried again.
  Sent send(const HttpRequest& request);
  /// What the answer to a body of so many bytes means for a report.
  [[nodiscard]] Sent judge(const Result<HttpAnswer>& answer, std::size_t bytes) const;

  [[nodiscard]] const HttpTarget& target() const { return target_; }

 private:
  class Headers;
  Status authenticate(Headers& headers);

  HttpTarget target_;
  std::string token_scheme_;
  CurlHandle curl_;
};

/// Percent-encoding of one part of a path or query (RFC 3986, 2.3).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Whether a request with this status can succeed later.
[[nodiscard]] constexpr bool is_retryable(long status) { return status == 429 || status >= 500; }

}  // namespace connscope::exporters
