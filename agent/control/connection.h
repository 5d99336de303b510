// SPDX-License-Identifier: Apache-2.0
//
// Connection: one client of the control socket, private to this box. It reads a request, keeps what the client has not
// read yet, and knows when it is over. Never blocks; the main thread only. Owned by Server; a Stream has a weak hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/unique_fd.h"
#include "agent/control/answer.h"

namespace connscope::control {

class Connection {
 public:
  /// Bytes that wait for a client: beyond it a stream is cut and an answer is not asked for more.
  static constexpr std::size_t kMaxPendingBytes = 256U << 10U;

  enum class State {
    kReading,    ///< the request is not whole yet
    kAnswering,  ///< a handler or its producer has more to say
    kStreaming,  ///< lines come as things happen
    kEnding,     ///< the last line waits to be read
    kOver        ///< nothing more to do: to be closed
  };

  /// `slow_readers` is counted up when this client is dropped for not reading; it outlives the connection.
  Connection(UniqueFd socket, std::uint64_t& slow_readers) : socket_(std::move(socket)), slow_readers_(slow_readers) {}

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_streaming() const { return state_ == State::kStreaming; }
  /// Whether the socket has to become writable for things to go on.
  [[nodiscard]] bool has_pending() const { return !pending_.empty() || producer_; }

  /// Reads what is there; the request line (without its end) once it is whole.
  [[nodiscard]] std::optional<std::string> read_request();
  /// Writes what the client takes now, once; asks the producer when there is room.
  void write();

  // What a handler does, through Responder, once the answer was begun.
  void begin_answer() { state_ = State::kAnswering; }
  void append(std::string_view line);
  void produce(Producer next);
  void fail(std::string_view message);
  void keep_streaming() { state_ = State::kStreaming; }
  bool append_streamed(std::string_view line);
  /// After the handler: an answer without stream or producer is complete.
  void end_answer();
  /// The client's end is closed, or its credentials were refused without a word.
  void abandon() { state_ = State::kOver; }

 private:
  void refill();
  void flush();
  void end_with(const std::string& last_line);
  void drop_slow_reader();

  UniqueFd socket_;
  std::uint64_t& slow_readers_;
  State state_ = State::kReading;
  std::string request_;
  std::string pending_;
  bool in_line_ = false;  // what was sent last is a part of a line, whose rest is in pending_
  Producer producer_;
};

}  // namespace connscope::control
