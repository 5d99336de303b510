// SPDX-License-Identifier: Apache-2.0
//
// The control socket from its clients' side: good ones, slow ones and hostile ones, against a server that a thread
// serves as the event loop would.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "agent/control/client.h"
#include "agent/control/protocol.h"
#include "agent/control/server.h"
#include "agent/control/socket.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace connscope::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

/// A server and the thread that serves it. What the thread uses is touched by the test through on_thread() only.
class Control : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = connscope::testing::TempDir::create();
    ASSERT_TRUE(folder);
    folder_ = std::make_unique<connscope::testing::TempDir>(std::move(*folder));
    path_ = folder_->path() + "/run/control.sock";
    auto server = Server::create(path_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    add_commands();
    thread_ = std::thread([this] { serve(); });
  }

  void TearDown() override {
    if (!thread_.joinable()) return;
    on_thread([this] { server_.reset(); });
    thread_.join();
  }

  void add_commands() {
    server_->add("echo", [](const json& request, Responder& responder) { responder.send(request); });
    server_->add("count", [](const json& request, Responder& responder) {
      responder.produce([next = 0, end = request.at("to").get<int>()]() mutable -> std::optional<std::string> {
        if (next == end) return std::nullopt;
        return line_of({{"n", next++}});
      });
    });
    server_->add("follow", [this](const json&, Responder& responder) {
      streams_.push_back(responder.stream());
      ++follows_;
    });
    server_->add("fail", [](const json&, Responder& responder) { responder.fail("no, 'x'; allowed: y"); });
    server_->add("throw", [](const json& request, Responder&) { static_cast<void>(request.at("absent")); });
  }

  void serve() {
    while (server_) {
      std::array<pollfd, 2> waiting{{{server_->fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
      ::poll(waiting.data(), waiting.size(), -1);
      if (waiting[0].revents != 0) server_->serve();
      if (waiting[1].revents == 0) continue;
      eventfd_t unused = 0;
      ::eventfd_read(wake_.get(), &unused);
      work_();
      done_.store(true);
    }
  }

  void on_thread(std::function<void()> work) {
    work_ = std::move(work);
    done_.store(false);
    ::eventfd_write(wake_.get(), 1);
    ASSERT_TRUE(connscope::testing::eventually(10s, [this] { return done_.load(); }));
  }

  ServerCounts counts() {
    ServerCounts counts;
    on_thread([&] { counts = server_->counts(); });
    return counts;
  }

  std::vector<json> ask(const json& request, std::string& error) const {
    std::vector<json> lines;
    const auto asked = ask_for_all(path_, request, [&](const json& line) { lines.push_back(line); });
    error = asked ? "" : asked.error().message();
    return lines;
  }

  /// Everything that the server says to these bytes.
  std::string say(const std::string& bytes) const {
    auto socket = connect_to(path_);
    if (!socket) return socket.error().message();
    ::send(socket->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(socket->get(), SHUT_WR);
    return read_all(*socket);
  }

  static std::string read_all(const UniqueFd& socket) {
    std::string all;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  UniqueFd follow() {
    const int before = follows_.load();
    auto socket = connect_to(path_);
    if (!socket) return {};
    const std::string request = "{\"command\":\"follow\"}\n";
    ::send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL);
    EXPECT_TRUE(connscope::testing::eventually(10s, [&] { return follows_.load() > before; }));
    return std::move(*socket);
  }

  std::unique_ptr<connscope::testing::TempDir> folder_;
  std::string path_;
  std::unique_ptr<Server> server_;
  std::vector<Stream> streams_;
  std::atomic<int> follows_ = 0;
  UniqueFd wake_{::eventfd(0, EFD_CLOEXEC)};
  std::function<void()> work_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

TEST_F(Control, AnswersARequestWithItsLinesAndAGoodEnd) {
  std::string error;
  const auto lines = ask({{"command", "echo"}, {"text", "a\nb\"\xff"}}, error);
  EXPECT_EQ(error, "");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("text"), "a\nb\"\xef\xbf\xbd");
  EXPECT_EQ(counts().requests, 1U);
}

TEST_F(Control, ALongAnswerComesWholeAndInOrder) {
  std::string error;
  const auto lines = ask({{"command", "count"}, {"to", 100000}}, error);
  EXPECT_EQ(error, "");
  ASSERT_EQ(lines.size(), 100000U);
  for (int i = 0; i < 100000; ++i) ASSERT_EQ(lines[static_cast<std::size_t>(i)].at("n"), i);
}

TEST_F(Control, OneWhoDoesNotReadALongAnswerHoldsUpNobody) {
  const auto slow = connect_to(path_);
  ASSERT_TRUE(slow);
  const std::string request = "{\"command\":\"count\",\"to\":1000000000}\n";
  ASSERT_GT(::send(slow->get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
  std::string error;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(ask({{"command", "echo"}}, error).size(), 1U) << error;
}

TEST_F(Control, ErrorsSayWhatIsWrongAndWhatIsAllowed) {
  EXPECT_EQ(say("{\"command\":\"fail\"}\n"), "{\"error\":\"no, 'x'; allowed: y\"}\n");
  EXPECT_EQ(say("{\"command\":\"shwo\"}\n"),
            "{\"error\":\"unknown command \\\"shwo\\\"; allowed: count, echo, fail, follow, throw\"}\n");
  EXPECT_THAT(say("{\"command\":\"throw\"}\n"), HasSubstr("{\"error\":\"throw: "));
  EXPECT_THAT(say("{\"command\":7}\n"), HasSubstr("no \\\"command\\\" that is text"));
  EXPECT_EQ(counts().requests, 2U);
  EXPECT_EQ(counts().refused, 2U);
}

TEST_F(Control, HostileRequestsAreRefusedAndCounted) {
  const std::string no_object = "the request is no JSON object";
  for (const std::string text : {"", "null", "[]", "{", "GET / HTTP/1.1\r", "\xff\xfe{}", "{\"command\":\"echo\"} x"})
    EXPECT_THAT(say(text + "\n"), HasSubstr(no_object)) << text;
  EXPECT_THAT(say(std::string(kMaxRequestBytes - 1, '[') + "\n"), HasSubstr(no_object));
  EXPECT_THAT(say(std::string(kMaxRequestBytes * 2, '[')), HasSubstr("too long"));
  EXPECT_THAT(say("{\"command\":\"echo\"}\n{\"command\":\"echo\"}\n"), HasSubstr("one line a connection"));
  EXPECT_EQ(counts().refused, 10U);
  EXPECT_EQ(say("{\"command\":\"echo\""), "");  // it went away in the middle
  EXPECT_EQ(counts().requests, 0U);
}

TEST_F(Control, AStreamSendsAtOnceAndEndsWithItsClient) {
  const UniqueFd client = follow();
  bool sent = false;
  on_thread([&] { sent = streams_.at(0).send({{"n", 1}}); });
  EXPECT_TRUE(sent);
  std::array<char, 64> buffer{};
  const ssize_t count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(count)), "{\"n\":1}\n");
  ::shutdown(client.get(), SHUT_RDWR);
  EXPECT_TRUE(connscope::testing::eventually(10s, [&] {
    bool open = true;
    on_thread([&] { open = streams_.at(0).is_open(); });
    return !open;
  }));
}

TEST_F(Control, AStreamThatPausesForAMomentLosesNothing) {
  const UniqueFd client = follow();
  bool open = true;
  // More than the socket takes at once, less than the buffer holds beside it.
  on_thread([&] {
    for (int i = 0; i < 300; ++i) open = open && streams_.at(0).send({{"n", i}, {"pad", std::string(1000, 'x')}});
  });
  ASSERT_TRUE(open);
  std::string all;
  std::array<char, 65536> buffer{};
  while (all.size() < 300 * 1000 || all.back() != '\n' || all.find("\"n\":299,") == std::string::npos) {
    const ssize_t count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(count, 0);
    all.append(buffer.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 300);
}

TEST_F(Control, AStreamThatIsNotReadIsDroppedWithAMessageAndCounted) {
  const UniqueFd client = follow();
  int sent = 0;
  on_thread([&] {
    while (sent < 100000 && streams_.at(0).send({{"n", sent}, {"pad", std::string(1000, 'x')}})) ++sent;
  });
  EXPECT_LT(sent, 100000);
  EXPECT_EQ(counts().slow_readers, 1U);
  // Lines are whole, the last one says how many are missing, and none is missing beside those.
  const std::string all = read_all(client);
  const auto lines = std::count(all.begin(), all.end(), '\n');
  const std::string lost = std::to_string(sent + 1 - (lines - 1));
  EXPECT_THAT(all, HasSubstr("\n{\"error\":\"dropped, since the answer is not read: " + lost + " lines are lost\"}\n"));
}

TEST_F(Control, WhoDoesNothingGivesPlaceAndStreamsStay) {
  std::vector<UniqueFd> streams;
  for (std::size_t i = 0; i + 1 < Server::kMaxClients; ++i) streams.push_back(follow());
  const auto idle = connect_to(path_);
  ASSERT_TRUE(idle);
  std::string error;
  EXPECT_EQ(ask({{"command", "echo"}}, error).size(), 1U) << error;
  EXPECT_EQ(read_all(*idle), "{\"error\":\"this place was needed for another client\"}\n");
  EXPECT_EQ(counts().displaced, 1U);
  streams.push_back(follow());
  EXPECT_EQ(ask({{"command", "echo"}}, error).size(), 0U);
  EXPECT_EQ(error, "too many clients follow what happens; allowed: 32");
}

TEST_F(Control, TheSocketIsForItsOwnerAlone) {
  struct stat status {};
  ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Control, AnotherUserIsRefusedByName) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(::chmod((folder_->path() + "/run").c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = ::seteuid(65534) == 0 && say("{\"command\":\"echo\"}\n").find("may not") != std::string::npos;
    ::_exit(refused ? 0 : 1);
  }
  int outcome = -1;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_EQ(outcome, 0);
  EXPECT_EQ(counts().refused, 1U);
}

TEST_F(Control, ASecondAgentIsToldAndAnAbandonedSocketIsTakenOver) {
  const auto second = Server::create(path_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("another agent listens there"));
  const std::string abandoned = folder_->path() + "/abandoned.sock";
  ASSERT_TRUE(listen_at(abandoned, 1));
  EXPECT_TRUE(Server::create(abandoned));
  const auto file = folder_->write("file", "");
  ASSERT_TRUE(file);
  const auto on_file = Server::create(*file);
  ASSERT_FALSE(on_file);
  EXPECT_THAT(on_file.error().message(), HasSubstr("is there and is no socket"));
}

TEST_F(Control, WhenTheAgentStopsClientsAreToldAndTheFileIsGone) {
  const UniqueFd client = follow();
  TearDown();
  EXPECT_EQ(read_all(client), "{\"error\":\"the agent stops\"}\n");
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
  std::string error;
  ask({{"command", "echo"}}, error);
  EXPECT_THAT(error, HasSubstr("no agent runs here: nothing listens at " + path_));
}

}  // namespace
}  // namespace connscope::control
