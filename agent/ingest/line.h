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

#include <cstdint>
#include <optional>
#include <string_view>

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

/// Takes the part before the first `separator` off `rest`.
[[nodiscard]] std::string_view take_until(std::string_view& rest, char separator);

struct Value {
  double number = 0;
  bool is_signed = false;  ///< "+3" or "-3", which a gauge adds
};

/// What is beyond is junk, and a few of it would make a sum infinite.
inline constexpr double kMaxValue = 1e200;
/// One event that stands for more than a million is no sample.
inline constexpr double kMinRate = 1e-6;

/// None unless the whole text is a decimal number from −kMaxValue to kMaxValue.
[[nodiscard]] std::optional<Value> parse_value(std::string_view text);

}  // namespace connscope::ingest
