// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_flood.h"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/actor_arguments.h"
#include "tests/support/actor_input.h"
#include "tests/support/dns_wire.h"

namespace connscope::actor {
namespace {

constexpr int kAnswerLimitMs = 5000;
constexpr long kIds = 65536;

struct Asker {
  UniqueFd socket;
  std::uint16_t next_id = 0;
  long outstanding = 0;
};

class Flood {
 public:
  explicit Flood(const DnsFlood& options) : options_(options) {
    // An id that comes again would be a retry of a query without an answer.
    if (options.count / options.sockets >= kIds) die("more queries on a socket than there are ids");
    for (long i = 0; i < options.sockets; ++i) askers_.push_back({open(), 0, 0});
  }

  void run() {
    while (asked_ < options_.count || answered_ + silent_ < asked_) {
      for (Asker& asker : askers_) {
        while (asked_ < options_.count && asker.outstanding < options_.window) ask(asker);
      }
      read_answers();
    }
  }

  [[nodiscard]] long answered() const { return answered_; }
  [[nodiscard]] long silent() const { return silent_; }

 private:
  UniqueFd open() const {
    UniqueFd fd(::socket(options_.server.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || ::connect(fd.get(), options_.server.get(), options_.server.length) != 0) {
      die(std::string("connect: ") + std::strerror(errno));
    }
    return fd;
  }

  void ask(Asker& asker) {
    ++asked_;
    const bool is_silent = options_.silent_every > 0 && asked_ % options_.silent_every == 0;
    const std::string name = std::string(is_silent ? "silent" : "ok") + ".q" + std::to_string(asked_) + ".flood.test";
    const Bytes message = make_query({asker.next_id++, name, kTypeA}, 0);
    if (::send(asker.socket.get(), message.data(), message.size(), 0) != static_cast<ssize_t>(message.size())) {
      die(std::string("send: ") + std::strerror(errno));
    }
    ++(is_silent ? silent_ : asker.outstanding);
  }

  void read_answers() {
    std::vector<pollfd> waiting;
    for (const Asker& asker : askers_) waiting.push_back({asker.socket.get(), POLLIN, 0});
    if (answered_ + silent_ == asked_) return;
    if (::poll(waiting.data(), waiting.size(), kAnswerLimitMs) <= 0) die("answers are missing");
    for (Asker& asker : askers_) {
      std::uint8_t bytes[512];
      while (::recv(asker.socket.get(), bytes, sizeof(bytes), 0) > 0) {
        --asker.outstanding;
        ++answered_;
      }
    }
  }

  const DnsFlood options_;
  std::vector<Asker> askers_;
  long asked_ = 0;
  long answered_ = 0;
  long silent_ = 0;
};

}  // namespace

int run_dns_flood(const DnsFlood& options) {
  Flood flood(options);
  const std::int64_t begun_us = now_us();
  flood.run();
  const std::int64_t took_us = now_us() - begun_us;
  print_result("noerror", flood.answered());
  print_result("silent", flood.silent());
  print_result("took", took_us);
  if (options.hold) await_end_of_input();
  return 0;
}

}  // namespace connscope::actor
