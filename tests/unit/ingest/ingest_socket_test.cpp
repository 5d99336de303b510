// SPDX-License-Identifier: Apache-2.0
//
// The whole way from a socket to the registry, with the receiving thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "agent/ingest/ingest.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/ingest/fake_kernel.h"

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;
using connscope::testing::eventually;
using connscope::testing::TempDir;
using ::testing::HasSubstr;

class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view text) {
    return ::send(fd_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
};

class IngestSocketTest : public ::testing::Test {
 protected:
  void SetUp() override { start(""); }
  void start(const std::string& lines) {
    ingest_.reset();
    auto document = config::Document::parse("[ingest]\npath = \"" + path_ + "\"\n" + lines, "test.toml");
    auto made = Ingest::create(document->root().table("ingest"), registry_, identities_);
    ASSERT_TRUE(document->finish());
    ingest_ = std::move(*made);
    const auto started = ingest_->start();
    ASSERT_TRUE(started) << started.error().message();
  }
  double collected(const std::string& family) {
    ingest_->collect(std::chrono::steady_clock::now());
    const metrics::SnapshotPtr snapshot = registry_.snapshot();
    double sum = 0;
    for (const auto& shown : snapshot->families) {
      if (shown.descriptor->name != family) continue;
      for (const auto& sample : shown.samples)
        sum += metrics::as_double(std::get<metrics::CounterValue>(sample.value).total);
    }
    return sum;
  }

  TempDir folder_ = std::move(*TempDir::create());
  std::string path_ = folder_.path() + "/ingest.sock";
  FakeKernel kernel_;
  metrics::Registry registry_;
  identity::IdentityTable identities_{kernel_, {}, {}};
  std::unique_ptr<Ingest> ingest_;
};

TEST_F(IngestSocketTest, ThreadsThatBlockLoseNothingWhileCollectsGoOn) {
  constexpr int kThreads = 3;
  constexpr int kPackets = 2000;
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      Client client(path_);
      for (int packet = 0; packet < kPackets; ++packet)
        if (!client.send("app.x:1|c\napp.x:1|c|#k:v")) ++failed;
    });
  EXPECT_TRUE(eventually(60s, [&] { return collected("app_x") == 2.0 * kThreads * kPackets; }));
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_DOUBLE_EQ(collected("connscope_ingest_packets"), 1.0 * kThreads * kPackets);
}

TEST_F(IngestSocketTest, APacketLongerThanTheAgentReadsIsCountedAndNothingOfItTaken) {
  Client client(path_);
  std::string packet;
  while (packet.size() <= 64 * 1024) packet += "app.x:1|c\n";
  ASSERT_TRUE(client.send(packet));
  ASSERT_TRUE(client.send(""));
  ASSERT_TRUE(client.send("app.y:1|c"));
  EXPECT_TRUE(eventually(10s, [&] { return collected("app_y") == 1; }));
  EXPECT_EQ(collected("app_x"), 0);
  EXPECT_EQ(collected("connscope_ingest_refused_lines"), 1);
}

TEST_F(IngestSocketTest, TheLogHearsOfAReasonOnceAMinute) {
  Client client(path_);
  ASSERT_TRUE(client.send("app.x:abc|c"));
  ASSERT_TRUE(eventually(10s, [&] { return collected("connscope_ingest_refused_lines") == 1; }));
  const auto messages = ingest_->take_messages();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_THAT(messages[0], HasSubstr("ingest: 1 lines refused (bad_value), such as \"app.x:abc|c\" of process " +
                                     std::to_string(::getpid())));
  ASSERT_TRUE(client.send("app.x:abc|c"));
  ASSERT_TRUE(eventually(10s, [&] { return collected("connscope_ingest_refused_lines") == 2; }));
  EXPECT_TRUE(ingest_->take_messages().empty());
}

TEST_F(IngestSocketTest, SwitchedOffThereIsNoSocket) {
  start("enabled = false\n");
  EXPECT_FALSE(Client(path_).connected());
  EXPECT_EQ(collected("connscope_ingest_lines"), 0);
}

TEST_F(IngestSocketTest, AReloadCannotChangeTheSection) {
  const auto reload = [&](const std::string& lines) {
    auto document = config::Document::parse("[ingest]\n" + lines, "test.toml");
    ingest_->check_reload(document->root().table("ingest"));
    return document->finish();
  };
  EXPECT_TRUE(reload("path = \"" + path_ + "\"\n"));
  const Status changed = reload("path = \"" + path_ + "\"\nseries = 5\n");
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message(), HasSubstr("cannot change while the agent runs; restart it"));
}

TEST_F(IngestSocketTest, WhatIsQueuedAtTheEndIsRead) {
  constexpr int kPackets = 1000;
  Client client(path_);
  for (int i = 0; i < kPackets; ++i) ASSERT_TRUE(client.send("app.x:1|c"));
  ingest_->finish();
  EXPECT_DOUBLE_EQ(collected("app_x"), kPackets);
}

}  // namespace
}  // namespace connscope::ingest
