// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/page.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/terminal/quantity.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using Align = Table::Align;

constexpr const char* kNames[kTimed] = {"DNS", "TCP", "TLS"};
constexpr const char* kHeads[kTimed] = {"SLOWEST DNS", "SLOWEST TCP CONNECT", "SLOWEST TLS HANDSHAKE"};

std::string counted(std::size_t count, const char* one, const char* several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

std::string head_of(const Summary& summary, const std::string& clock) {
  std::set<std::string> processes;
  std::uint64_t failures = 0;
  for (const Failing& failing : summary.failing) {
    processes.insert(failing.process);
    failures += failing.count;
  }
  for (const auto& stage : summary.slow)
    for (const Slow& slow : stage) processes.insert(slow.process);
  const std::string window =
      summary.seconds > 0 ? "the last " + quantity(summary.seconds, "seconds") : "since the agent started";
  return "connscope top  " + clock + "  " + window + ": " + counted(failures, "failure", "failures") + ", " +
         counted(processes.size(), "process", "processes");
}

/// The most frequent first.
std::string reasons_text(const Failing& failing) {
  std::vector<std::pair<std::string, std::uint64_t>> reasons(failing.reasons.begin(), failing.reasons.end());
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [reason, count] : reasons)
    text += (text.empty() ? "" : ", ") + safe(reason) + " " + std::to_string(count);
  return text;
}

std::string rate_text(std::uint64_t count, double seconds) {
  return seconds > 0 ? quantity(static_cast<double>(count) / seconds, "") : "-";
}

std::string value_text(const std::optional<double>& value) { return value ? quantity(*value, "seconds") : "-"; }

Table failing_table(const Summary& summary, std::size_t rows) {
  Table table({{"FAILURES"}, {"COUNT", Align::kRight}, {"PER S", Align::kRight}, {"REASONS"}});
  for (const Failing& failing : summary.failing) {
    if (rows-- == 0) break;
    table.add({safe(failing.process), std::to_string(failing.count), rate_text(failing.count, summary.seconds),
               reasons_text(failing)});
  }
  return table;
}

Table slow_table(const std::vector<Slow>& slowest, Timed stage, std::size_t rows) {
  const bool has_kinds = stage == Timed::kDns;
  std::vector<Table::Column> columns = {{kHeads[static_cast<std::size_t>(stage)]},
                                        {"COUNT", Align::kRight},
                                        {"MEAN", Align::kRight},
                                        {"P95", Align::kRight},
                                        {"MAX", Align::kRight}};
  if (has_kinds) columns.push_back({"OF"});
  Table table(std::move(columns));
  for (const Slow& slow : slowest) {
    if (rows-- == 0) break;
    std::vector<std::string> cells = {safe(slow.process), quantity(metrics::Number(slow.durations.count()), ""),
                                      value_text(slow.durations.mean()), value_text(slow.durations.quantile(0.95)),
                                      value_text(slow.durations.high())};
    if (has_kinds) cells.push_back(slow.what);
    table.add(std::move(cells));
  }
  return table;
}

class Page {
 public:
  Page(const Canvas& canvas) : canvas_(canvas) {}

  void add(const std::string& text, bool is_head = false) {
    lines_.push_back({cut(in_charset(text, canvas_.unicode), canvas_.width, canvas_.unicode), is_head});
  }
  void add(const Table& table) {
    if (table.empty()) return add(table.name() + "  none", true);
    bool is_head = true;
    for (const auto& line : table.lines()) add(line, std::exchange(is_head, false));
  }
  std::vector<PageLine> take() { return std::move(lines_); }

 private:
  const Canvas& canvas_;
  std::vector<PageLine> lines_;
};

}  // namespace

PageRows PageRows::of_screen(std::size_t lines) {
  constexpr std::size_t kHeadLines = 7;  // the page's, five of its parts, and the one that stays free
  const std::size_t room = lines > kHeadLines ? lines - kHeadLines : 0;
  PageRows rows;
  rows.failing = std::max<std::size_t>(1, room * 5 / 17);
  rows.slow = std::max<std::size_t>(1, room * 2 / 17);
  const std::size_t taken = rows.failing + kTimed * rows.slow;
  rows.histogram = room > taken ? room - taken : 0;
  return rows;
}

std::vector<PageLine> page_of(const Summary& summary, Timed drawn, const std::string& clock, const PageRows& rows,
                              const Canvas& canvas) {
  Page page(canvas);
  page.add(head_of(summary, clock), true);
  page.add(failing_table(summary, rows.failing));
  for (std::size_t stage = 0; stage < kTimed; ++stage)
    page.add(slow_table(summary.slow[stage], static_cast<Timed>(stage), rows.slow));
  const Distribution& all = summary.all[static_cast<std::size_t>(drawn)];
  page.add(std::string(kNames[static_cast<std::size_t>(drawn)]) + " OF ALL PROCESSES" +
               (all.count() == 0 ? "  none" : "  " + counted(all.count(), "time", "times")),
           true);
  for (const auto& line : draw_histogram(all, "seconds", {canvas.width, rows.histogram, canvas.unicode}))
    page.add(line);
  return page.take();
}

}  // namespace connscope::terminal
