// SPDX-License-Identifier: Apache-2.0
//
// A load of TCP connections flat out: connect, accept, close, with both ends in this process on loopback. Each worker
// thread makes one connection after the other; its server's end is accepted by the same thread (--accept=same: nothing
// sleeps, the least that an operation can cost) or by another one (--accept=other: that one is woken, as in life).
// Prints one line of JSON; a failing call ends it with exit code 1.
//
// The client closes first, as most clients do, so each operation leaves a socket in TIME_WAIT for a minute: one
// destination would run out of local ports in a second. Closing by reset (SO_LINGER 0) would avoid that but leave out
// four of the ten state changes that are to be measured. So each worker goes round many destinations in 127.0.0.0/8,
// each of which has all local ports to itself; the source stays 127.0.0.1 without a bind. Beyond
// net.ipv4.tcp_max_tw_buckets the kernel lets sockets go at once: a run of more operations than that is steady only
// once the table is full, which is what a warm-up is for.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace {

using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kDestinations = 250;
constexpr int kBacklog = 64;

struct Options {
  std::uint64_t operations = 100'000;
  double seconds = 60;
  double refused = 0;
  std::uint32_t workers = 2;
  std::string accept = "same";
};

sockaddr_in address(std::uint32_t host, in_port_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(host);
  result.sin_port = port;
  return result;
}

const sockaddr* plain(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// A bound socket, and the port that the kernel gave it.
struct Port {
  UniqueFd socket;
  in_port_t number = 0;

  static Result<Port> create() {
    Port port{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
    auto where = address(INADDR_ANY, 0);
    socklen_t size = sizeof(where);
    if (!port.socket || ::bind(port.socket.get(), plain(where), size) != 0 ||
        ::getsockname(port.socket.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0) {
      return Error::from_errno("bind", errno);
    }
    port.number = where.sin_port;
    return port;
  }
};

/// A thread that accepts from a listener, waits for each client's close, and closes too.
class Acceptor {
 public:
  explicit Acceptor(int listener) : listener_(listener), thread_([this] { run(); }) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() { thread_.join(); }

  /// Returns when so many were accepted and closed, or none will be any more.
  void wait_for(std::uint64_t count) const {
    for (auto accepted = accepted_.load(); accepted < count; accepted = accepted_.load()) accepted_.wait(accepted);
  }

 private:
  /// Until the listener is shut down. After an error it shuts it down itself, and the client's next connect is refused.
  void run() {
    char byte = 0;
    for (;;) {
      const UniqueFd server(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
      if (!server || ::read(server.get(), &byte, 1) != 0) break;
      ++accepted_;
      accepted_.notify_one();
    }
    ::shutdown(listener_, SHUT_RDWR);
    accepted_ = kEnded;
    accepted_.notify_one();
  }

  static constexpr std::uint64_t kEnded = ~std::uint64_t{0} / 2;
  int listener_;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::thread thread_;
};

/// One connecting thread's part of the load.
class Worker {
 public:
  static Result<Worker> create(std::uint32_t index) {
    auto listener = Port::create();
    auto deaf = Port::create();
    if (!listener) return listener.error();
    if (!deaf) return deaf.error();
    if (::listen(listener->socket.get(), kBacklog) != 0) return Error::from_errno("listen", errno);
    return Worker(std::move(*listener), std::move(*deaf), (127U << 24U) | ((index + 1U) << 16U));
  }

  Status run(const Options& options, std::uint64_t operations, Clock::time_point deadline) {
    std::optional<Acceptor> acceptor;
    if (options.accept == "other") acceptor.emplace(listener_.socket.get());
    Status done = run(operations, options.refused, deadline, acceptor ? &*acceptor : nullptr);
    if (done && acceptor) acceptor->wait_for(operations_ - refused_);
    ::shutdown(listener_.socket.get(), SHUT_RDWR);  // ends the acceptor
    return done;
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  Worker(Port listener, Port deaf, std::uint32_t network)
      : listener_(std::move(listener)), deaf_(std::move(deaf)), network_(network) {}

  Status run(std::uint64_t operations, double refused_share, Clock::time_point deadline, const Acceptor* acceptor) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (i % 64 == 0 && Clock::now() >= deadline) break;
      const bool refused = static_cast<std::uint64_t>(static_cast<double>(i + 1) * refused_share) > refused_;
      const std::uint32_t host = network_ | static_cast<std::uint32_t>(i % kDestinations + 1);
      if (auto done = refused ? refuse(host) : connect(host, acceptor); !done) return done;
      ++operations_;
    }
    return {};
  }

  Status connect(std::uint32_t host, const Acceptor* acceptor) const {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto where = address(host, listener_.number);
    if (!client || ::connect(client.get(), plain(where), sizeof(where)) != 0)
      return Error::from_errno("connect", errno);
    if (acceptor != nullptr) {
      client.reset();
      // A full backlog would drop SYNs, which come again a second later.
      const std::uint64_t connected = operations_ - refused_ + 1;
      if (connected > kBacklog / 2) acceptor->wait_for(connected - kBacklog / 2);
      return {};
    }
    const UniqueFd server(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!server) return Error::from_errno("accept", errno);
    client.reset();
    return {};
  }

  Status refuse(std::uint32_t host) {
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto where = address(host, deaf_.number);
    if (!client) return Error::from_errno("socket", errno);
    if (::connect(client.get(), plain(where), sizeof(where)) == 0) return Error("a connect was not refused");
    if (errno != ECONNREFUSED) return Error::from_errno("connect to be refused", errno);
    ++refused_;
    return {};
  }

  Port listener_;
  Port deaf_;  // bound, so that nobody else listens there
  std::uint32_t network_;
  std::uint64_t operations_ = 0;
  std::uint64_t refused_ = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Connects, accepts and closes on loopback, flat out", "connect_load");
  app.add_option("--operations", options.operations, "How many, over all workers")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop earlier, after so long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--refused", options.refused, "Share of the operations that are refused, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "Connecting threads")->check(CLI::Range(1U, 64U))->capture_default_str();
  app.add_option("--accept", options.accept, "Who accepts: the same thread, or another")
      ->check(CLI::IsMember({"same", "other"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

Result<std::vector<Worker>> make_workers(std::uint32_t count) {
  std::vector<Worker> workers;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto worker = Worker::create(i);
    if (!worker) return worker.error();
    workers.push_back(std::move(*worker));
  }
  return workers;
}

Status run_all(std::vector<Worker>& workers, const Options& options) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  const std::uint64_t share = options.operations / workers.size();
  const std::uint64_t rest = options.operations % workers.size();
  std::vector<Status> outcomes(workers.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::uint64_t operations = share + (i < rest ? 1 : 0);
    threads.emplace_back([&outcome = outcomes[i], &worker = workers[i], operations, &options, deadline] {
      outcome = worker.run(options, operations, deadline);
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& outcome : outcomes)
    if (!outcome) return outcome;
  return {};
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print(const std::vector<Worker>& workers, double seconds, double cpu) {
  std::uint64_t operations = 0;
  std::uint64_t refused = 0;
  for (const auto& worker : workers) {
    operations += worker.operations();
    refused += worker.refused();
  }
  const double count = static_cast<double>(std::max<std::uint64_t>(operations, 1));
  std::printf(
      R"({"operations": %llu, "refused": %llu, "workers": %zu, "seconds": %.6f, "operations_per_second": %.1f, )"
      R"("cpu_us_per_operation": %.3f})"
      "\n",
      static_cast<unsigned long long>(operations), static_cast<unsigned long long>(refused), workers.size(), seconds,
      static_cast<double>(operations) / seconds, cpu * 1e6 / count);
}

Status measure(const Options& options) {
  auto workers = make_workers(options.workers);
  if (!workers) return workers.error();
  const double cpu_before = cpu_seconds();
  const auto begin = Clock::now();
  if (auto done = run_all(*workers, options); !done) return done;
  print(*workers, std::chrono::duration<double>(Clock::now() - begin).count(), cpu_seconds() - cpu_before);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status measured = measure(parse(argc, argv));
  if (!measured) std::fprintf(stderr, "connect_load: %s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
