// SPDX-License-Identifier: Apache-2.0
//
// `connscope show`: metrics of the running agent in a table, as JSON lines, or drawn. A program of its own; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/config/command_options.h"
#include "agent/terminal/histogram.h"
#include "agent/terminal/series.h"

namespace connscope::terminal {

/// One line of the table: the series of a metric that differ in nothing but their outcome.
struct Row {
  std::string id;
  std::string labels;  ///< `name="value"`, those that have a value, without process and outcome
  std::string unit;
  std::optional<metrics::Number> value;
  std::optional<Distribution> go;     ///< of timings: what succeeded, or has no outcome
  std::optional<Distribution> no_go;  ///< of timings: every other outcome

  /// Nothing has happened yet. A gauge always has something to say.
  [[nodiscard]] bool is_idle() const;
  bool is_gauge = false;
};

/// By id and labels.
[[nodiscard]] std::vector<Row> rows_of(const std::vector<Series>& series);

/// A table of timings and one of values, each if it has rows.
[[nodiscard]] std::vector<std::string> tables_of(const std::vector<Row>& rows);

/// A title and a drawing for each id that has a distribution, of all its labels together.
[[nodiscard]] std::vector<std::string> drawings_of(const std::vector<Row>& rows, const Canvas& canvas);

/// The program's exit code: 0 when something was shown, 1 when nothing matches, 3 when there is no agent to ask.
int show(const std::string& socket, const config::ShowOptions& options);

}  // namespace connscope::terminal
