// SPDX-License-Identifier: Apache-2.0
//
// What an update costs an application (tests/bench/ingest.py judges the figures): batched, and sent by itself beside
// the bare system call. A thread here takes the packets, as the agent would.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <thread>

#include "agent/client/connscope.h"

namespace {

using namespace connscope::client;

class Sink {
 public:
  Sink() : path_("/tmp/connscope_client_bench." + std::to_string(::getpid())) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) std::abort();
    thread_ = std::thread([this] {
      std::array<char, 65536> bytes{};
      while (::recv(fd_, bytes.data(), bytes.size(), 0) > 0) continue;
    });
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() {
    ::shutdown(fd_, SHUT_RD);
    thread_.join();
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::thread thread_;
};

void counter_batched(benchmark::State& state) {
  const Sink sink;
  Client client({sink.path()});
  const Counter counter = client.counter("app.requests", {{"route", "/x"}});
  for (auto _ : state) counter.add();
}

void gauge_batched(benchmark::State& state) {
  const Sink sink;
  Client client({sink.path()});
  const Gauge gauge = client.gauge("app.depth");
  double depth = 0;
  for (auto _ : state) gauge.set(++depth);
}

void timer_batched(benchmark::State& state) {
  const Sink sink;
  Client client({sink.path()});
  const Timer timer = client.timer("app.wait");
  for (auto _ : state) timer.observe(std::chrono::microseconds(1500));
}

void counter_by_itself(benchmark::State& state) {
  const Sink sink;
  Client client({sink.path(), Mode::kImmediate});
  const Counter counter = client.counter("app.requests", {{"route", "/x"}});
  for (auto _ : state) counter.add();
}

/// What counter_by_itself cannot go below.
void bare_send(benchmark::State& state) {
  const Sink sink;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  sink.path().copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) state.SkipWithError("connect");
  constexpr std::string_view kLine = "app.requests:1|c|#route:/x\n";
  for (auto _ : state) benchmark::DoNotOptimize(::send(fd, kLine.data(), kLine.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  ::close(fd);
}

BENCHMARK(counter_batched);
BENCHMARK(gauge_batched);
BENCHMARK(timer_batched);
BENCHMARK(counter_by_itself);
BENCHMARK(bare_send);

}  // namespace

BENCHMARK_MAIN();
