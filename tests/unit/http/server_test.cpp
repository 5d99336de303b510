// SPDX-License-Identifier: Apache-2.0
#include "agent/http/server.h"

#include <civetweb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "tests/unit/http/server_fixture.h"

namespace connscope::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ServerTest, AnswersWithTheHeadersThatEveryReplyHas) {
  start();
  const auto reply = get("/hello");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hello\n");
  EXPECT_EQ(reply.header("Content-Length"), "6");
  EXPECT_EQ(reply.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(reply.header("Vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(reply.has_header("Server"));
  EXPECT_FALSE(reply.has_header("Content-Encoding"));
}

TEST_F(ServerTest, HandlersSeeTheRequest) {
  start();
  EXPECT_EQ(
      get("/echo?name[]=a%20b&x=1", {{"aCCept", "text/plain"}, {"ACCEPT", "a/b"}, {"accept-encoding", "br"}}).body,
      "GET|/echo|name[]=a%20b&x=1|text/plain, a/b|br");
  EXPECT_EQ(get("/echo").body, "GET|/echo|||");
  EXPECT_EQ(get("http://test:" + std::to_string(port_) + "/echo?q").body, "GET|/echo|q||") << "absolute form";
}

TEST_F(ServerTest, LargeBodiesAreCompressedForThoseWhoLikeIt) {
  start();
  for (const char* path : {"/large", "/metrics"}) {
    const auto packed = get(path, {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_EQ(packed.header("Content-Length"), std::to_string(packed.raw_body.size()));
    EXPECT_LT(packed.raw_body.size(), large_body().size() / 4);
    EXPECT_EQ(packed.body, large_body());
    const auto plain = get(path, {{"Accept-Encoding", "gzip;q=0"}});
    EXPECT_FALSE(plain.has_header("Content-Encoding"));
    EXPECT_EQ(plain.raw_body, large_body());
  }
  EXPECT_FALSE(get("/hello", {{"Accept-Encoding", "gzip"}}).has_header("Content-Encoding"));
}

TEST_F(ServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  start();
  auto connection = connect();
  for (const char* path : {"/hello", "/metrics", "/nowhere"}) {
    const auto by_get = connection.request("GET", path);
    const auto by_head = connection.request("HEAD", path);
    ASSERT_TRUE(by_get && by_head);
    EXPECT_EQ(by_head->status, by_get->status);
    EXPECT_EQ(by_head->header("Content-Length"), std::to_string(by_get->body.size()));
    EXPECT_EQ(by_head->header("Content-Type"), by_get->header("Content-Type"));
  }
  const auto next = connection.request("GET", "/hello");
  ASSERT_TRUE(next) << "a body after HEAD would be taken for this reply: " << next.error().message();
  EXPECT_EQ(next->body, "hello\n");
}

TEST_F(ServerTest, OtherMethodsAreRefused) {
  start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto reply = connect().request(method, "/hello", {{"Content-Length", "0"}});
    ASSERT_TRUE(reply) << method << ": " << reply.error().message();
    EXPECT_EQ(reply->status, 405) << method;
    EXPECT_EQ(reply->header("Allow"), "GET, HEAD");
  }
}

TEST_F(ServerTest, PathsAreExact) {
  start();
  for (const char* path : {"/", "/hell", "/hello/", "/hello/../hello", "//hello", "/%68ello", "/hello%00", "/HELLO"}) {
    const auto reply = get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.body, "404 Not Found\n");
  }
}

TEST_F(ServerTest, AThrowingHandlerIsA500AndNothingWorse) {
  start();
  for (const char* path : {"/throw", "/throw-limited"}) {
    const auto reply = get(path);
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_THAT(reply.body, Not(HasSubstr("secret")));
  }
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(ServerTest, BodiesAreNotRead) {
  start();
  auto posting = connect();
  const auto refused = posting.request("POST", "/hello", {{"Content-Length", "1000000000"}});
  ASSERT_TRUE(refused) << refused.error().message();
  EXPECT_EQ(refused->status, 405);
  EXPECT_TRUE(posting.closed_by_server());
  for (const testing::HttpHeaders& headers :
       {testing::HttpHeaders{{"Content-Length", "5"}}, testing::HttpHeaders{{"Transfer-Encoding", "chunked"}}}) {
    auto getting = connect();
    const auto reply = getting.request("GET", "/hello", headers);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->status, 400);
    EXPECT_TRUE(getting.closed_by_server());
  }
}

TEST_F(ServerTest, NonsenseClosesTheConnectionAndNothingElse) {
  start();
  for (const std::string& nonsense :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), std::string("GET"), std::string("* * *"),
        "GET /" + std::string(40000, 'a') + " HTTP/1.1", "GET /hello HTTP/1.1\r\nX: " + std::string(40000, 'a')}) {
    auto connection = connect();
    static_cast<void>(connection.send(nonsense + "\r\n\r\n"));  // it may be refused before all of it is sent
    EXPECT_TRUE(connection.closed_by_server());
    EXPECT_THAT(connection.rest(), Not(HasSubstr(" 200 ")));
  }
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(ServerTest, RefusalsOfWhatIsNoRequestAreShortAndTellNothing) {
  start();
  const std::pair<const char*, int> refusals[] = {{"BREW /hello HTTP/1.1", 400},
                                                  {"GET hello HTTP/1.1", 400},
                                                  {"GET /hello HTTP/9.9", 505},
                                                  {"GET /hello HTTP/1.1\r\nContent-Length: many", 411},
                                                  {"GET /hello HTTP/1.1\r\nTransfer-Encoding: gzip", 400}};
  for (const auto& [request, status] : refusals) {
    auto connection = connect();
    ASSERT_TRUE(connection.send(std::string(request) + "\r\n\r\n"));
    const auto reply = connection.receive();
    ASSERT_TRUE(reply) << request << ": " << reply.error().message();
    EXPECT_EQ(reply->status, status) << request;
    EXPECT_THAT(reply->body, StartsWith(std::to_string(status) + " "));
    EXPECT_THAT(reply->body, Not(HasSubstr("ivet")));
    EXPECT_LT(reply->body.size(), 60U);
    EXPECT_EQ(reply->header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(reply->header("Connection"), "close");
    EXPECT_FALSE(reply->has_header("Server"));
    EXPECT_TRUE(connection.closed_by_server());
  }
}

TEST_F(ServerTest, NoFileIsServed) {
  start();
  for (const char* path : {"/CMakeLists.txt", "/.", "/../../../../etc/passwd", "/index.html", "/etc/hostname"}) {
    EXPECT_EQ(get(path).body, "404 Not Found\n") << path;
  }
}

TEST_F(ServerTest, OneConnectionServesManyRequestsAlsoAtOnce) {
  start();
  auto connection = connect();
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += "GET /echo?" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n";
  ASSERT_TRUE(connection.send(burst));
  for (int i = 0; i < 20; ++i) {
    const auto reply = connection.receive();
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->body, "GET|/echo|" + std::to_string(i) + "||");
  }
}

TEST_F(ServerTest, ClientsThatWantToCloseAreClosed) {
  start();
  auto connection = connect();
  const auto reply = connection.request("GET", "/hello", {{"Connection", "close"}});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->header("Connection"), "close");
  EXPECT_TRUE(connection.closed_by_server());
  auto old = connect();
  ASSERT_TRUE(old.send("GET /hello HTTP/1.0\r\n\r\n"));
  ASSERT_TRUE(old.receive());
  EXPECT_TRUE(old.closed_by_server());
}

TEST_F(ServerTest, ServesEachAddressThatItIsGiven) {
  start({{"127.0.0.1:0", "localhost:0", ":0"}, 40});
  ASSERT_EQ(server_->urls().size(), 3U);
  EXPECT_THAT(server_->urls()[1], StartsWith("http://localhost:"));
  for (const std::string& url : server_->urls()) {
    const auto place = testing::split_url(url);
    ASSERT_TRUE(place);
    const auto reply = testing::http_get("127.0.0.1", place->port, "/metrics");
    ASSERT_TRUE(reply) << url << ": " << reply.error().message();
    EXPECT_EQ(reply->status, 200);
  }
}

bool has_ipv6_loopback() { return testing::HttpConnection::open("::1", 1).error().code() == ECONNREFUSED; }

TEST_F(ServerTest, ServesIpv6WhereCivetWebCanAndSaysSoWhereNot) {
  if (mg_check_feature(MG_FEATURES_IPV6) == 0) {
    const auto server = Server::start({{"[::1]:9752"}, 40}, {});
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().message(), StartsWith("listen address \"[::1]:9752\": this is IPv6"));
    return;
  }
  if (!has_ipv6_loopback()) GTEST_SKIP() << "no IPv6 loopback here";
  start({{"[::1]:0", ":0"}, 40});
  EXPECT_THAT(server_->urls()[0], StartsWith("http://[::1]:"));
  EXPECT_EQ(get("/hello").status, 200);
  const std::uint16_t all = testing::split_url(server_->urls()[1])->port;
  EXPECT_TRUE(testing::http_get("127.0.0.1", all, "/hello"));
  EXPECT_TRUE(testing::http_get("::1", all, "/hello"));
}

TEST_F(ServerTest, StartsOnEveryAddressOrNone) {
  start();
  const std::string taken = host_ + ":" + std::to_string(port_);
  const auto second = Server::start({{"127.0.0.1:0", taken}, 40}, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), "listen address \"" + taken + "\": cannot bind: Address already in use");
  EXPECT_FALSE(Server::start({}, {}));
}

TEST_F(ServerTest, AnAddressGivenTwiceIsAnErrorThatNamesIt) {
  start();
  const std::string port = std::to_string(port_);
  server_.reset();
  const auto twice = Server::start({{"127.0.0.1:" + port, ":" + port}, 40}, {});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message(), HasSubstr(port));
  EXPECT_THAT(twice.error().message(), HasSubstr("Address already in use"));
}

/// A socket that listens on a free port of loopback, as a service manager has one.
UniqueFd listening_socket(int family) {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6) any.sin6_addr = in6addr_loopback;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any),
                   family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)),
            0);
  EXPECT_EQ(::listen(socket.get(), 8), 0);
  return socket;
}

TEST_F(ServerTest, ServesOnSocketsThatListenAlready) {
  for (const int family : {AF_INET, AF_INET6}) {
    const UniqueFd managers = listening_socket(family);
    ServerOptions options;
    options.sockets.emplace_back(::dup(managers.get()));
    start(std::move(options));
    EXPECT_EQ(server_->urls().size(), 1U);
    EXPECT_EQ(get("/hello").body, "hello\n");
    server_.reset();
    // The next server finds it as it was, with who came in between.
    auto waiting = connect();
    ServerOptions again;
    again.sockets.emplace_back(::dup(managers.get()));
    start(std::move(again));
    EXPECT_EQ(get("/hello").body, "hello\n");
    server_.reset();
  }
}

}  // namespace
}  // namespace connscope::http
