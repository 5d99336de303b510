// SPDX-License-Identifier: Apache-2.0
//
// dns_actor: both ends of the look-ups that the integration tests count, a scripted server and a client that says how
// long each look-up took. Linked statically, for the same reasons as tcp_actor.
//
//   dns_actor serve ADDRESS PORT [ADDRESS PORT]...
//   dns_actor ask ADDRESS PORT [--do STEPS]
//   dns_actor flood ADDRESS PORT --count N [--sockets N] [--window N] [--silent-every N] [--hold]
//
// STEPS are in dns_ask.h; what the server answers is in dns_script.h.
#include <csignal>
#include <string_view>

#include "tests/support/actor_arguments.h"
#include "tests/support/dns_ask.h"
#include "tests/support/dns_flood.h"
#include "tests/support/dns_serve.h"

namespace {

using namespace connscope::actor;

Address address_in(const Arguments& arguments, std::size_t index) {
  return make_address(arguments.positional(index), arguments.port(index + 1));
}

int run(std::string_view command, int argc, char** argv) {
  const Arguments arguments(argc, argv, {"--hold"});
  if (command == "serve") {
    std::vector<Address> addresses;
    for (int i = 0; i + 1 < argc; i += 2) addresses.push_back(address_in(arguments, static_cast<std::size_t>(i)));
    run_dns_server(addresses);
  }
  if (command == "ask") return run_dns_client(address_in(arguments, 0), split_steps(arguments.text("--do", "")));
  if (command == "flood") {
    return run_dns_flood({address_in(arguments, 0), arguments.number("--count", 1000), arguments.number("--sockets", 1),
                          arguments.number("--window", 16), arguments.number("--silent-every", 0),
                          arguments.has("--hold")});
  }
  die("no such command: " + std::string(command));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) die("needs a command: serve, ask, flood");
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
  return run(argv[1], argc - 2, argv + 2);
}
