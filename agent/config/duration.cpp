// SPDX-License-Identifier: Apache-2.0
#include "agent/config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace connscope::config {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  // Digits only: from_chars alone would take a sign too.
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
  std::int64_t count = 0;
  const auto status = std::from_chars(text.data(), text.data() + digits, count).ec;
  for (const Unit& unit : kUnits) {
    if (text.substr(digits) != unit.name) continue;
    if (status == std::errc::result_out_of_range || count > milliseconds::max().count() / unit.ms) {
      return milliseconds::max();
    }
    return milliseconds(count * unit.ms);
  }
  return std::nullopt;
}

std::string duration_text(milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms == 0) return "0s";
  for (const Unit& unit : kUnits) {
    if (ms % unit.ms == 0) return std::to_string(ms / unit.ms) + std::string(unit.name);
  }
  return std::to_string(ms) + "ms";
}

}  // namespace connscope::config
