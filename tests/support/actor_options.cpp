// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_options.h"

namespace connscope::actor {
namespace {

Method parse_method(const std::string& name) {
  if (name == "connect") return Method::kConnect;
  if (name == "nonblocking") return Method::kNonblocking;
  if (name == "tfo-send") return Method::kFastOpenSend;
  if (name == "tfo-connect") return Method::kFastOpenConnect;
  if (name == "io-uring") return Method::kIoUring;
  die("--method is connect, nonblocking, tfo-send, tfo-connect or io-uring, not " + name);
}

Ending parse_ending(const std::string& name) {
  if (name == "await") return Ending::kAwait;
  if (name == "close") return Ending::kClose;
  if (name == "shutdown") return Ending::kShutdown;
  if (name == "unspec") return Ending::kUnspec;
  die("--end is await, close, shutdown or unspec, not " + name);
}

AcceptMethod parse_accept_method(const std::string& name) {
  if (name == "accept") return AcceptMethod::kAccept;
  if (name == "accept4") return AcceptMethod::kAccept4;
  if (name == "io-uring") return AcceptMethod::kIoUring;
  die("--method is accept, accept4 or io-uring, not " + name);
}

EndOptions parse_end(const Arguments& arguments) {
  EndOptions options;
  options.mptcp = arguments.has("--mptcp");
  options.fast_open = arguments.has("--tfo");
  options.receive_buffer = static_cast<int>(arguments.number("--rcvbuf", 0));
  options.send_buffer = static_cast<int>(arguments.number("--sndbuf", 0));
  options.together = arguments.has("--together");
  options.steps = split_steps(arguments.text("--do", ""));
  return options;
}

std::vector<std::string> words_without(int argc, char** argv, const std::vector<std::string>& names) {
  std::vector<std::string> words;
  for (int i = 0; i < argc; ++i) {
    bool is_named = false;
    for (const std::string& name : names) is_named = is_named || argv[i] == name;
    if (is_named) {
      ++i;
    } else {
      words.emplace_back(argv[i]);
    }
  }
  return words;
}

}  // namespace

ConnectOptions parse_connect(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"--mptcp", "--second-connect", "--hold", "--wait-line"});
  ConnectOptions options;
  options.address = arguments.positional(0);
  options.port = arguments.port(1);
  options.method = parse_method(arguments.text("--method", "connect"));
  options.ending = parse_ending(arguments.text("--end", "await"));
  options.end_after_ms = arguments.number("--end-after-ms", 0);
  options.count = arguments.number("--count", 1);
  options.threads = arguments.number("--threads", 1);
  options.stagger_ms = arguments.number("--stagger-ms", 0);
  options.forks = arguments.number("--forks", 0);
  options.retries = arguments.number("--retries", 0);
  options.bind_port = arguments.named_port("--bind-port");
  options.send_timeout_ms = arguments.number("--send-timeout-ms", 0);
  options.interrupt_after_ms = arguments.number("--interrupt-after-ms", 0);
  options.uid = arguments.number("--uid", -1);
  options.gid = arguments.number("--gid", -1);
  options.mptcp = arguments.has("--mptcp");
  options.second_connect = arguments.has("--second-connect");
  options.hold = arguments.has("--hold");
  options.wait_line = arguments.has("--wait-line");
  return options;
}

ListenOptions parse_listen(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"--mptcp", "--tfo"});
  ListenOptions options;
  options.port = arguments.port(0);
  options.backlog = static_cast<int>(arguments.number("--backlog", 1024));
  options.mptcp = arguments.has("--mptcp");
  options.fast_open = arguments.has("--tfo");
  return options;
}

TalkOptions parse_talk(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"--mptcp", "--tfo", "--together"});
  TalkOptions options;
  options.address = arguments.positional(0);
  options.port = arguments.port(1);
  options.count = arguments.number("--count", 1);
  options.end = parse_end(arguments);
  return options;
}

ServeOptions parse_serve(int argc, char** argv) {
  const Arguments arguments(
      argc, argv,
      {"--mptcp", "--tfo", "--together", "--reuseport", "--wait-line", "--never", "--inherited", "--activated"});
  ServeOptions options;
  options.port = arguments.port(0);
  options.address = arguments.text("--address", "::");
  options.backlog = static_cast<int>(arguments.number("--backlog", 1024));
  options.reuse_port = arguments.has("--reuseport");
  options.method = parse_accept_method(arguments.text("--method", "accept"));
  options.accept_after_ms = arguments.number("--accept-after-ms", 0);
  options.count = arguments.number("--count", 0);
  options.workers = arguments.number("--workers", 0);
  options.wait_line = arguments.has("--wait-line");
  options.never = arguments.has("--never");
  options.inherited = arguments.has("--inherited");
  options.activated = arguments.has("--activated");
  options.exec_path = arguments.text("--exec", "");
  options.activate_path = arguments.text("--activate", "");
  options.end = parse_end(arguments);
  options.words = words_without(argc, argv, {"--exec", "--activate"});
  return options;
}

FloodOptions parse_flood(int argc, char** argv) {
  const Arguments arguments(argc, argv, {});
  FloodOptions options;
  options.address = arguments.positional(0);
  options.open_port = arguments.port(1);
  options.refused_port = arguments.port(2);
  options.count = arguments.number("--count", 1000);
  options.threads = arguments.number("--threads", 1);
  return options;
}

}  // namespace connscope::actor
