// SPDX-License-Identifier: Apache-2.0
//
// A load of TCP connections flat out: connect, accept, close, with both ends in this process on loopback. Each worker
// thread makes one connection after the other; its server's end is accepted by the same thread (--accept=same: nothing
// sleeps, the least that an operation can cost) or by another one (--accept=other: that one is woken, as in life). With
// --echo=BYTES a message of that size goes to the server and back before the close.
// Prints one line of JSON; a failing call ends it with exit code 1.
//
// The client closes first, as most clients do, so each operation leaves a socket in TIME_WAIT for a minute: one
// destination would run out of local ports in a second. Closing by reset (SO_LINGER 0) would avoid that but leave out
// four of the ten state changes that are to be measured. So each worker goes round many destinations in 127.0.0.0/8,
// each of which has all local ports to itself; the source stays 127.0.0.1 without a bind. Beyond
// net.ipv4.tcp_max_tw_buckets the kernel lets sockets go at once: a run of more operations than that is steady only
// once the table is full, which is what a warm-up is for.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <cstddef>
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
#include "tests/bench/load_sockets.h"

namespace {

namespace load = connscope::load;
using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using connscope::load::Clock;
using connscope::load::Port;

constexpr std::uint32_t kDestinations = 250;
constexpr int kBacklog = 64;

struct Options {
  std::uint64_t operations = 100'000;
  double seconds = 60;
  double refused = 0;
  std::uint32_t workers = 2;
  std::string accept = "same";
  std::size_t echo = 0;
};

/// A thread that accepts from a listener, sends each client its message back, waits for its close, and closes too.
class Acceptor {
 public:
  Acceptor(int listener, std::size_t echo) : listener_(listener), message_(echo), thread_([this] { run(); }) {}
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
    for (;;) {
      const auto server = load::accept_from(listener_);
      if (!server || !serve(server->get())) break;
      ++accepted_;
      accepted_.notify_one();
    }
    ::shutdown(listener_, SHUT_RDWR);
    accepted_ = kEnded;
    accepted_.notify_one();
  }

  bool serve(int server) {
    char byte = 0;
    if (!message_.empty() && (::recv(server, message_.data(), message_.size(), MSG_WAITALL) <= 0 ||
                              ::send(server, message_.data(), message_.size(), MSG_NOSIGNAL) < 0)) {
      return false;
    }
    return ::read(server, &byte, 1) == 0;
  }

  static constexpr std::uint64_t kEnded = ~std::uint64_t{0} / 2;
  int listener_;
  std::vector<char> message_;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::thread thread_;
};

/// One connecting thread's part of the load.
class Worker {
 public:
  static Result<Worker> create(std::uint32_t index, const Options& options) {
    auto listener = Port::listening(kBacklog);
    auto deaf = Port::create();
    if (!listener) return listener.error();
    if (!deaf) return deaf.error();
    return Worker(std::move(*listener), std::move(*deaf), (127U << 24U) | ((index + 1U) << 16U), options);
  }

  Status run(std::uint64_t operations, Clock::time_point deadline) {
    std::optional<Acceptor> acceptor;
    if (options_.accept == "other") acceptor.emplace(listener_.socket.get(), options_.echo);
    Status done = run(operations, deadline, acceptor ? &*acceptor : nullptr);
    if (done && acceptor) acceptor->wait_for(accepted());
    ::shutdown(listener_.socket.get(), SHUT_RDWR);  // ends the acceptor
    return done;
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t accepted() const { return operations_ - refused_; }

 private:
  Worker(Port listener, Port deaf, std::uint32_t network, const Options& options)
      : listener_(std::move(listener)),
        deaf_(std::move(deaf)),
        network_(network),
        options_(options),
        message_(options.echo) {}

  Status run(std::uint64_t operations, Clock::time_point deadline, const Acceptor* acceptor) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (i % 64 == 0 && Clock::now() >= deadline) break;
      const bool refused = static_cast<std::uint64_t>(static_cast<double>(i + 1) * options_.refused) > refused_;
      const std::uint32_t host = network_ | static_cast<std::uint32_t>(i % kDestinations + 1);
      if (auto done = refused ? refuse(host) : connect(host, acceptor); !done) return done;
      ++operations_;
    }
    return {};
  }

  Status connect(std::uint32_t host, const Acceptor* acceptor) {
    auto client = load::connect_to(host, listener_.number);
    if (!client) return client.error();
    return acceptor == nullptr ? accept_here(std::move(*client)) : leave_to(*acceptor, std::move(*client));
  }

  Status accept_here(UniqueFd client) {
    const auto server = load::accept_from(listener_.socket.get());
    if (!server) return server.error();
    if (!message_.empty()) {
      if (auto there = load::carry(client.get(), server->get(), message_); !there) return there;
      if (auto back = load::carry(server->get(), client.get(), message_); !back) return back;
    }
    client.reset();
    return {};
  }

  Status leave_to(const Acceptor& acceptor, UniqueFd client) {
    if (!message_.empty()) {
      if (auto echoed = load::carry(client.get(), client.get(), message_); !echoed) return echoed;
    }
    client.reset();
    // A full backlog would drop SYNs, which come again a second later.
    const std::uint64_t connected = accepted() + 1;
    if (connected > kBacklog / 2) acceptor.wait_for(connected - kBacklog / 2);
    return {};
  }

  Status refuse(std::uint32_t host) {
    const auto client = load::connect_to(host, deaf_.number);
    if (client) return Error("a connect was not refused");
    if (client.error().code() != ECONNREFUSED) return client.error();
    ++refused_;
    return {};
  }

  Port listener_;
  Port deaf_;  // bound, so that nobody else listens there
  std::uint32_t network_;
  Options options_;
  std::vector<char> message_;
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
  app.add_option("--echo", options.echo, "Bytes that go to the server and back")
      ->check(CLI::Range(0, 16384))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

Result<std::vector<Worker>> make_workers(const Options& options) {
  std::vector<Worker> workers;
  for (std::uint32_t i = 0; i < options.workers; ++i) {
    auto worker = Worker::create(i, options);
    if (!worker) return worker.error();
    workers.push_back(std::move(*worker));
  }
  return workers;
}

Status run_all(std::vector<Worker>& workers, const Options& options) {
  const auto deadline = load::after_seconds(options.seconds);
  std::vector<Status> outcomes(workers.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::uint64_t operations = load::share(options.operations, workers.size(), i);
    threads.emplace_back([&outcome = outcomes[i], &worker = workers[i], operations, deadline] {
      outcome = worker.run(operations, deadline);
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& outcome : outcomes)
    if (!outcome) return outcome;
  return {};
}

void print(const std::vector<Worker>& workers, const Options& options, double seconds, double cpu) {
  load::Figures figures{0, 0, 0, 0, seconds, cpu};
  for (const auto& worker : workers) {
    figures.operations += worker.operations();
    figures.accepts += worker.accepted();
  }
  figures.connects = figures.operations;
  figures.bytes = figures.accepts * options.echo;
  load::print(figures);
}

Status measure(const Options& options) {
  auto workers = make_workers(options);
  if (!workers) return workers.error();
  const double cpu_before = load::cpu_seconds();
  const auto begin = Clock::now();
  if (auto done = run_all(*workers, options); !done) return done;
  print(*workers, options, std::chrono::duration<double>(Clock::now() - begin).count(),
        load::cpu_seconds() - cpu_before);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status measured = measure(parse(argc, argv));
  if (!measured) std::fprintf(stderr, "connect_load: %s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
