// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_ask.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "tests/support/actor_arguments.h"
#include "tests/support/actor_input.h"
#include "tests/support/dns_send.h"
#include "tests/support/dns_wire.h"

namespace connscope::actor {
namespace {

constexpr std::size_t kLargest = 65536;
constexpr int kAnswerLimitMs = 10'000;

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

std::string rcode_word(unsigned rcode) {
  static constexpr std::array<const char*, 6> kWords = {"noerror",  "formerr", "servfail",
                                                        "nxdomain", "notimp",  "refused"};
  return rcode < kWords.size() ? kWords.at(rcode) : "rcode" + std::to_string(rcode);
}

std::string in_both_cases(std::string name) {
  for (std::size_t i = 0; i < name.size(); i += 2) name[i] = static_cast<char>(std::toupper(name[i]));
  return name;
}

/// A query without an answer.
struct Outstanding {
  Question question;
  std::int64_t asked_us = 0;
};

class Client {
 public:
  explicit Client(const Address& server)
      : server_(server), sender_(server), next_id_(static_cast<std::uint16_t>(::getpid() * 257)) {}

  void run(const Step& step) {
    if (set_up(step) || ask(step) || receive(step) || communicate(step)) return;
    die("no such step: " + step.name);
  }

 private:
  bool set_up(const Step& step) {
    if (step.name == "udp" || step.name == "connected") {
      open(SOCK_DGRAM, step.name == "connected");
    } else if (step.name == "tcp" || step.name == "fast-open") {
      open(SOCK_STREAM, step.name == "tcp");
    } else if (step.name == "via") {
      sender_.method = step.value;
    } else if (step.name == "edns") {
      udp_size_ = static_cast<std::uint16_t>(step.number());
    } else if (step.name == "mixed") {
      mixed_ = true;
    } else if (step.name == "same-id") {
      --next_id_;
    } else if (step.name == "hold") {
      holds_ = true;
    } else if (step.name == "forget") {
      outstanding_.clear();
    } else if (step.name == "close") {
      socket_.reset();
    } else {
      return false;
    }
    return true;
  }

  void open(int type, bool connects) {
    socket_.reset(::socket(server_.family(), type | SOCK_CLOEXEC, 0));
    if (!socket_) fail("socket");
    if (connects && ::connect(socket_.get(), server_.get(), server_.length) != 0) fail("connect");
    if (type == SOCK_STREAM) set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    sender_.is_stream = type == SOCK_STREAM;
    sender_.is_connected = connects;
    stream_.clear();
  }

  bool ask(const Step& step) {
    if (step.name == "ask") {
      ask_anew(step.value);
    } else if (step.name == "again") {
      for (const Outstanding& one : outstanding_) put(make_query(one.question, udp_size_));
    } else if (step.name == "flush") {
      const auto piece = step.value.empty() ? kLargest : step.bytes();
      send_held(piece);
      holds_ = false;
    } else if (step.name == "noise") {
      put(Bytes(step.bytes(), 0xff));
    } else {
      return false;
    }
    return true;
  }

  void ask_anew(const std::string& what) {
    const std::size_t slash = std::min(what.find('/'), what.size());
    const std::string name = what.substr(0, slash);
    const std::uint16_t type = slash == what.size() ? kTypeA : type_of(what.substr(slash + 1));
    outstanding_.push_back({{next_id_++, mixed_ ? in_both_cases(name) : name, type}, now_us()});
    put(make_query(outstanding_.back().question, udp_size_));
  }

  void put(Bytes message) {
    held_.push_back(std::move(message));
    if (!holds_) send_held(kLargest);
  }

  void send_held(std::size_t piece) {
    sender_.send(socket_.get(), held_, piece);
    sender_.is_connected = sender_.is_connected || sender_.is_stream;
    held_.clear();
  }

  bool receive(const Step& step) {
    if (step.name == "read") {
      for (long left = step.number(); left > 0;) left -= read_some();
    } else if (step.name == "error") {
      await_events(socket_.get(), 0);
      print_result(result_name(take_socket_error(socket_.get())), 0);
    } else if (step.name == "gone") {
      await_events(socket_.get(), POLLRDHUP);
    } else if (step.name == "wait") {
      ::usleep(static_cast<useconds_t>(step.number()) * 1000);
    } else {
      return false;
    }
    return true;
  }

  /// What one read brings; how many answers were in it that belong to a query.
  long read_some() {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kAnswerLimitMs) != 1) die("no answer comes");
    Bytes bytes(kLargest);
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    const std::int64_t now = now_us();
    if (size < 0) fail("recv");
    if (size == 0 && sender_.is_stream) die("the server has ended the connection");
    bytes.resize(static_cast<std::size_t>(size));
    if (!sender_.is_stream) return take(bytes, now) ? 1 : 0;
    stream_.insert(stream_.end(), bytes.begin(), bytes.end());
    long taken = 0;
    for (const Bytes& message : take_framed(stream_)) taken += take(message, now) ? 1 : 0;
    return taken;
  }

  bool take(const Bytes& message, std::int64_t now) {
    const auto answer = read_answer(message);
    if (!answer) return false;
    const auto asked = std::find_if(outstanding_.begin(), outstanding_.end(), [&answer](const Outstanding& one) {
      return one.question.id == answer->question.id &&
             (!answer->has_question ||
              (one.question.type == answer->question.type && same_name(one.question.name, answer->question.name)));
    });
    if (asked == outstanding_.end()) return false;
    print_result(answer->truncated ? "tc" : rcode_word(answer->rcode), now - asked->asked_us);
    if (!answer->truncated) outstanding_.erase(asked);
    return true;
  }

  static bool communicate(const Step& step) {
    if (step.name == "say") {
      print_result(step.value, 0);
    } else if (step.name == "line") {
      await_line();
    } else if (step.name == "end") {
      await_end_of_input();
    } else {
      return false;
    }
    return true;
  }

  const Address server_;
  DnsSender sender_;
  UniqueFd socket_;
  std::uint16_t next_id_;
  std::uint16_t udp_size_ = 0;
  bool mixed_ = false;
  bool holds_ = false;
  std::vector<Bytes> held_;
  std::vector<Outstanding> outstanding_;
  /// Of a TCP connection: what belongs to a message that is not whole yet.
  Bytes stream_;
};

}  // namespace

int run_dns_client(const Address& server, const std::vector<std::string>& steps) {
  Client client(server);
  for (const std::string& step : steps) client.run(parse_step(step));
  return 0;
}

}  // namespace connscope::actor
