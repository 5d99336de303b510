// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "agent/terminal/quantity.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

struct Bar {
  double high;
  std::uint64_t count;
};

/// The upper bound of the bar that a bucket belongs to, where bars are `step` quarters of an octave wide: times and
/// sizes are looked at by their magnitude, and so fine are the kernel's buckets. Bounds that are not positive have bars
/// of their own.
double bar_of(double high, int step) {
  if (!(high > 0) || std::isinf(high)) return high;
  // A bound that is a power of two must not be carried over it by rounding.
  const double quarters = std::ceil(4 * std::log2(high) - 1e-6);
  return std::exp2(std::ceil(quarters / step) * step / 4);
}

std::vector<Bar> bars_of(const Distribution& distribution, int step) {
  const double ratio = std::exp2(step / 4.0);
  std::vector<Bar> bars;
  for (const auto& [high, bucket] : distribution.buckets()) {
    const double bound = bar_of(high, step);
    // What lies between two bars that are not neighbours is empty, and is to be seen as such.
    while (!bars.empty() && bars.back().high > 0 && std::isfinite(bound) && bars.back().high * ratio < bound * 0.999)
      bars.push_back({bars.back().high * ratio, 0});
    if (!bars.empty() && bars.back().high >= bound * 0.999 && std::isfinite(bound)) {
      bars.back().count += bucket.count;
    } else {
      bars.push_back({bound, bucket.count});
    }
  }
  return bars;
}

/// The finest bars that fit.
std::vector<Bar> fitting_bars(const Distribution& distribution, std::size_t height) {
  for (int step = 1; step <= 4096; step *= 2) {
    auto bars = bars_of(distribution, step);
    if (bars.size() <= height) return bars;
  }
  return {};
}

/// Something that happened is seen, however rare it was.
std::string draw_bar(double cells, bool unicode) {
  if (!unicode) return std::string(static_cast<std::size_t>(std::ceil(cells)), '#');
  static constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::ceil(cells * 8));
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

std::string bound_text(double high, std::string_view unit, bool unicode) {
  if (std::isinf(high)) return "more";
  return in_charset((unicode ? "≤ " : "<= ") + quantity(high, unit), unicode);
}

}  // namespace

std::vector<std::string> draw_histogram(const Distribution& distribution, std::string_view unit, const Canvas& canvas) {
  const auto bars = fitting_bars(distribution, canvas.height);
  std::size_t bound_width = 0;
  std::size_t count_width = 0;
  std::uint64_t most = 1;
  for (const Bar& bar : bars) {
    bound_width = std::max(bound_width, width_of(bound_text(bar.high, unit, canvas.unicode)));
    count_width = std::max(count_width, std::to_string(bar.count).size());
    most = std::max(most, bar.count);
  }
  const std::size_t taken = bound_width + count_width + 3;
  const std::size_t room = canvas.width > taken + 1 ? canvas.width - taken : 1;
  std::vector<std::string> lines;
  for (const Bar& bar : bars) {
    const double cells = static_cast<double>(room) * static_cast<double>(bar.count) / static_cast<double>(most);
    lines.push_back(padded(bound_text(bar.high, unit, canvas.unicode), bound_width, true) +
                    (canvas.unicode ? " │" : " |") + padded(draw_bar(cells, canvas.unicode), room, false) + " " +
                    padded(std::to_string(bar.count), count_width, true));
  }
  return lines;
}

}  // namespace connscope::terminal
