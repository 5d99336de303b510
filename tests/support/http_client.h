// SPDX-License-Identifier: Apache-2.0
//
// A small blocking HTTP/1.1 client for tests: it shows the reply as it came, so that a test can look at each header.
// One thread a connection. Every call gives up after ten seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
  int status = 0;
  HttpHeaders headers;
  std::string raw_body;  ///< as sent, chunks joined
  std::string body;      ///< raw_body, unpacked when Content-Encoding says gzip

  /// The value of the first such header in any case; empty when there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const;
};

/// One connection, for several requests one after another.
class HttpConnection {
 public:
  /// `host` is an address or a name; brackets around an IPv6 address are allowed.
  static Result<HttpConnection> open(const std::string& host, std::uint16_t port);

  /// Sends the bytes as they are.
  Status send(std::string_view bytes);
  /// Reads one reply; `to_head` says that there is no body whatever the headers promise.
  Result<HttpReply> receive(bool to_head = false);
  /// Sends a request with Host and `headers`, and reads its reply.
  Result<HttpReply> request(const std::string& method, const std::string& path, const HttpHeaders& headers = {});
  /// True when the server has closed the connection (waits for it).
  [[nodiscard]] bool closed_by_server();
  /// Bytes that came after the last reply.
  [[nodiscard]] const std::string& rest() const { return buffer_; }

 private:
  explicit HttpConnection(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<std::string> read_until(std::string_view mark);
  Result<std::string> read_bytes(std::size_t count);
  Result<std::string> read_chunks();
  Result<bool> fill();

  UniqueFd fd_;
  std::string buffer_;
};

/// GET over a connection of its own.
Result<HttpReply> http_get(const std::string& host, std::uint16_t port, const std::string& path,
                           const HttpHeaders& headers = {});

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "http://[::1]:9752" taken apart.
Result<HostAndPort> split_url(std::string_view url);

}  // namespace connscope::testing
