// SPDX-License-Identifier: Apache-2.0
//
// The client over a fork(): apart, since ThreadSanitizer takes no threads in a child of a process that has some.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "agent/client/connscope.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/client/fake_agent.h"

namespace connscope::client {
namespace {

using namespace std::chrono_literals;
using connscope::testing::eventually;
using connscope::testing::TempDir;

class ClientForkTest : public ::testing::Test {
 protected:
  TempDir folder_ = std::move(*TempDir::create());
  std::string path_ = folder_.path() + "/ingest.sock";
  Agent agent_{path_};

  /// The client's thread has come up and sent 1. A sanitizer's allocator does not outlive a fork() in the midst of
  /// another thread's call, such as those that begin a thread: the child would wait for its lock without end.
  void let_thread_begin(const Counter& counter) {
    counter.add();
    ASSERT_TRUE(eventually(10s, [&] { return agent_.total("n") == 1; }));
  }
};

TEST_F(ClientForkTest, AfterAForkBothGoOnAndNothingIsCountedTwice) {
  Client client({path_, Mode::kBatched, 1ms});
  const Counter counter = client.counter("n");
  const Histogram histogram = client.histogram("h");
  let_thread_begin(counter);
  for (int child = 0; child < 3; ++child) {
    counter.add(10);
    histogram.observe(1);
    const pid_t pid = ::fork();
    if (pid == 0) {
      counter.add(100);
      while (!client.flush()) continue;
      ::_exit(0);
    }
    int status = 0;
    // The agent's queue is short, and the child waits for room.
    ASSERT_TRUE(eventually(10s, [&] { return agent_.total("n") > 1 && ::waitpid(pid, &status, WNOHANG) == pid; }));
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(eventually(10s, [&] { return agent_.total("n") == 331; }));
  EXPECT_FALSE(eventually(20ms, [&] { return agent_.total("n") != 331; }));
}

TEST_F(ClientForkTest, TheThreadOfAChildSendsToo) {
  Client client({path_, Mode::kBatched, 1ms});
  const Counter counter = client.counter("n");
  let_thread_begin(counter);
  std::array<int, 2> go{};
  ASSERT_EQ(::pipe(go.data()), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    char byte = 0;
    counter.add(100);
    ::_exit(::read(go[0], &byte, 1) == 1 ? 0 : 1);  // lives until its thread has sent
  }
  EXPECT_TRUE(eventually(10s, [&] { return agent_.total("n") == 101; }));
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace connscope::client
