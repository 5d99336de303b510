// SPDX-License-Identifier: Apache-2.0
//
// Screen: the whole terminal, for as long as the object lives: the alternate screen, without a cursor, keys as they are
// pressed. Its destructor gives everything back as it was, and the signals that end a program are events here, so that
// it always runs. One at a time; one thread. Source: ECMA-48, xterm's control sequences.
#pragma once

#include <termios.h>

#include <chrono>
#include <memory>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/terminal/page.h"

namespace connscope::terminal {

class Screen {
 public:
  /// Whether standard input and output are a terminal that a screen can be shown on.
  [[nodiscard]] static bool is_possible();
  static Result<std::unique_ptr<Screen>> open();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  /// `lines` at the top, `last_line` at the bottom; what does not fit is left out.
  void show(const std::vector<PageLine>& lines, const std::string& last_line);

  enum class Event { kTimeUp, kKey, kResized, kEnd };
  struct Occurrence {
    Event event = Event::kTimeUp;
    char key = 0;
  };
  /// What happens first.
  [[nodiscard]] Occurrence wait(std::chrono::milliseconds limit);

 private:
  Screen(const termios& saved, UniqueFd signals) : saved_(saved), signals_(std::move(signals)) {}
  [[nodiscard]] Occurrence read_signal();
  [[nodiscard]] static Occurrence read_key();

  termios saved_;
  UniqueFd signals_;
};

}  // namespace connscope::terminal
