// SPDX-License-Identifier: Apache-2.0
//
// One page of `connscope top`, as lines of text. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "agent/terminal/histogram.h"
#include "agent/terminal/summary.h"

namespace connscope::terminal {

struct PageLine {
  std::string text;
  bool is_head = false;  ///< to be shown in bold
};

/// How many rows each part may have.
struct PageRows {
  std::size_t failing = 10;
  std::size_t slow = 5;  ///< of each stage
  std::size_t histogram = 12;

  /// For a screen of so many lines, of which the page leaves the last one free.
  static PageRows of_screen(std::size_t lines);
};

/// `clock` is the time of day that the head says. The histogram is that of the stage `drawn`. No line is wider than
/// the canvas.
[[nodiscard]] std::vector<PageLine> page_of(const Summary& summary, Timed drawn, const std::string& clock,
                                            const PageRows& rows, const Canvas& canvas);

}  // namespace connscope::terminal
