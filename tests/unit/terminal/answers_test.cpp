// SPDX-License-Identifier: Apache-2.0
//
// The agent's half of the commands: what it answers to a request, by the text that goes over the socket.
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/control/commands.h"
#include "agent/control/connection.h"
#include "agent/detail/connection_feed.h"
#include "agent/terminal/events_answer.h"
#include "agent/terminal/show_answer.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A connection whose other end the test reads.
class Peer {
 public:
  Peer() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    end_.reset(ends[0]);
    connection_ = std::make_shared<control::Connection>(UniqueFd(ends[1]), slow_readers_);
  }

  /// Every line that is there now.
  std::vector<json> ask(const control::Commands& commands, const std::string& request) {
    const std::string line = request + "\n";
    EXPECT_EQ(::send(end_.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
    const auto read = connection_->read_request();
    EXPECT_TRUE(read);
    commands.answer(read.value_or(""), connection_);
    return lines();
  }

  std::vector<json> lines() {
    std::vector<json> lines;
    connection_->write();
    std::array<char, 65536> buffer{};
    const ssize_t count = ::recv(end_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    std::string text(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      lines.push_back(json::parse(text.substr(0, end)));
      text.erase(0, end + 1);
    }
    return lines;
  }

  void leave() { connection_->abandon(); }

 private:
  std::uint64_t slow_readers_ = 0;
  UniqueFd end_;
  std::shared_ptr<control::Connection> connection_;
};

metrics::SnapshotPtr snapshot() {
  auto made = std::make_shared<metrics::Snapshot>();
  made->taken_at = metrics::WallTime(std::chrono::seconds(1000));
  for (const auto& [name, id] : {std::pair("conn_tcp_accepts", "n.cn.tcp.accepts"), std::pair("conn_x", "n.x")}) {
    metrics::FamilyDescriptor descriptor;
    descriptor.name = name;
    descriptor.id = id;
    descriptor.label_names = {"process"};
    metrics::FamilySnapshot family;
    family.descriptor = std::make_shared<const metrics::FamilyDescriptor>(descriptor);
    family.type = metrics::MetricType::kCounter;
    for (const char* process : {"nginx", "sshd"})
      family.samples.push_back({std::make_shared<const std::vector<std::string>>(std::vector<std::string>{process}),
                                metrics::CounterValue{std::uint64_t{7}, {}}});
    made->families.push_back(std::move(family));
  }
  return made;
}

std::vector<std::string> ids_of(const std::vector<json>& lines) {
  std::vector<std::string> ids;
  for (const json& line : lines)
    if (line.contains("id")) ids.push_back(line["id"]);
  return ids;
}

TEST(ShowAnswer, SelectsByIdByFamilyAndBySample) {
  control::Commands commands;
  commands.add("show", make_show_handler(snapshot));
  const auto ids = [&](const std::string& patterns) {
    return ids_of(Peer().ask(commands, R"({"command":"show","patterns":)" + patterns + "}"));
  };
  EXPECT_THAT(ids("[]"), ElementsAre("nginx.n.cn.tcp.accepts", "sshd.n.cn.tcp.accepts", "nginx.n.x", "sshd.n.x"));
  EXPECT_THAT(ids(R"(["sshd.*"])"), ElementsAre("sshd.n.cn.tcp.accepts", "sshd.n.x"));
  EXPECT_THAT(ids(R"(["*.n.cn.*"])"), ElementsAre("nginx.n.cn.tcp.accepts", "sshd.n.cn.tcp.accepts"));
  EXPECT_THAT(ids(R"(["conn_x"])"), ElementsAre("nginx.n.x", "sshd.n.x"));
  EXPECT_THAT(ids(R"(["conn_x_total","nginx.n.cn.*"])"),
              ElementsAre("nginx.n.cn.tcp.accepts", "nginx.n.x", "sshd.n.x"));
  EXPECT_THAT(ids(R"(["nothing"])"), SizeIs(0));
}

TEST(ShowAnswer, BeginsWithTheTimeAndEndsWell) {
  control::Commands commands;
  commands.add("show", make_show_handler(snapshot));
  const auto lines = Peer().ask(commands, R"({"command":"show"})");
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_EQ(lines.front(), json({{"taken_at", 1000.0}}));
  EXPECT_EQ(lines.back(), json({{"ok", true}}));
  for (const char* patterns : {"7", "\"*\"", "[7]", "{}"}) {
    EXPECT_THAT(Peer().ask(commands, std::string(R"({"command":"show","patterns":)") + patterns + "}"),
                ElementsAre(json({{"error", "show: \"patterns\" is no list of texts"}})));
  }
}

/// The kernel's side of the feed.
class Source final : public detail::ConnectionSource {
 public:
  Status want(detail::Kinds kinds) override {
    wanted = kinds;
    return {};
  }
  Status bound(const std::string&, detail::Metric, const detail::Bounds*) override { return {}; }
  [[nodiscard]] int fd() const override { return event_.get(); }
  void drain() override {}

  detail::Kinds wanted = 0;

 private:
  UniqueFd event_{::eventfd(0, EFD_CLOEXEC)};
};

class EventsAnswer : public ::testing::Test {
 protected:
  EventsAnswer() {
    EXPECT_TRUE(feed_.connect(&source_));
    commands_.add("events", followers_.handler());
  }
  ~EventsAnswer() override { EXPECT_TRUE(feed_.connect(nullptr)); }

  void happen(const std::string& process, detail::Stage stage, detail::Kinds kinds) {
    detail::Connection connection;
    connection.process = process;
    connection.stage = stage;
    connection.kinds = kinds;
    feed_.publish(connection);
  }

  static std::vector<std::string> processes_of(const std::vector<json>& lines) {
    std::vector<std::string> processes;
    for (const json& line : lines) processes.push_back(line.at("process"));
    return processes;
  }

  Source source_;
  detail::ConnectionFeed feed_;
  EventFollowers followers_{feed_};
  control::Commands commands_;
};

TEST_F(EventsAnswer, FollowersAreToldWhatTheyAskedFor) {
  Peer all;
  Peer some;
  EXPECT_THAT(all.ask(commands_, R"({"command":"events"})"), ElementsAre(json({{"following", true}})));
  some.ask(commands_, R"({"command":"events","process":"cu*","stage":"dns","kinds":["failure"]})");
  EXPECT_EQ(source_.wanted, detail::kFailure | detail::kOutlier);
  happen("curl", detail::Stage::kDns, detail::kFailure);
  happen("curl", detail::Stage::kTcp, detail::kFailure);
  happen("curl", detail::Stage::kDns, detail::kOutlier);
  happen("wget", detail::Stage::kDns, detail::kFailure);
  EXPECT_THAT(processes_of(all.lines()), ElementsAre("curl", "curl", "curl", "wget"));
  EXPECT_THAT(processes_of(some.lines()), ElementsAre("curl"));
}

TEST_F(EventsAnswer, WhenTheLastHasGoneTheKernelTellsNothing) {
  Peer peer;
  peer.ask(commands_, R"({"command":"events"})");
  followers_.forget_gone();
  EXPECT_NE(source_.wanted, 0);
  peer.leave();
  happen("curl", detail::Stage::kDns, detail::kFailure);  // nobody is there, and nothing goes wrong
  followers_.forget_gone();
  EXPECT_EQ(source_.wanted, 0);
}

TEST_F(EventsAnswer, WrongFiltersAreNamed) {
  const auto error = [&](const std::string& members) {
    const auto lines = Peer().ask(commands_, R"({"command":"events",)" + members + "}");
    return lines.size() == 1 ? lines[0].value("error", "none") : "no answer";
  };
  EXPECT_EQ(error(R"("process":7)"), "events: \"process\" is no text");
  EXPECT_EQ(error(R"("stage":[])"), "events: \"stage\" is no text");
  EXPECT_THAT(error(R"("kinds":["death"])"), HasSubstr("has \"death\"; allowed: \"failure\", \"outlier\""));
  EXPECT_THAT(error(R"("kinds":[])"), HasSubstr("is empty"));
  EXPECT_EQ(source_.wanted, 0);
}

TEST_F(EventsAnswer, WithoutAKernelThatTellsItSaysSo) {
  ASSERT_TRUE(feed_.connect(nullptr));
  const auto lines = Peer().ask(commands_, R"({"command":"events"})");
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0].value("error", ""), HasSubstr("tells of no single connections"));
}

}  // namespace
}  // namespace connscope::terminal
