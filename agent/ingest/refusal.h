// SPDX-License-Identifier: Apache-2.0
//
// Why a line of an application is not taken. Every refused line is counted under exactly one of these, the label
// `reason` of connscope_ingest_refused_lines_total; the set is fixed, so each starts at zero (FEATURES D6, I4, I5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace connscope::ingest {

enum class Refusal : std::uint8_t {
  kMalformed,           ///< no name, no value or no type
  kBadType,             ///< none of c, g, ms, h, d, s
  kBadValue,            ///< not a number, or an immense one
  kBadRate,             ///< not in [kMinRate, 1]
  kBadName,             ///< longer than kMaxNameBytes, or with characters that are not printable ASCII
  kBadTag,              ///< not UTF-8, too long, too many, or one key with two values
  kReservedName,        ///< a name of the agent's own families
  kReservedLabel,       ///< __*, le, quantile, process
  kNegativeCounter,     ///< counters never fall
  kUnsupported,         ///< events, service checks, values of another time
  kTypeConflict,        ///< the family is there with another shape
  kNameConflict,        ///< another name of the same process has become the same family
  kSeriesLimit,         ///< a new series beyond ingest.series
  kProcessSeriesLimit,  ///< a new series beyond ingest.process_series
  kSetFull,             ///< a new value of a set beyond ingest.set_values
  kExcluded,            ///< a rule says capture = false of the sender
  kPacketTooLong,       ///< longer than the agent reads; its lines are not known, so it counts as one
};

inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::kPacketTooLong) + 1;

template <class T>
using ByRefusal = std::array<T, kRefusals>;

[[nodiscard]] constexpr std::size_t index(Refusal reason) { return static_cast<std::size_t>(reason); }

/// The value of the label: "type_conflict".
[[nodiscard]] const char* to_string(Refusal reason);

}  // namespace connscope::ingest
