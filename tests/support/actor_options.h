// SPDX-License-Identifier: Apache-2.0
//
// What tcp_actor was asked to do. Times are milliseconds, ports are host order. No thread may change it once it is
// parsed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace connscope::actor {

/// How a connection is begun.
enum class Method { kConnect, kNonblocking, kFastOpenSend, kFastOpenConnect, kIoUring };

/// What the program does `end_after_ms` after it began an attempt that is still in progress.
enum class Ending { kAwait, kClose, kShutdown, kUnspec };

struct ConnectOptions {
  std::string address;
  std::uint16_t port = 0;
  Method method = Method::kConnect;
  Ending ending = Ending::kAwait;
  long end_after_ms = 0;
  long count = 1;
  long threads = 1;
  /// Each thread begins that much after the one before it.
  long stagger_ms = 0;
  long forks = 0;
  /// Further attempts on the same descriptor after one that failed.
  long retries = 0;
  /// The local port; 0 lets the kernel choose.
  std::uint16_t bind_port = 0;
  long send_timeout_ms = 0;
  long interrupt_after_ms = 0;
  /// −1: stays the user that it is.
  long uid = -1;
  long gid = -1;
  bool mptcp = false;
  /// The error of a non-blocking attempt is fetched by a second connect() rather than by SO_ERROR.
  bool second_connect = false;
  /// Keeps what it connected until its standard input ends.
  bool hold = false;
  /// Begins only when a line has come in on standard input.
  bool wait_line = false;
};

struct ListenOptions {
  std::uint16_t port = 0;
  int backlog = 1024;
  bool mptcp = false;
  bool fast_open = false;
};

struct FloodOptions {
  std::string address;
  std::uint16_t open_port = 0;
  std::uint16_t refused_port = 0;
  long count = 0;
  long threads = 1;
};

/// The arguments after the subcommand: those without dashes in order, and `--name [value]` pairs.
/// A wrong argument ends the program with status 2 and a message: it is a mistake in a test.
class Arguments {
 public:
  /// `flags` take no value; every other `--name` takes one.
  Arguments(int argc, char** argv, const std::vector<std::string>& flags);

  [[nodiscard]] std::string positional(std::size_t index) const;
  [[nodiscard]] std::uint16_t port(std::size_t index) const;
  [[nodiscard]] bool has(const std::string& name) const { return named_.count(name) != 0; }
  [[nodiscard]] long number(const std::string& name, long otherwise) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const;

 private:
  std::vector<std::string> positional_;
  std::map<std::string, std::string> named_;
};

ConnectOptions parse_connect(int argc, char** argv);
ListenOptions parse_listen(int argc, char** argv);
FloodOptions parse_flood(int argc, char** argv);

[[noreturn]] void die(const std::string& message);

}  // namespace connscope::actor
