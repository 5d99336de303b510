// SPDX-License-Identifier: Apache-2.0
//
// tcp_actor: the program whose connects the integration tests count. It says what it saw itself, one line a result
// ("WORD MICROSECONDS"), so that a test knows the truth from the program's own side. Linked statically, so that a copy
// under another name runs in any root, on any kernel, within two milliseconds.
//
//   tcp_actor connect ADDRESS PORT [--method connect|nonblocking|tfo-send|tfo-connect|io-uring]
//             [--end await|close|shutdown|unspec] [--end-after-ms N] [--second-connect] [--retries N] [--mptcp]
//             [--bind-port N] [--send-timeout-ms N] [--interrupt-after-ms N] [--count N] [--threads N] [--stagger-ms N]
//             [--forks N]
//             [--uid N] [--gid N] [--wait-line] [--hold]
//   tcp_actor listen PORT [--backlog N] [--mptcp] [--tfo]
//   tcp_actor talk ADDRESS PORT [--count N] [--together] [--mptcp] [--tfo] [--rcvbuf N] [--sndbuf N] [--do STEPS]
//   tcp_actor serve PORT [--address A] [--backlog N] [--reuseport] [--mptcp] [--tfo] [--rcvbuf N] [--sndbuf N]
//             [--method accept|accept4|io-uring] [--accept-after-ms N] [--wait-line] [--never]
//             [--count N] [--together] [--do STEPS] [--workers N] [--exec PATH] [--activate PATH]
//   tcp_actor flood ADDRESS OPEN_PORT REFUSED_PORT --count N [--threads N]
//   tcp_actor misuse ADDRESS OPEN_PORT DROPPED_PORT
//   tcp_actor reset-peer PORT
//
// STEPS are in actor_steps.h. "receive CHANNEL --do STEPS", and "serve" with --inherited or --activated, are what it
// starts itself as.
#include <csignal>
#include <string_view>

#include "tests/support/actor_connect.h"
#include "tests/support/actor_options.h"
#include "tests/support/actor_peer.h"
#include "tests/support/actor_serve.h"
#include "tests/support/actor_steps.h"
#include "tests/support/actor_talk.h"

namespace {

int run(std::string_view command, int argc, char** argv) {
  using namespace connscope::actor;
  if (command == "connect") return run_connect(parse_connect(argc, argv));
  if (command == "flood") return run_flood(parse_flood(argc, argv));
  if (command == "talk") return run_talk(parse_talk(argc, argv));
  if (command == "serve") return run_serve(parse_serve(argc, argv));
  if (command == "listen") run_listen(parse_listen(argc, argv));
  const Arguments arguments(argc, argv, {});
  if (command == "reset-peer") return run_reset_peer(arguments.port(0));
  if (command == "receive") return run_received(arguments.port(0), split_steps(arguments.text("--do", "")));
  if (command == "misuse") return run_misuse(arguments.positional(0), arguments.port(1), arguments.port(2));
  die("no such command: " + std::string(command));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) connscope::actor::die("needs a command: connect, talk, listen, serve, flood, misuse, reset-peer");
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
  return run(argv[1], argc - 2, argv + 2);
}
