// SPDX-License-Identifier: Apache-2.0
//
// HttpSender: requests to one server, over a connection that stays open between them, with TLS and authentication by
// the config. Secrets come from files, which are read anew for each request, so that they may change, and are in no
// message. Each request has one time limit for all of it; of an answer no more than kMaxAnswer bytes are kept. One
// thread. Source: libcurl's easy interface; RFC 9110 (status codes, Retry-After).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {

/// A server, and how it is talked to. Paths of files are empty where there are none.
struct HttpTarget {
  std::string url;  ///< http:// or https://, without user, query and a slash at the end
  std::chrono::milliseconds timeout{};
  std::string username;
  std::string password_file;
  std::string token_file;
  std::string ca_file;  ///< instead of the system's authorities
  std::string certificate_file;
  std::string key_file;

  /// Reads url, timeout, username, password_file, token_file, ca_file, certificate_file and key_file. Problems go to
  /// the document.
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
  explicit HttpSender(HttpTarget target, std::string token_scheme = "Bearer");
  ~HttpSender();
  HttpSender(HttpSender&&) noexcept;
  HttpSender& operator=(HttpSender&&) noexcept;

  /// The answer, whatever its status is. An error, which names the URL, where there is none.
  Result<HttpAnswer> exchange(const HttpRequest& request);
  /// The same as the outcome of a report: 2xx is success; 429, 5xx and no answer at all can be tried again.
  Sent send(const HttpRequest& request);

  [[nodiscard]] const HttpTarget& target() const { return target_; }

 private:
  struct Handle;

  HttpTarget target_;
  std::string token_scheme_;
  std::unique_ptr<Handle> handle_;
};

/// Percent-encoding of one part of a path or query (RFC 3986, 2.3).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Whether a request with this status can succeed later.
[[nodiscard]] constexpr bool is_retryable(long status) { return status == 429 || status >= 500; }

}  // namespace connscope::exporters
