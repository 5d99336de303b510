// SPDX-License-Identifier: Apache-2.0
//
// The programs of the soak: each is a copy of this one under a name of its own, does one thing at a bounded rate until
// SIGTERM, and then says in one line of JSON what it has done, as its own side saw it. A call that goes another way
// than it should ends it with exit code 1, because its tally could not be trusted.
//
//   soak_load serve                                            says its port first, then does what its clients ask
//   soak_load echo    --port N --rate R                        connect, echo, close; client and server close in turn
//   soak_load reset   --port N --rate R                        connect, echo, reset; by client and server in turn
//   soak_load refuse  --rate R                                 connect where nobody listens
//   soak_load timeout --port N --rate R                        connect where nobody answers
//   soak_load keep    --port N --rate R --connections K --replace-every M
//                                                              K connections that stay; a message on one after the
//                                                              other, and each Mth time it is closed and made anew
#include <poll.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/bench/load_sockets.h"
#include "tests/soak/soak_peer.h"
#include "tests/soak/soak_server.h"

namespace {

namespace load = connscope::load;
namespace soak = connscope::soak;
using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using connscope::load::Clock;
using connscope::soak::Message;
using connscope::soak::Tally;
using connscope::soak::Wish;

constexpr std::chrono::seconds kPatience(10);  // for an answer on loopback

struct Options {
  in_port_t port = 0;  // host order
  double rate = 1;
  std::uint32_t connections = 2000;
  std::uint32_t replace_every = 10;
};

/// Waits for the end of the program at most so long; whether it has been asked for.
bool ended_within(Clock::duration wait) {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(std::max(wait, Clock::duration::zero()));
  const timespec limit{static_cast<time_t>(left.count() / 1'000'000'000),
                       static_cast<long>(left.count() % 1'000'000'000)};
  const sigset_t signals = soak::ending();
  return ::sigtimedwait(&signals, nullptr, &limit) == SIGTERM;
}

/// Operations at a bounded rate. What a stalled machine left undone for more than a second is not made up for.
Status at_rate(double rate, const std::function<Status(std::uint64_t number)>& operate) {
  const auto step = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
  auto due = Clock::now();
  for (std::uint64_t number = 0; !ended_within(due - Clock::now()); ++number) {
    if (Status done = operate(number); !done) return done;
    due = std::max(due + step, Clock::now() - std::chrono::seconds(1));
  }
  return {};
}

class Client {
 public:
  explicit Client(Tally& tally, in_port_t port) : tally_(tally), port_(htons(port)) {}

  /// A connection on which a first message went there and back, so that its server has accepted it.
  Result<UniqueFd> open() {
    auto socket = load::connect_to(INADDR_LOOPBACK, port_);
    if (!socket) return socket;
    ++tally_.connects;
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(socket->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (Status echoed = echo(socket->get()); !echoed) return echoed.error();
    return socket;
  }

  Status echo(int socket) {
    if (Status sent = send(socket, soak::kEcho); !sent) return sent;
    Message answer;
    if (::recv(socket, answer.data(), answer.size(), MSG_WAITALL) != static_cast<ssize_t>(answer.size()))
      return Error::from_errno("the echo", errno);
    tally_.received += answer.size();
    return {};
  }

  /// Tells the server to close or reset, and waits until it has: the error that ended the connection, 0 for a FIN.
  Result<int> leave_end_to_server(int socket, Wish wish) {
    if (Status sent = send(socket, wish); !sent) return sent.error();
    char byte = 0;
    const ssize_t size = ::recv(socket, &byte, 1, 0);
    if (size > 0) return Error("an answer where the connection should end");
    return size == 0 ? 0 : errno;
  }

 private:
  Status send(int socket, Wish wish) {
    Message message{};
    message[0] = wish;
    if (::send(socket, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
      return Error::from_errno("send", errno);
    tally_.sent += message.size();
    return {};
  }

  Tally& tally_;
  in_port_t port_;  // network order
};

Status run_echo(const Options& options, Tally& tally) {
  Client client(tally, options.port);
  return at_rate(options.rate, [&](std::uint64_t number) -> Status {
    const auto socket = client.open();
    if (!socket) return socket.error();
    if (number % 2 == 0) {
      ++tally.local_fin;
      return {};
    }
    const auto end = client.leave_end_to_server(socket->get(), soak::kClose);
    if (!end) return end.error();
    if (*end != 0) return Error::from_errno("instead of the server's close", *end);
    ++tally.remote_fin;
    return {};
  });
}

Status run_reset(const Options& options, Tally& tally) {
  Client client(tally, options.port);
  return at_rate(options.rate, [&](std::uint64_t number) -> Status {
    const auto socket = client.open();
    if (!socket) return socket.error();
    if (number % 2 == 0) {
      soak::reset_on_close(socket->get());
      ++tally.local_reset;
      return {};
    }
    const auto end = client.leave_end_to_server(socket->get(), soak::kReset);
    if (!end) return end.error();
    if (*end != ECONNRESET) return Error::from_errno("instead of the server's reset", *end);
    ++tally.remote_reset;
    return {};
  });
}

Status run_refuse(const Options& options, Tally& tally) {
  const auto deaf = load::Port::create(INADDR_LOOPBACK);  // bound, so that nobody else listens there
  if (!deaf) return deaf.error();
  return at_rate(options.rate, [&](std::uint64_t) -> Status {
    const auto socket = load::connect_to(INADDR_LOOPBACK, deaf->number);
    if (socket) return Error("a connect was not refused");
    if (socket.error().code() != ECONNREFUSED) return socket.error();
    ++tally.connects;
    ++tally.refused;
    return {};
  });
}

/// Attempts that nobody answers, several at a time.
class Unanswered {
 public:
  explicit Unanswered(Tally& tally) : tally_(tally) {}

  Status begin(in_port_t port) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto where = load::address(INADDR_LOOPBACK, htons(port));
    if (!socket) return Error::from_errno("socket", errno);
    if (::connect(socket.get(), load::plain(where), sizeof(where)) == 0) return Error("a connect was answered");
    if (errno != EINPROGRESS) return Error::from_errno("connect", errno);
    ++tally_.connects;
    polled_.push_back({socket.get(), POLLOUT, 0});
    sockets_.push_back(std::move(socket));
    return {};
  }

  /// Takes those that have ended; waits for the first of them at most so long.
  Status take_ended(int wait_ms) {
    if (::poll(polled_.data(), polled_.size(), wait_ms) < 0) return Error::from_errno("poll", errno);
    for (std::size_t i = polled_.size(); i-- > 0;) {
      if (polled_[i].revents == 0) continue;
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(polled_[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != ETIMEDOUT) return Error::from_errno("instead of a time-out", error);
      ++tally_.timed_out;
      polled_.erase(polled_.begin() + static_cast<std::ptrdiff_t>(i));
      sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return {};
  }

  [[nodiscard]] bool any() const { return !sockets_.empty(); }

 private:
  Tally& tally_;
  std::vector<UniqueFd> sockets_;
  std::vector<pollfd> polled_;
};

Status run_timeout(const Options& options, Tally& tally) {
  Unanswered attempts(tally);
  Status done = at_rate(options.rate, [&](std::uint64_t) -> Status {
    if (Status taken = attempts.take_ended(0); !taken) return taken;
    return attempts.begin(options.port);
  });
  if (!done) return done;
  while (attempts.any()) {
    if (Status taken = attempts.take_ended(-1); !taken) return taken;
  }
  return {};
}

Status run_keep(const Options& options, Tally& tally) {
  Client client(tally, options.port);
  std::vector<UniqueFd> kept;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    auto socket = client.open();
    if (!socket) return socket.error();
    kept.push_back(std::move(*socket));
  }
  Status done = at_rate(options.rate, [&](std::uint64_t number) -> Status {
    UniqueFd& socket = kept[number % kept.size()];
    if (Status echoed = client.echo(socket.get()); !echoed) return echoed;
    if ((number + 1) % options.replace_every != 0) return {};
    socket.reset();
    ++tally.local_fin;
    auto replacement = client.open();
    if (!replacement) return replacement.error();
    socket = std::move(*replacement);
    return {};
  });
  if (done) tally.local_fin += kept.size();
  return done;
}

using Run = std::function<Status(const Options&, Tally&)>;

/// The program that the arguments ask for.
Run parse(int argc, char** argv, Options& options) {
  CLI::App app("A program of the soak", "soak_load");
  app.require_subcommand(1);
  Run chosen;
  const auto offer = [&](const char* name, const char* what, Run run) {
    CLI::App* command = app.add_subcommand(name, what);
    command->callback([&chosen, run = std::move(run)] { chosen = run; });
    return command;
  };
  const auto paced = [&](CLI::App* command) {
    command->add_option("--rate", options.rate, "Operations a second")->check(CLI::PositiveNumber)->required();
    return command;
  };
  const auto calling = [&](CLI::App* command) {
    paced(command)->add_option("--port", options.port, "Where to")->required();
    return command;
  };
  offer("serve", "Does what its clients ask", [](const Options&, Tally& tally) { return soak::Server(tally).run(); });
  calling(offer("echo", "Connect, echo, close", run_echo));
  calling(offer("reset", "Connect, echo, reset", run_reset));
  paced(offer("refuse", "Connect where nobody listens", run_refuse));
  calling(offer("timeout", "Connect where nobody answers", run_timeout));
  CLI::App* keep = calling(offer("keep", "Connections that stay", run_keep));
  keep->add_option("--connections", options.connections, "How many")->check(CLI::Range(1U, 10000U))->required();
  keep->add_option("--replace-every", options.replace_every, "Each such message is its connection's last")
      ->check(CLI::Range(1U, 1000000U))
      ->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return chosen;
}

}  // namespace

int main(int argc, char** argv) {
  // Each kept connection is a descriptor, and the usual limit is 1,024.
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  Options options;
  const Run run = parse(argc, argv, options);
  const sigset_t signals = soak::ending();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Tally tally;
  const Status done = run(options, tally);
  if (!done) std::fprintf(stderr, "%s: %s\n", argv[0], done.error().message().c_str());
  if (done) tally.print();
  return done ? 0 : 1;
}
