// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_serve.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tests/support/actor_input.h"
#include "tests/support/actor_socket.h"
#include "tests/support/actor_steps.h"
#include "tests/support/actor_uring.h"

namespace connscope::actor {
namespace {

/// The first descriptor that socket activation passes, sd_listen_fds(3).
constexpr int kPassedListener = 3;

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

UniqueFd make_listener(const ServeOptions& options) {
  const Address local = make_address(options.address, options.port);
  UniqueFd listener = make_tcp_socket(local.family(), options.end.mptcp);
  set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_option(listener.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.end.fast_open) set_option(listener.get(), IPPROTO_TCP, TCP_FASTOPEN, 64);
  set_buffers(listener.get(), options.end.receive_buffer, options.end.send_buffer);
  if (::bind(listener.get(), local.get(), local.length) != 0) fail("bind");
  if (::listen(listener.get(), options.backlog) != 0) fail("listen");
  print_result("listening", local_port(listener.get()));
  return listener;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

UniqueFd take_listener(const ServeOptions& options) {
  if (options.activated &&
      (environment("LISTEN_FDS") != "1" || environment("LISTEN_PID") != std::to_string(::getpid()))) {
    die("was not activated with one listener");
  }
  return UniqueFd(kPassedListener);
}

/// Becomes `path`, which accepts from that listener.
[[noreturn]] void become(const std::string& path, const ServeOptions& options, const char* how, int listener) {
  if (listener == kPassedListener) {
    if (::fcntl(listener, F_SETFD, 0) != 0) fail("fcntl");
  } else if (::dup2(listener, kPassedListener) < 0) {
    fail("dup2");
  }
  std::vector<std::string> words = {path, "serve"};
  words.insert(words.end(), options.words.begin(), options.words.end());
  words.emplace_back(how);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(path.c_str(), argv.data());
  die(path + ": " + std::strerror(errno));
}

pid_t fork_or_die() {
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  return child;
}

/// Until all children have ended; a failure when one failed.
int await_children() {
  int failed = 0;
  int status = 0;
  while (::wait(&status) > 0) failed = status == 0 ? failed : 1;
  return failed;
}

/// As a service manager does: it listens, and its child becomes the service.
int activate(const ServeOptions& options, int listener) {
  if (fork_or_die() == 0) {
    ::setenv("LISTEN_FDS", "1", 1);                                 // NOLINT(concurrency-mt-unsafe)
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    become(options.activate_path, options, "--activated", listener);
  }
  return await_children();
}

UniqueFd accept_one(int listener, const ServeOptions& options) {
  if (options.accept_after_ms > 0) {
    await_events(listener, POLLIN);
    ::usleep(static_cast<useconds_t>(options.accept_after_ms) * 1000);
  }
  UniqueFd connection;
  switch (options.method) {
    case AcceptMethod::kAccept:
      connection.reset(::accept(listener, nullptr, nullptr));
      break;
    case AcceptMethod::kAccept4:
      connection.reset(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      break;
    case AcceptMethod::kIoUring:
      connection = accept_by_io_uring(listener);
      break;
  }
  if (!connection) fail("accept");
  // A program that is started for one of the steps must not have it.
  if (::fcntl(connection.get(), F_SETFD, FD_CLOEXEC) != 0) fail("fcntl");
  print_result("accepted", connection.get());
  return connection;
}

void accept_all(int listener, const ServeOptions& options) {
  Connections connections;
  for (long i = 0; options.count == 0 || i < options.count; ++i) {
    connections.push_back(accept_one(listener, options));
    if (options.end.together) continue;
    run_steps(connections, options.end.steps);
    connections.clear();
  }
  if (options.end.together) run_steps(connections, options.end.steps);
}

int accept_in_workers(int listener, const ServeOptions& options) {
  for (long i = 0; i < options.workers; ++i) {
    if (fork_or_die() != 0) continue;
    accept_all(listener, options);
    ::_exit(0);
  }
  return await_children();
}

}  // namespace

int run_serve(const ServeOptions& options) {
  const UniqueFd listener = options.inherited || options.activated ? take_listener(options) : make_listener(options);
  if (!options.exec_path.empty()) become(options.exec_path, options, "--inherited", listener.get());
  if (!options.activate_path.empty()) return activate(options, listener.get());
  if (options.wait_line || options.never) await_line();
  if (options.never) return 0;
  if (options.workers > 0) return accept_in_workers(listener.get(), options);
  accept_all(listener.get(), options);
  return 0;
}

}  // namespace connscope::actor
