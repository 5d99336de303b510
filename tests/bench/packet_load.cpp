// SPDX-License-Identifier: Apache-2.0
//
// Loads that are made of packets, on loopback and flat out. An operation of --load=bulk is 64 KiB that one thread sends
// over TCP and another receives. One of --load=datagram is a UDP request of --bytes and its response of as many, and
// one of --load=dns is a DNS query and its answer on port 53; both ends of these are in one thread, so that nothing
// sleeps: the least that an operation can cost. Prints one line of JSON; a failing call ends it with exit code 1.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/bench/load_sockets.h"
#include "tests/support/dns_wire.h"

namespace {

namespace load = connscope::load;
using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using connscope::load::Clock;

constexpr std::size_t kBulkBytes = 65536;
constexpr in_port_t kDnsPort = 53;

struct Options {
  std::string load = "datagram";
  std::uint64_t operations = 100'000;
  double seconds = 60;
  std::size_t bytes = 512;
  std::string server = "same";
};

/// Whether a run goes on; the clock is not asked each time.
class Limit {
 public:
  explicit Limit(const Options& options)
      : operations_(options.operations), deadline_(load::after_seconds(options.seconds)) {}
  [[nodiscard]] bool allows(std::uint64_t done) const {
    return done < operations_ && (done % 64 != 0 || Clock::now() < deadline_);
  }

 private:
  std::uint64_t operations_;
  Clock::time_point deadline_;
};

/// The operations done.
Result<std::uint64_t> run_bulk(const Options& options) {
  const auto listener = load::Port::listening(1, INADDR_LOOPBACK);
  if (!listener) return listener.error();
  auto sender = load::connect_to(INADDR_LOOPBACK, listener->number);
  if (!sender) return sender.error();
  const auto receiver = load::accept_from(listener->socket.get());
  if (!receiver) return receiver.error();
  std::thread receiving([fd = receiver->get()] {
    std::vector<char> bytes(4 * kBulkBytes);
    while (::recv(fd, bytes.data(), bytes.size(), 0) > 0) {
    }
  });
  const std::vector<char> bytes(kBulkBytes);
  const Limit limit(options);
  std::uint64_t done = 0;
  bool failed = false;
  while (!failed && limit.allows(done)) {
    failed = ::send(sender->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size());
    ++done;
  }
  const int error = errno;
  sender->reset();
  receiving.join();
  if (failed) return Error::from_errno("send", error);
  return done;
}

/// Two UDP sockets that are connected to each other.
struct Pair {
  UniqueFd client;
  UniqueFd server;

  /// In network order; 0: any port.
  static Result<Pair> create(in_port_t port) {
    Pair pair{UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
              UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))};
    const auto server = bound(pair.server, port);
    if (!server) return server.error();
    const auto client = bound(pair.client, 0);
    if (!client) return client.error();
    if (::connect(pair.client.get(), load::plain(*server), sizeof(*server)) != 0 ||
        ::connect(pair.server.get(), load::plain(*client), sizeof(*client)) != 0) {
      return Error::from_errno("connect", errno);
    }
    return pair;
  }

 private:
  static Result<sockaddr_in> bound(const UniqueFd& socket, in_port_t port) {
    auto where = load::address(INADDR_LOOPBACK, port);
    socklen_t size = sizeof(where);
    if (::bind(socket.get(), load::plain(where), size) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0) {
      return Error::from_errno("bind", errno);
    }
    return where;
  }
};

using connscope::actor::Bytes;

/// What goes there and what comes back.
struct Messages {
  Bytes request;
  Bytes response;

  static Messages of(const Options& options) {
    using namespace connscope::actor;
    if (options.load != "dns") return {Bytes(options.bytes), Bytes(options.bytes)};
    const Question question{0, "a-name-of-some-length.load.test", kTypeA};
    AnswerShape shape;
    shape.has_data = true;
    return {make_query(question, 0), make_answer(question, shape)};
  }
};

Status send(int fd, const Bytes& message) {
  const auto size = static_cast<ssize_t>(message.size());
  if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) != size) return Error::from_errno("send", errno);
  return {};
}

Status receive(int fd, Bytes& message) {
  const auto size = static_cast<ssize_t>(message.size());
  if (::recv(fd, message.data(), message.size(), 0) != size) return Error::from_errno("receive", errno);
  return {};
}

/// The server's part of one operation; false when the request is empty, which is the last. The response has the
/// request's id.
Result<bool> serve_one(int fd, Bytes& request, Bytes& response) {
  const ssize_t size = ::recv(fd, request.data(), request.size(), 0);
  if (size < 0) return Error::from_errno("receive", errno);
  if (size == 0) return false;
  std::copy_n(request.begin(), 2, response.begin());
  if (auto told = send(fd, response); !told) return told.error();
  return true;
}

/// Each operation has an id of its own, in front.
Result<std::uint64_t> run_datagrams(const Options& options) {
  const auto pair = Pair::create(options.load == "dns" ? htons(kDnsPort) : 0);
  if (!pair) return pair.error();
  const int client = pair->client.get();
  const int server = pair->server.get();
  Messages messages = Messages::of(options);
  Bytes asked(messages.request.size());
  Bytes told(messages.response.size());
  const bool is_other = options.server == "other";
  std::thread serving([server, is_other, request = asked, response = messages.response]() mutable {
    while (is_other && serve_one(server, request, response).value_or(false)) {
    }
  });
  const Limit limit(options);
  std::uint64_t done = 0;
  Status outcome;
  for (; outcome && limit.allows(done); ++done) {
    messages.request[0] = static_cast<std::uint8_t>(done >> 8U);
    messages.request[1] = static_cast<std::uint8_t>(done);
    outcome = send(client, messages.request);
    if (outcome && !is_other && !serve_one(server, asked, messages.response).value_or(false)) {
      outcome = Error("the server failed");
    }
    if (outcome) outcome = receive(client, told);
  }
  if (is_other && !send(client, {})) std::exit(1);  // the other thread would wait for ever
  serving.join();
  if (!outcome) return outcome.error();
  return done;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Packets on loopback, flat out", "packet_load");
  app.add_option("--load", options.load, "What an operation is: see packet_load.cpp")
      ->check(CLI::IsMember({"bulk", "datagram", "dns"}))
      ->capture_default_str();
  app.add_option("--operations", options.operations, "How many")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop earlier, after so long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--bytes", options.bytes, "Size of a request, and of a response (datagram)")
      ->check(CLI::Range(2, 8192))
      ->capture_default_str();
  app.add_option("--server", options.server, "The thread that serves (datagram, dns)")
      ->check(CLI::IsMember({"same", "other"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

Status measure(const Options& options) {
  const double cpu_before = load::cpu_seconds();
  const auto begin = Clock::now();
  const bool is_bulk = options.load == "bulk";
  const auto operations = is_bulk ? run_bulk(options) : run_datagrams(options);
  if (!operations) return operations.error();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::uint64_t connections = is_bulk ? 1 : 0;
  load::print({*operations, connections, connections, is_bulk ? *operations * kBulkBytes : 0, seconds,
               load::cpu_seconds() - cpu_before});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status measured = measure(parse(argc, argv));
  if (!measured) std::fprintf(stderr, "packet_load: %s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
