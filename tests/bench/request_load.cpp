// SPDX-License-Identifier: Apache-2.0
//
// A load of requests flat out on connections that are kept: each operation is a request and a response of --bytes on
// one of them, both ends of which are in the same thread on loopback, so that nothing sleeps: the least that an
// operation can cost. Prints one line of JSON; a failing call ends it with exit code 1.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/bench/load_sockets.h"

namespace {

namespace load = connscope::load;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using connscope::load::Clock;

constexpr int kBacklog = 16;

struct Options {
  std::uint64_t operations = 100'000;
  double seconds = 60;
  std::uint32_t connections = 64;
  std::uint32_t workers = 2;
  std::size_t bytes = 4096;
};

/// Both ends of one kept connection.
struct Connection {
  UniqueFd client;
  UniqueFd server;
};

/// One thread's part of the load.
class Worker {
 public:
  static Result<Worker> create(std::uint32_t connections, std::size_t bytes) {
    const auto listener = load::Port::listening(kBacklog, INADDR_LOOPBACK);
    if (!listener) return listener.error();
    Worker worker(bytes);
    for (std::uint32_t i = 0; i < connections; ++i) {
      auto client = load::connect_to(INADDR_LOOPBACK, listener->number);
      if (!client) return client.error();
      auto server = load::accept_from(listener->socket.get());
      if (!server) return server.error();
      worker.connections_.push_back({std::move(*client), std::move(*server)});
    }
    return worker;
  }

  Status run(std::uint64_t operations, Clock::time_point deadline) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (i % 64 == 0 && Clock::now() >= deadline) break;
      const Connection& connection = connections_[i % connections_.size()];
      if (auto asked = load::carry(connection.client.get(), connection.server.get(), message_); !asked) return asked;
      if (auto told = load::carry(connection.server.get(), connection.client.get(), message_); !told) return told;
      ++operations_;
    }
    return {};
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }

 private:
  explicit Worker(std::size_t bytes) : message_(bytes) {}

  std::vector<Connection> connections_;
  std::vector<char> message_;
  std::uint64_t operations_ = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Requests and responses on kept connections on loopback, flat out", "request_load");
  app.add_option("--operations", options.operations, "How many, over all workers")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop earlier, after so long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Kept connections, over all workers")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "Threads")->check(CLI::Range(1U, 64U))->capture_default_str();
  app.add_option("--bytes", options.bytes, "Size of a request, and of a response")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    if (options.connections < options.workers) throw CLI::ValidationError("--connections", "fewer than --workers");
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

Result<std::vector<Worker>> make_workers(const Options& options) {
  std::vector<Worker> workers;
  for (std::uint32_t i = 0; i < options.workers; ++i) {
    auto worker =
        Worker::create(static_cast<std::uint32_t>(load::share(options.connections, options.workers, i)), options.bytes);
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
    threads.emplace_back([&outcome = outcomes[i], &worker = workers[i],
                          operations = load::share(options.operations, workers.size(), i),
                          deadline] { outcome = worker.run(operations, deadline); });
  }
  for (auto& thread : threads) thread.join();
  for (auto& outcome : outcomes)
    if (!outcome) return outcome;
  return {};
}

Status measure(const Options& options) {
  auto workers = make_workers(options);
  if (!workers) return workers.error();
  const double cpu_before = load::cpu_seconds();
  const auto begin = Clock::now();
  if (auto done = run_all(*workers, options); !done) return done;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double cpu = load::cpu_seconds() - cpu_before;
  std::uint64_t operations = 0;
  for (const auto& worker : *workers) operations += worker.operations();
  load::print({operations, options.connections, options.connections, operations * options.bytes, seconds, cpu});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status measured = measure(parse(argc, argv));
  if (!measured) std::fprintf(stderr, "request_load: %s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
