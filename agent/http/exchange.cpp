// SPDX-License-Identifier: Apache-2.0
#include "agent/http/exchange.h"

#include <strings.h>

#include <array>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

namespace connscope::http {
namespace {

bool equal_ignoring_case(const char* a, const char* b) { return ::strcasecmp(a, b) == 0; }

/// The values of all headers of that name as one list (RFC 9110 §5.2).
std::string joined_header(const mg_request_info& info, const char* name) {
  std::string list;
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (!equal_ignoring_case(header.name, name)) continue;
    if (!list.empty()) list += ", ";
    list += header.value;
  }
  return list;
}

/// Never yes where CivetWeb itself would close, so that the `Connection` header that we send is true.
bool client_keeps_connection(const mg_request_info& info) {
  const std::string wish = joined_header(info, "Connection");
  if (!wish.empty()) return equal_ignoring_case(wish.c_str(), "keep-alive");
  return std::string_view(info.http_version) == "1.1";
}

/// RFC 9110 §5.6.7, in English whatever the locale: the agent never sets one.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

std::string head_of(const mg_connection& connection, const Response& response, bool keep) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(mg_get_response_code_text(&connection, response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  head.append("Content-Length: ").append(std::to_string(response.body.size()));
  head.append("\r\nDate: ").append(http_date());
  head.append("\r\nConnection: ").append(keep ? "keep-alive" : "close").append("\r\n\r\n");
  return head;
}

}  // namespace

Request read_request(const mg_request_info& info) {
  Request request;
  request.method = info.request_method;
  request.path = info.local_uri_raw;  // local_uri is the same with "." and ".." taken out
  if (info.query_string != nullptr) request.query = info.query_string;
  request.accept = joined_header(info, "Accept");
  request.accept_encoding = joined_header(info, "Accept-Encoding");
  return request;
}

bool announces_body(const mg_request_info& info) {
  const std::string length = joined_header(info, "Content-Length");
  return !joined_header(info, "Transfer-Encoding").empty() || (!length.empty() && length != "0");
}

void write_response(mg_connection& connection, const Response& response, Afterwards afterwards) {
  const mg_request_info& info = *mg_get_request_info(&connection);
  const bool keep = afterwards == Afterwards::kKeepIfClientLikes && client_keeps_connection(info);
  const bool to_head = info.request_method != nullptr && std::string_view(info.request_method) == "HEAD";
  std::string bytes = head_of(connection, response, keep);
  if (!to_head) bytes += response.body;  // one piece: without Nagle's algorithm each write is a packet
  const int written = mg_write(&connection, bytes.data(), bytes.size());
  const bool whole = written >= 0 && static_cast<std::size_t>(written) == bytes.size();
  if (!keep || !whole) mg_disable_connection_keep_alive(&connection);
}

}  // namespace connscope::http
