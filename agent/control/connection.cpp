// SPDX-License-Identifier: Apache-2.0
#include "agent/control/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/control/protocol.h"

namespace connscope::control {
namespace {

/// What one turn of the event loop writes at most to one client.
constexpr std::size_t kTurnBytes = 64U << 10U;

std::string error_line(std::string_view message) { return line_of({{kErrorKey, message}}); }

}  // namespace

std::optional<std::string> Connection::read_request() {
  std::array<char, 4096> buffer;
  const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (count <= 0) {
    abandon();
    return std::nullopt;
  }
  request_.append(buffer.data(), static_cast<std::size_t>(count));
  const std::size_t end = request_.find('\n');
  if (end != std::string::npos) {
    if (end + 1 == request_.size()) {
      begin_answer();
      request_.pop_back();
      return std::exchange(request_, {});
    }
    fail("more follows the request; allowed: one line a connection");
  } else if (request_.size() > kMaxRequestBytes) {
    fail("the request is too long; allowed: " + std::to_string(kMaxRequestBytes) + " bytes");
  }
  return std::nullopt;
}

void Connection::append(std::string_view line) {
  if (state_ != State::kAnswering && state_ != State::kStreaming) return;
  if (pending_.size() + line.size() > kMaxPendingBytes) return drop_slow_reader();
  pending_ += line;
}

void Connection::produce(Producer next) {
  if (state_ == State::kAnswering) producer_ = std::move(next);
}

void Connection::fail(std::string_view message) { end_with(error_line(message)); }

bool Connection::append_streamed(std::string_view line) {
  if (state_ != State::kStreaming) return false;
  append(line);
  flush();
  return state_ == State::kStreaming;
}

void Connection::end_answer() {
  if (state_ == State::kAnswering && !producer_) end_with(line_of({{kOkKey, true}}));
}

void Connection::write() {
  refill();
  flush();
}

void Connection::refill() {
  while (producer_ && pending_.size() < kTurnBytes) {
    if (auto line = producer_()) {
      pending_ += *line;
      continue;
    }
    producer_ = nullptr;
    end_answer();
  }
}

void Connection::flush() {
  std::size_t sent = 0;
  while (sent < pending_.size()) {
    const std::size_t wanted = std::min(pending_.size() - sent, kTurnBytes);
    const ssize_t count = ::send(fd(), pending_.data() + sent, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return abandon();
    sent += static_cast<std::size_t>(count);
    if (producer_) break;  // others have their turn before more is made
  }
  if (sent > 0) in_line_ = pending_[sent - 1] != '\n';
  pending_.erase(0, sent);
  if (pending_.empty() && state_ == State::kEnding) state_ = State::kOver;
}

void Connection::end_with(const std::string& last_line) {
  producer_ = nullptr;
  if (state_ == State::kEnding || state_ == State::kOver) return;
  state_ = State::kEnding;
  pending_ += last_line;
}

/// Lines that wait are thrown away, but for the rest of one that has gone out in part, so that the client can read what
/// comes last.
void Connection::drop_slow_reader() {
  ++slow_readers_;
  const std::size_t kept = in_line_ ? pending_.find('\n') + 1 : 0;
  const auto lost = std::count(pending_.begin() + static_cast<std::ptrdiff_t>(kept), pending_.end(), '\n') + 1;
  pending_.resize(kept);
  fail("dropped, since the answer is not read: " + std::to_string(lost) + " lines are lost");
}

}  // namespace connscope::control
