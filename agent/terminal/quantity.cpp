// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/quantity.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <variant>

namespace connscope::terminal {
namespace {

struct Step {
  double size;
  const char* suffix;
};

// The largest first.
constexpr Step kSeconds[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}};
constexpr Step kBytes[] = {
    {1099511627776.0, "TiB"}, {1073741824.0, "GiB"}, {1048576.0, "MiB"}, {1024.0, "KiB"}, {1, "B"}};
constexpr Step kPlain[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};

std::span<const Step> steps_of(std::string_view unit) {
  if (unit == "seconds") return kSeconds;
  if (unit == "bytes") return kBytes;
  return kPlain;
}

std::string formatted(double value, int decimals) {
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string three_digits(double value) {
  const double size = std::fabs(value);
  if (size >= 99.95) return formatted(value, 0);
  return formatted(value, size >= 9.995 ? 1 : 2);
}

}  // namespace

std::string quantity(double value, std::string_view unit) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const auto steps = steps_of(unit);
  if (value == 0) return std::string("0") + (unit == "seconds" ? "s" : unit == "bytes" ? "B" : "");
  const Step* step = &steps.back();
  for (const Step& candidate : steps) {
    // What would be rounded up to 1000 is shown in the next unit.
    if (std::fabs(value) < candidate.size * 0.9995) continue;
    step = &candidate;
    break;
  }
  const double scaled = value / step->size;
  const bool is_whole = step->size == 1 && unit != "seconds" && scaled == std::floor(scaled);
  return (is_whole ? formatted(scaled, 0) : three_digits(scaled)) + step->suffix;
}

std::string quantity(const metrics::Number& value, std::string_view unit) {
  constexpr std::uint64_t kMostDigits = 9'999'999;
  const auto* whole = std::get_if<std::uint64_t>(&value);
  if (whole != nullptr && *whole <= kMostDigits && unit != "bytes" && unit != "seconds") return std::to_string(*whole);
  return quantity(metrics::as_double(value), unit);
}

}  // namespace connscope::terminal
