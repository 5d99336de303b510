// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/show.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "agent/control/answer.h"
#include "agent/control/client.h"
#include "agent/terminal/fetch.h"
#include "agent/terminal/program.h"
#include "agent/terminal/quantity.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

constexpr std::size_t kDrawingLines = 20;
constexpr const char* kOutcome = "outcome";

std::string labels_text(const metrics::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (name == "process" || name == kOutcome || value.empty()) continue;
    text += (text.empty() ? "" : ",") + safe(name) + "=\"" + safe(value) + "\"";
  }
  return text;
}

void add_to(std::optional<Distribution>& side, const Distribution& distribution) {
  if (!side) side.emplace();
  side->add(distribution);
}

std::string count_text(const std::optional<Distribution>& side) {
  return side ? quantity(metrics::Number(side->count()), "") : "";
}

std::string optional_text(const std::optional<double>& value, const std::string& unit) {
  return value ? quantity(*value, unit) : "-";
}

Distribution both_sides(const Row& row) {
  Distribution all;
  if (row.go) all.add(*row.go);
  if (row.no_go) all.add(*row.no_go);
  return all;
}

/// Mean, least and greatest are those of what succeeded, where anything has: a few timeouts would hide how long it
/// takes otherwise.
std::vector<std::string> timing_cells(const Row& row) {
  const Distribution& told = row.go && row.go->count() > 0 ? *row.go : row.no_go ? *row.no_go : *row.go;
  return {row.id,
          row.labels,
          count_text(row.go),
          count_text(row.no_go),
          optional_text(told.mean(), row.unit),
          optional_text(told.low(), row.unit),
          optional_text(told.high(), row.unit)};
}

std::vector<std::string> title_of(const std::string& id, const Distribution& all, const std::string& unit) {
  return {id + ": " + quantity(metrics::Number(all.count()), "") + ", mean " + optional_text(all.mean(), unit) +
          ", p50 " + optional_text(all.quantile(0.5), unit) + ", p95 " + optional_text(all.quantile(0.95), unit) +
          ", p99 " + optional_text(all.quantile(0.99), unit)};
}

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
  if (!lines.empty() && !more.empty()) lines.emplace_back();
  for (auto& line : more) lines.push_back(std::move(line));
}

Status print_json(const std::string& socket, const nlohmann::json& request, std::size_t& shown) {
  return control::ask_for_all(socket, request, [&shown](const nlohmann::json& line) {
    if (!line.contains("id")) return;
    ++shown;
    std::fputs(control::line_of(line).c_str(), stdout);
  });
}

int tell_nothing_matches(const std::vector<std::string>& patterns) {
  std::string names;
  for (const auto& pattern : patterns) names += (names.empty() ? "'" : ", '") + safe(pattern) + "'";
  std::fprintf(stderr, "connscope: no metric matches %s; 'connscope show --all' has all of them\n", names.c_str());
  return kNothingFound;
}

std::vector<Row> without_idle(const std::vector<Row>& rows) {
  std::vector<Row> busy;
  for (const Row& row : rows)
    if (!row.is_idle()) busy.push_back(row);
  return busy;
}

}  // namespace

bool Row::is_idle() const {
  if (is_gauge) return false;
  if (value) return metrics::as_double(*value) == 0;
  return both_sides(*this).count() == 0;
}

std::vector<Row> rows_of(const std::vector<Series>& series) {
  std::map<std::tuple<std::string, std::string, std::string>, Row> rows;
  for (const Series& one : series) {
    std::string labels = labels_text(one.labels);
    // Of a metric that is counted by outcome, as none is today, each outcome has its own row.
    const std::string& outcome = one.label(kOutcome);
    if (one.value && !outcome.empty()) labels += (labels.empty() ? "" : ",") + ("outcome=\"" + safe(outcome)) + "\"";
    Row& row = rows[{one.id, one.family, labels}];
    row.id = safe(one.id);
    row.labels = labels;
    row.unit = one.unit;
    row.is_gauge = one.type == "gauge" || one.type == "unknown";
    if (one.value) row.value = one.value;
    if (one.distribution) add_to(outcome.empty() || outcome == "ok" ? row.go : row.no_go, *one.distribution);
  }
  std::vector<Row> sorted;
  for (auto& [key, row] : rows) sorted.push_back(std::move(row));
  return sorted;
}

std::vector<std::string> tables_of(const std::vector<Row>& rows) {
  using Align = Table::Align;
  Table timings({{"METRIC"},
                 {"LABELS"},
                 {"GO", Align::kRight},
                 {"NO-GO", Align::kRight},
                 {"MEAN", Align::kRight},
                 {"MIN", Align::kRight},
                 {"MAX", Align::kRight}});
  Table values({{"METRIC"}, {"LABELS"}, {"VALUE", Align::kRight}});
  for (const Row& row : rows) {
    if (row.value) {
      values.add({row.id, row.labels, quantity(*row.value, row.unit)});
    } else {
      timings.add(timing_cells(row));
    }
  }
  std::vector<std::string> lines;
  if (!timings.empty()) append(lines, timings.lines());
  if (!values.empty()) append(lines, values.lines());
  return lines;
}

std::vector<std::string> drawings_of(const std::vector<Row>& rows, const Canvas& canvas) {
  std::map<std::string, std::pair<Distribution, std::string>> by_id;
  for (const Row& row : rows) {
    if (row.value) continue;
    by_id[row.id].first.add(both_sides(row));
    by_id[row.id].second = row.unit;
  }
  std::vector<std::string> lines;
  for (const auto& [id, distribution] : by_id) {
    append(lines, title_of(id, distribution.first, distribution.second));
    for (auto& line : draw_histogram(distribution.first, distribution.second, canvas)) lines.push_back(std::move(line));
  }
  return lines;
}

int show(const std::string& socket, const config::ShowOptions& options) {
  if (options.json) {
    std::size_t shown = 0;
    const nlohmann::json request = {{"command", "show"}, {"patterns", options.patterns}};
    if (auto told = print_json(socket, request, shown); !told) return tell_no_answer(told.error());
    return shown > 0 ? kDone : tell_nothing_matches(options.patterns);
  }
  const auto fetched = fetch(socket, options.patterns);
  if (!fetched) return tell_no_answer(fetched.error());
  const auto all_rows = rows_of(fetched->series);
  if (all_rows.empty()) return tell_nothing_matches(options.patterns);
  const auto rows = options.all ? all_rows : without_idle(all_rows);
  Canvas canvas = canvas_of_output();
  canvas.height = kDrawingLines;
  for (const auto& line : options.histogram ? drawings_of(rows, canvas) : tables_of(rows))
    std::puts(in_charset(line, canvas.unicode).c_str());
  if (rows.size() < all_rows.size()) {
    const std::size_t idle = all_rows.size() - rows.size();
    std::fprintf(stderr, "%zu more %s zero; --all shows %s\n", idle, idle == 1 ? "is" : "are",
                 idle == 1 ? "it" : "them");
  }
  return kDone;
}

}  // namespace connscope::terminal
