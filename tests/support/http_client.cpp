// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

namespace connscope::testing {
namespace {

constexpr time_t kPatienceSeconds = 10;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

Result<std::size_t> parse_number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) {
    return Error("not a number: \"" + std::string(text) + "\"");
  }
  return value;
}

Result<HttpReply> parse_head(std::string_view head) {
  HttpReply reply;
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1.") return Error("not HTTP: \"" + std::string(line) + "\"");
  const auto status = parse_number(line.substr(9, 3), 10);
  if (!status) return status.error();
  reply.status = static_cast<int>(*status);
  head.remove_prefix(line_end + 2);
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::size_t colon = head.find(':');
    if (colon == std::string_view::npos || colon > end) return Error("not a header: \"" + std::string(head) + "\"");
    std::string_view value = head.substr(colon + 1, end - colon - 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    reply.headers.emplace_back(head.substr(0, colon), value);
    head.remove_prefix(end + 2);
  }
  return reply;
}

Result<std::string> gunzip(const std::string& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Error("inflateInit2");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string plain;
  std::array<char, 65536> chunk{};
  for (int result = Z_OK; result != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) return Error(std::string("inflate: ") + zError(result));
    plain.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  if (stream.avail_in != 0) return Error("inflate: bytes after the end");
  return plain;
}

}  // namespace

bool HttpReply::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return equal_ignoring_case(h.first, name); });
}

std::string HttpReply::header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return equal_ignoring_case(h.first, name); });
  return found == headers.end() ? std::string() : found->second;
}

Result<HttpConnection> HttpConnection::open(const std::string& host, std::uint16_t port) {
  std::string bare = host;
  if (bare.size() > 2 && bare.front() == '[') bare = bare.substr(1, bare.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(bare.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Error(host + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  int last_errno = 0;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    UniqueFd fd(::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{kPatienceSeconds, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd.get(), a->ai_addr, a->ai_addrlen) == 0) return HttpConnection(std::move(fd));
    last_errno = errno;
  }
  return Error::from_errno("connect to " + host + ":" + std::to_string(port), last_errno);
}

Status HttpConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) return Error::from_errno("send", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// False at the end of the stream.
Result<bool> HttpConnection::fill() {
  std::array<char, 16384> chunk{};
  const ssize_t n = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (n < 0) return Error::from_errno("recv", errno);
  buffer_.append(chunk.data(), static_cast<std::size_t>(n));
  return n > 0;
}

bool HttpConnection::closed_by_server() {
  for (;;) {
    const auto more = fill();
    if (!more) return more.error().code() == ECONNRESET;
    if (!*more) return true;
  }
}

Result<std::string> HttpConnection::read_until(std::string_view mark) {
  for (;;) {
    const std::size_t at = buffer_.find(mark);
    if (at != std::string::npos) return read_bytes(at + mark.size());
    const auto more = fill();
    if (!more) return more.error();
    if (!*more) return Error("the server closed the connection after \"" + buffer_ + "\"");
  }
}

Result<std::string> HttpConnection::read_bytes(std::size_t count) {
  while (buffer_.size() < count) {
    const auto more = fill();
    if (!more) return more.error();
    if (!*more) return Error("the body ends early");
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

Result<std::string> HttpConnection::read_chunks() {
  std::string body;
  for (;;) {
    const auto line = read_until("\r\n");
    if (!line) return line.error();
    const auto size = parse_number(std::string_view(*line).substr(0, line->find_first_of(";\r")), 16);
    if (!size) return size.error().context("chunk size");
    const auto chunk = read_bytes(*size + 2);
    if (!chunk) return chunk.error();
    if (*size == 0) return body;
    body.append(*chunk, 0, *size);
  }
}

Result<HttpReply> HttpConnection::receive(bool to_head) {
  const auto head = read_until("\r\n\r\n");
  if (!head) return head.error();
  auto reply = parse_head(std::string_view(*head).substr(0, head->size() - 2));
  if (!reply || to_head) return reply;
  Result<std::string> body = std::string();
  if (equal_ignoring_case(reply->header("Transfer-Encoding"), "chunked")) {
    body = read_chunks();
  } else if (reply->has_header("Content-Length")) {
    const auto length = parse_number(reply->header("Content-Length"), 10);
    if (!length) return length.error();
    body = read_bytes(*length);
  }
  if (!body) return body.error();
  reply->raw_body = *body;
  reply->body = *body;
  if (reply->header("Content-Encoding") != "gzip") return reply;
  auto plain = gunzip(reply->raw_body);
  if (!plain) return plain.error();
  reply->body = std::move(*plain);
  return reply;
}

Result<HttpReply> HttpConnection::request(const std::string& method, const std::string& path,
                                          const HttpHeaders& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: test\r\n";
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
  if (const auto sent = send(text + "\r\n"); !sent) return sent.error();
  return receive(method == "HEAD");
}

Result<HttpReply> http_get(const std::string& host, std::uint16_t port, const std::string& path,
                           const HttpHeaders& headers) {
  auto connection = HttpConnection::open(host, port);
  if (!connection) return connection.error();
  return connection->request("GET", path, headers);
}

Result<HostAndPort> split_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t colon = url.rfind(':');
  if (url.substr(0, kScheme.size()) != kScheme || colon <= kScheme.size()) return Error("not a URL with a port");
  const auto port = parse_number(url.substr(colon + 1), 10);
  if (!port) return port.error();
  return HostAndPort{std::string(url.substr(kScheme.size(), colon - kScheme.size())),
                     static_cast<std::uint16_t>(*port)};
}

}  // namespace connscope::testing
