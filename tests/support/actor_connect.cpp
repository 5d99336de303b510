// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_connect.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/actor_input.h"
#include "tests/support/actor_socket.h"
#include "tests/support/actor_uring.h"

namespace connscope::actor {
namespace {

void ignore_signal(int) {}

/// A signal `after_ms` from now whose handler does not restart the interrupted call.
void interrupt_later(long after_ms) {
  struct sigaction action {};
  action.sa_handler = ignore_signal;
  ::sigaction(SIGALRM, &action, nullptr);
  itimerval timer{};
  timer.it_value.tv_sec = after_ms / 1000;
  timer.it_value.tv_usec = (after_ms % 1000) * 1000;
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void become(long uid, long gid) {
  if (gid >= 0 && ::setresgid(static_cast<gid_t>(gid), static_cast<gid_t>(gid), static_cast<gid_t>(gid)) != 0) {
    die(std::string("setresgid: ") + std::strerror(errno));
  }
  if (uid >= 0 && ::setresuid(static_cast<uid_t>(uid), static_cast<uid_t>(uid), static_cast<uid_t>(uid)) != 0) {
    die(std::string("setresuid: ") + std::strerror(errno));
  }
}

void give_up_association(int fd) {
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  if (::connect(fd, &unspecified, sizeof(unspecified)) != 0) die(std::string("AF_UNSPEC: ") + std::strerror(errno));
}

/// One socket and the attempts on it.
class Attempt {
 public:
  Attempt(const ConnectOptions& options, const Address& peer) : options_(options), peer_(peer) {
    fd_ = make_tcp_socket(peer.family(), options.mptcp);
    reset_on_close(fd_.get());
    if (options.bind_port != 0) bind_local();
    if (options.send_timeout_ms > 0) {
      const timeval limit{options.send_timeout_ms / 1000, (options.send_timeout_ms % 1000) * 1000};
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    if (options.method == Method::kFastOpenConnect) set_option(fd_.get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    if (options.method == Method::kNonblocking || options.ending != Ending::kAwait) set_nonblocking(fd_.get());
  }

  void run() {
    for (long left = options_.retries; left >= 0; --left) {
      const std::int64_t begun_us = now_us();
      const std::string_view word = once(begun_us);
      print_result(word, now_us() - begun_us);
      if (word == "ok" || !fd_) return;
    }
  }

  UniqueFd take_connection() { return std::move(fd_); }

 private:
  void bind_local() {
    set_option(fd_.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    Address local = make_address(peer_.family() == AF_INET ? "0.0.0.0" : "::", options_.bind_port);
    if (::bind(fd_.get(), local.get(), local.length) != 0) die(std::string("bind: ") + std::strerror(errno));
  }

  std::string_view once(std::int64_t begun_us) {
    if (options_.interrupt_after_ms > 0) interrupt_later(options_.interrupt_after_ms);
    const int error = begin();
    if (error == EINTR) print_result("EINTR", now_us() - begun_us);
    if (error != EINPROGRESS && error != EINTR) return result_name(error);
    if (options_.ending == Ending::kAwait && options_.send_timeout_ms == 0) return result_name(await_end());
    if (await_writable(fd_.get(), options_.end_after_ms)) return result_name(take_socket_error(fd_.get()));
    return break_off();
  }

  int begin() {
    switch (options_.method) {
      case Method::kIoUring:
        return connect_by_io_uring(fd_.get(), peer_);
      case Method::kFastOpenSend:
        return ::sendto(fd_.get(), "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, peer_.get(), peer_.length) < 0 ? errno : 0;
      case Method::kFastOpenConnect:
        if (::connect(fd_.get(), peer_.get(), peer_.length) != 0) return errno;
        return ::send(fd_.get(), "hello", 5, MSG_NOSIGNAL) < 0 ? errno : 0;
      default:
        return ::connect(fd_.get(), peer_.get(), peer_.length) == 0 ? 0 : errno;
    }
  }

  int await_end() {
    await_writable(fd_.get(), -1);
    if (!options_.second_connect) return take_socket_error(fd_.get());
    return ::connect(fd_.get(), peer_.get(), peer_.length) == 0 ? 0 : errno;
  }

  std::string_view break_off() {
    switch (options_.ending) {
      case Ending::kShutdown:
        ::shutdown(fd_.get(), SHUT_RDWR);
        return "shutdown";
      case Ending::kUnspec:
        give_up_association(fd_.get());
        return "unspec";
      default:
        fd_.reset();
        return "closed";
    }
  }

  const ConnectOptions& options_;
  const Address& peer_;
  UniqueFd fd_;
};

void connect_in_turn(const ConnectOptions& options, const Address& peer, std::vector<UniqueFd>& held) {
  for (long i = 0; i < options.count; ++i) {
    Attempt attempt(options, peer);
    attempt.run();
    if (options.hold) held.push_back(attempt.take_connection());
  }
}

void connect_in_threads(const ConnectOptions& options, const Address& peer) {
  std::vector<std::thread> threads;
  for (long i = 0; i < options.threads; ++i) {
    threads.emplace_back([&options, &peer, i] {
      const std::string name = "worker-" + std::to_string(i);
      ::pthread_setname_np(::pthread_self(), name.c_str());
      std::this_thread::sleep_for(std::chrono::milliseconds(i * options.stagger_ms));
      std::vector<UniqueFd> held;
      connect_in_turn(options, peer, held);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Children that never call exec, each with its own attempts.
int connect_in_forks(const ConnectOptions& options, const Address& peer) {
  for (long i = 0; i < options.forks; ++i) {
    const pid_t child = ::fork();
    if (child < 0) die(std::string("fork: ") + std::strerror(errno));
    if (child == 0) {
      std::vector<UniqueFd> held;
      connect_in_turn(options, peer, held);
      ::_exit(0);
    }
  }
  int failed = 0;
  for (long i = 0; i < options.forks; ++i) {
    int status = 0;
    if (::wait(&status) < 0 || status != 0) failed = 1;
  }
  return failed;
}

struct Tally {
  std::atomic<long> ok{0};
  std::atomic<long> refused{0};
  std::atomic<long> other{0};
};

void flood_once(const Address& peer, Tally& tally) {
  const UniqueFd fd = make_tcp_socket(peer.family(), false);
  reset_on_close(fd.get());
  if (::connect(fd.get(), peer.get(), peer.length) == 0) {
    ++tally.ok;
  } else {
    ++(errno == ECONNREFUSED ? tally.refused : tally.other);
  }
}

}  // namespace

int run_connect(const ConnectOptions& options) {
  const Address peer = make_address(options.address, options.port);
  become(options.uid, options.gid);
  if (options.wait_line) await_line();
  if (options.forks > 0) return connect_in_forks(options, peer);
  if (options.threads > 1) {
    connect_in_threads(options, peer);
    return 0;
  }
  std::vector<UniqueFd> held;
  connect_in_turn(options, peer, held);
  if (options.hold) await_end_of_input();
  return 0;
}

int run_flood(const FloodOptions& options) {
  const Address open_peer = make_address(options.address, options.open_port);
  const Address refusing_peer = make_address(options.address, options.refused_port);
  Tally tally;
  std::atomic<long> next{0};
  std::vector<std::thread> threads;
  for (long i = 0; i < options.threads; ++i) {
    threads.emplace_back([&] {
      for (long turn = next++; turn < options.count; turn = next++) {
        flood_once(turn % 2 == 0 ? open_peer : refusing_peer, tally);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  print_result("ok", tally.ok);
  print_result("ECONNREFUSED", tally.refused);
  print_result("other", tally.other);
  return 0;
}

}  // namespace connscope::actor
