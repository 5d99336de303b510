// SPDX-License-Identifier: Apache-2.0
#include "exporters/redis_client.h"

#include <hiredis/read.h>
#include <poll.h>

#include <array>
#include <string>
#include <utility>

namespace connscope::exporters {
namespace {

using Clock = std::chrono::steady_clock;
using Reader = std::unique_ptr<redisReader, void (*)(redisReader*)>;

Error error_of(CURLcode code) { return Error(curl_easy_strerror(code)); }

}  // namespace

RedisTarget RedisTarget::parse(const config::Section& section) {
  RedisTarget target;
  target.address = SocketAddress::parse(section, "address", "127.0.0.1:6379");
  target.access = ServerAccess::parse(section);
  target.has_tls = section.flag("tls", false);
  target.database = static_cast<int>(section.integer("database", 0, 0, 1'000'000));
  if (!target.access.username.empty() && target.access.password_file.empty())
    section.fail("username", "has no password_file beside it; allowed: both, password_file alone, or neither");
  return target;
}

void RedisCommands::add(std::initializer_list<std::string_view> words) {
  const auto begin = [this](char kind, std::size_t number) {
    bytes_ += kind;
    bytes_ += std::to_string(number);
    bytes_ += "\r\n";
  };
  begin('*', words.size());
  for (const std::string_view word : words) {
    begin('$', word.size());
    bytes_ += word;
    bytes_ += "\r\n";
  }
  ++count_;
}

RedisClient::RedisClient(RedisTarget target) : target_(std::move(target)) {}

Result<std::vector<RedisReply>> RedisClient::run(const RedisCommands& commands) {
  auto replies = exchange(commands);
  if (replies) return replies;
  curl_.reset();
  return replies.error().context(target_.address.text());
}

Result<std::vector<RedisReply>> RedisClient::exchange(const RedisCommands& commands) {
  if (auto connected = connect(); !connected) return connected.error();
  const auto deadline = Clock::now() + target_.access.timeout;
  if (auto sent = send(commands.bytes(), deadline); !sent) return sent.error();
  return receive(commands.count(), deadline);
}

Status RedisClient::connect() {
  // Between commands a server says nothing: it has closed the connection, as it does with idle ones.
  if (curl_ && wait_for(socket_, POLLIN, Clock::now())) curl_.reset();
  if (curl_) return {};
  curl_.emplace();
  if (auto ready = curl_->reset(target_.access); !ready) return ready;
  const std::string url = (target_.has_tls ? "https://" : "http://") +
                          (target_.address.path.empty() ? target_.address.text() : std::string("localhost"));
  curl_->set(CURLOPT_URL, url.c_str());
  curl_->set(CURLOPT_CONNECT_ONLY, 1L);
  curl_->set(CURLOPT_SSL_ENABLE_ALPN, 0L);
  curl_->set(CURLOPT_PROXY, "");  // the environment's are for HTTP
  if (!target_.address.path.empty()) curl_->set(CURLOPT_UNIX_SOCKET_PATH, target_.address.path.c_str());
  if (auto connected = curl_->perform(); !connected) return connected;
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl_->get(), CURLINFO_ACTIVESOCKET, &socket);
  socket_ = socket;
  return log_in();
}

Status RedisClient::log_in() {
  RedisCommands commands;
  if (!target_.access.password_file.empty()) {
    const auto password = read_secret(target_.access.password_file);
    if (!password) return password.error();
    if (target_.access.username.empty()) {
      commands.add({"AUTH", *password});
    } else {
      commands.add({"AUTH", target_.access.username, *password});
    }
  }
  if (target_.database != 0) commands.add({"SELECT", std::to_string(target_.database)});
  if (commands.count() == 0) return {};
  const auto deadline = Clock::now() + target_.access.timeout;
  if (auto sent = send(commands.bytes(), deadline); !sent) return sent;
  auto replies = receive(commands.count(), deadline);
  if (!replies) return replies.error();
  for (const RedisReply& reply : *replies)
    if (is_error(*reply)) return Error("refuses us: " + std::string(text_of(*reply)));
  return {};
}

Status RedisClient::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(curl_->get(), bytes.data(), bytes.size(), &sent);
    bytes.remove_prefix(sent);
    if (code == CURLE_AGAIN) {
      if (auto waited = wait_for(socket_, POLLOUT, deadline); !waited) return waited;
    } else if (code != CURLE_OK) {
      return error_of(code);
    }
  }
  return {};
}

Result<std::vector<RedisReply>> RedisClient::receive(std::size_t count, Deadline deadline) {
  const Reader reader(redisReaderCreate(), redisReaderFree);
  std::vector<RedisReply> replies;
  std::array<char, 16384> buffer;  // NOLINT(*-member-init)
  std::size_t received = 0;
  while (replies.size() < count) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader.get(), &reply) != REDIS_OK)
      return Error("speaks no Redis: " + std::string(reader->errstr));
    if (reply != nullptr) {
      replies.emplace_back(static_cast<redisReply*>(reply), freeReplyObject);
      continue;
    }
    std::size_t length = 0;
    const CURLcode code = curl_easy_recv(curl_->get(), buffer.data(), buffer.size(), &length);
    if (code == CURLE_AGAIN) {
      if (auto waited = wait_for(socket_, POLLIN, deadline); !waited) return waited.error();
      continue;
    }
    if (code != CURLE_OK) return error_of(code);
    if (length == 0) return Error("has closed the connection");
    received += length;
    if (received > kMaxAnswer) return Error("answers with too much");
    redisReaderFeed(reader.get(), buffer.data(), length);
  }
  return replies;
}

}  // namespace connscope::exporters
