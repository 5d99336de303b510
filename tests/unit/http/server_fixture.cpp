// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/http/server_fixture.h"

#include <stdexcept>

namespace connscope::http {
namespace {

std::vector<Route> make_routes(Gate& gate) {
  const auto text = [](std::string body) {
    Response response;
    response.body = std::move(body);
    return response;
  };
  return {{"/hello", false, [text](const Request&) { return text("hello\n"); }},
          {"/echo", false,
           [text](const Request& r) {
             return text(r.method + "|" + r.path + "|" + r.query + "|" + r.accept + "|" + r.accept_encoding);
           }},
          {"/large", false, [text](const Request&) { return text(large_body()); }},
          {"/throw", false, [](const Request&) -> Response { throw std::runtime_error("secret"); }},
          {"/throw-limited", true, [](const Request&) -> Response { throw 42; }},
          {"/metrics", true, [text](const Request&) { return text(large_body()); }},
          {"/slow", true, [text, &gate](const Request&) {
             gate.pass();
             return text("slow\n");
           }}};
}

}  // namespace

const std::string& large_body() {
  static const std::string body = [] {
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "conn_tcp_connects_total{process=\"p" + std::to_string(i) + "\"} 1\n";
    return text;
  }();
  return body;
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++arrived_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return open_; });
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::wait_for_arrivals(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return arrived_ >= count; });
}

void ServerTest::start(ServerOptions options) {
  if (options.listen_addresses.empty()) options.listen_addresses = {"127.0.0.1:0"};
  auto server = Server::start(std::move(options), make_routes(gate_));
  ASSERT_TRUE(server) << server.error().message();
  server_ = std::move(*server);
  const auto place = testing::split_url(server_->urls().front());
  ASSERT_TRUE(place) << place.error().message();
  host_ = place->host;
  port_ = place->port;
}

void ServerTest::TearDown() {
  gate_.open();
  server_.reset();
}

testing::HttpConnection ServerTest::connect() const {
  auto connection = testing::HttpConnection::open(host_, port_);
  EXPECT_TRUE(connection) << connection.error().message();
  return std::move(connection.value());
}

testing::HttpReply ServerTest::get(const std::string& path, const testing::HttpHeaders& headers) const {
  auto reply = testing::http_get(host_, port_, path, headers);
  EXPECT_TRUE(reply) << reply.error().message();
  return reply ? *reply : testing::HttpReply{};
}

}  // namespace connscope::http
