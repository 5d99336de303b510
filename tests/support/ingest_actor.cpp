// SPDX-License-Identifier: Apache-2.0
//
// An application of many workers: `ingest_actor SOCKET WORKERS INCREMENTS` forks them, as servers do, and each counts
// by the client library. Ends with 0 when all that was counted was sent.
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

#include "agent/client/connscope.h"

namespace {

using namespace connscope::client;

long number(std::string_view text) {
  long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int work(Client& shared, const Counter& counter, const Timer& timer, long increments) {
  Client own = std::move(shared);  // closed before the worker ends
  for (long i = 0; i < increments; ++i) counter.add();
  timer.observe(std::chrono::milliseconds(20));
  while (!own.flush()) ::usleep(1000);  // however long the agent's queue is full
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("Usage: ingest_actor SOCKET WORKERS INCREMENTS\n", stderr);
    return 2;
  }
  Client client({argv[1]});
  const Counter counter = client.counter("app.x");
  const Timer timer = client.timer("app.wait");
  for (long worker = 0; worker < number(argv[2]); ++worker)
    if (::fork() == 0) ::_exit(work(client, counter, timer, number(argv[3])));
  int failed = 0;
  for (int status = 0; ::wait(&status) > 0;) failed += status != 0 ? 1 : 0;
  return failed;
}
