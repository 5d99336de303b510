// SPDX-License-Identifier: Apache-2.0
//
// One line of StatsD or DogStatsD, taken apart. Pure: nothing is allocated, the parts are views into the line.
//
//   NAME:VALUE[:VALUE…]|TYPE[|@RATE][|#KEY:VALUE,…]          several values as of DogStatsD 1.1
//
// Fields that DogStatsD has beside these and that say nothing of the value (c:, e:, card:) are passed over; what would
// change its meaning (T: a time of its own; events and service checks) is refused. Any thread.
// Sources: github.com/statsd/statsd docs/metric_types.md; Datadog's "DogStatsD datagram format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "agent/base/take_until.h"
#include "agent/ingest/refusal.h"

namespace connscope::ingest {

enum class Kind : std::uint8_t { kCounter, kGauge, kTimer, kHistogram, kDistribution, kSet };

/// "counter", "gauge", "timer" and so on, for messages.
[[nodiscard]] const char* to_string(Kind kind);

struct Line {
  std::string_view name;
  std::string_view values;  ///< one or more, with ':' between; never empty
  std::string_view tags;    ///< without '#'; may be empty
  Kind kind = Kind::kCounter;
  double rate = 1;  ///< share of the events that were sent: in [kMinRate, 1]
};

/// Why not, when the line cannot be taken apart; `line` is then of no use. Values are not looked at.
[[nodiscard]] std::optional<Refusal> parse_line(std::string_view text, Line& line);

struct Value {
  double number = 0;
  bool is_signed = false;  ///< "+3" or "-3", which a gauge adds
};

/// What is beyond is junk, and a few of it would make a sum infinite.
inline constexpr double kMaxValue = 1e200;
/// One event that stands for more than a million is no sample.
inline constexpr double kMinRate = 1e-6;

/// The number that a text is without sign and exponent, of 15 digits at most: most values are such, and reading any
/// other takes five times as long. Exact, since whole numbers and powers of ten of that size are doubles, and one
/// division of these rounds once.
[[nodiscard]] inline std::optional<double> parse_short(std::string_view text) {
  constexpr double kScale[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  if (text.empty() || text.size() >= std::size(kScale) || text.back() == '.') return std::nullopt;
  std::uint64_t number = 0;
  std::size_t point = text.size() - 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '.' && at > 0 && point == text.size() - 1) {
      point = at;
    } else if (text[at] >= '0' && text[at] <= '9') {
      number = number * 10 + static_cast<std::uint64_t>(text[at] - '0');
    } else {
      return std::nullopt;
    }
  }
  return static_cast<double>(number) / kScale[text.size() - 1 - point];
}

/// None unless the whole text is a decimal number from −kMaxValue to kMaxValue.
[[nodiscard]] std::optional<Value> parse_value(std::string_view text);

}  // namespace connscope::ingest
