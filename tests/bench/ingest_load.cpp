// SPDX-License-Identifier: Apache-2.0
//
// Processes that send lines to the agent's socket: one line of JSON with what they sent, and what they lost. Senders
// that block wait for room in the agent's queue; the others count what it refuses, and tell the agent, as the client
// library does. Each packet has lines of all types, of so many series.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/unique_fd.h"

namespace {

using namespace std::chrono_literals;
using connscope::UniqueFd;
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string path;
  std::uint16_t udp_port = 0;
  int processes = 4;
  double seconds = 60;
  double rate = 0;  // lines a second of all processes together; 0: as fast as can be
  int lines = 20;   // a packet
  int series = 100;
  bool block = true;
};

struct Outcome {
  std::uint64_t packets = 0;
  std::uint64_t lost_packets = 0;
};

std::vector<std::string> make_packets(const Arguments& arguments) {
  constexpr const char* kValues[] = {":1|c", ":1|c|#route:/x,code:200", ":42|g", ":1.5|ms", ":1000|h"};
  std::vector<std::string> packets;
  int series = 0;
  for (int i = 0; i < arguments.series; ++i) {
    std::string packet;
    for (int line = 0; line < arguments.lines; ++line, ++series) {
      const int number = series % arguments.series;
      packet += "load.metric" + std::to_string(number) + kValues[number % 5] + (line + 1 < arguments.lines ? "\n" : "");
    }
    packets.push_back(std::move(packet));
  }
  return packets;
}

UniqueFd open_socket(const Arguments& arguments) {
  if (arguments.udp_port != 0) {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(arguments.udp_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_open = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    return is_open ? std::move(fd) : UniqueFd();
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  arguments.path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool is_open = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  return is_open ? std::move(fd) : UniqueFd();
}

/// Tells what was lost, however long that takes.
void tell_lost(int fd, std::uint64_t lines) {
  const std::string line = "connscope.client.lost:" + std::to_string(lines) + "|c";
  if (lines != 0) (void)::send(fd, line.data(), line.size(), 0);
}

Outcome send_all(const Arguments& arguments) {
  const UniqueFd fd = open_socket(arguments);
  if (!fd) return {};
  const auto packets = make_packets(arguments);
  const double packet_rate = arguments.rate / arguments.lines / arguments.processes;
  const auto begin = Clock::now();
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(arguments.seconds));
  Outcome outcome;
  for (std::uint64_t i = 0;; ++i) {
    const auto now = Clock::now();
    if (now >= end) break;
    if (packet_rate > 0) {
      const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(static_cast<double>(i) / packet_rate));
      if (due > now + 1ms) std::this_thread::sleep_until(due);
    }
    const std::string& packet = packets[i % packets.size()];
    const bool sent = ::send(fd.get(), packet.data(), packet.size(), arguments.block ? 0 : MSG_DONTWAIT) >= 0;
    if (!sent && errno != EAGAIN && errno != ENOBUFS) break;
    ++(sent ? outcome.packets : outcome.lost_packets);
  }
  tell_lost(fd.get(), outcome.lost_packets * static_cast<std::uint64_t>(arguments.lines));
  return outcome;
}

Outcome run(const Arguments& arguments) {
  std::vector<UniqueFd> results;
  for (int i = 0; i < arguments.processes; ++i) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return {};
    if (::fork() == 0) {
      const Outcome outcome = send_all(arguments);
      ::_exit(::write(ends[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
    }
    ::close(ends[1]);
    results.emplace_back(ends[0]);
  }
  Outcome sum;
  for (const UniqueFd& result : results) {
    Outcome one;
    if (::read(result.get(), &one, sizeof(one)) != sizeof(one)) return {};
    sum.packets += one.packets;
    sum.lost_packets += one.lost_packets;
  }
  while (::wait(nullptr) > 0) continue;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Sends lines to the agent's socket", "ingest_load");
  app.add_option("--path", arguments.path, "Socket of the agent");
  app.add_option("--udp", arguments.udp_port, "UDP port on loopback, instead");
  app.add_option("--processes", arguments.processes);
  app.add_option("--seconds", arguments.seconds);
  app.add_option("--rate", arguments.rate, "Lines a second; 0: as fast as can be");
  app.add_option("--lines", arguments.lines, "Lines a packet");
  app.add_option("--series", arguments.series);
  app.add_flag("--block,!--no-block", arguments.block, "Wait for room in the queue");
  CLI11_PARSE(app, argc, argv);
  const auto begin = Clock::now();
  const Outcome outcome = run(arguments);
  const std::chrono::duration<double> took = Clock::now() - begin;
  const auto lines = static_cast<std::uint64_t>(arguments.lines);
  std::printf("{\"packets\": %llu, \"lines\": %llu, \"lost_lines\": %llu, \"seconds\": %.3f}\n",
              static_cast<unsigned long long>(outcome.packets),
              static_cast<unsigned long long>(outcome.packets * lines),
              static_cast<unsigned long long>(outcome.lost_packets * lines), took.count());
  return outcome.packets == 0 ? 1 : 0;
}
