// SPDX-License-Identifier: Apache-2.0
//
// What tcp_actor was asked to do. Times are milliseconds, ports are host order. No thread may change it once it is
// parsed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/actor_arguments.h"

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

/// What both ends of a connection can be asked for.
struct EndOptions {
  bool mptcp = false;
  bool fast_open = false;
  /// Bytes; 0 leaves the kernel's.
  int receive_buffer = 0;
  int send_buffer = 0;
  /// All connections are made before the first step, which is then done on each; else one follows the other.
  bool together = false;
  std::vector<std::string> steps;
};

struct TalkOptions {
  std::string address;
  std::uint16_t port = 0;
  long count = 1;
  EndOptions end;
};

/// By which call a connection is accepted.
enum class AcceptMethod { kAccept, kAccept4, kIoUring };

struct ServeOptions {
  std::string address;
  std::uint16_t port = 0;
  int backlog = 1024;
  bool reuse_port = false;
  AcceptMethod method = AcceptMethod::kAccept;
  /// A connection is accepted so long after it can be.
  long accept_after_ms = 0;
  /// 0: until the program is killed.
  long count = 0;
  /// Forked children that accept, in place of the program itself.
  long workers = 0;
  /// Accepts nothing before a line has come in on standard input.
  bool wait_line = false;
  /// Ends at that line, so that the kernel resets what waits.
  bool never = false;
  /// The listener has been made by another program, as descriptor 3.
  bool inherited = false;
  /// By socket activation: that program says so in the environment.
  bool activated = false;
  /// Programs that accept in place of this one: it becomes the first, or starts the second as a child.
  std::string exec_path;
  std::string activate_path;
  EndOptions end;
  /// All the arguments but those two, for these programs.
  std::vector<std::string> words;
};

struct FloodOptions {
  std::string address;
  std::uint16_t open_port = 0;
  std::uint16_t refused_port = 0;
  long count = 0;
  long threads = 1;
};

ConnectOptions parse_connect(int argc, char** argv);
ListenOptions parse_listen(int argc, char** argv);
TalkOptions parse_talk(int argc, char** argv);
ServeOptions parse_serve(int argc, char** argv);
FloodOptions parse_flood(int argc, char** argv);

}  // namespace connscope::actor
