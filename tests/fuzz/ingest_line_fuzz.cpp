// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a packet of lines. What is taken apart consists of parts of the line; what becomes a series has names
// that OpenMetrics and policies allow; and every line is counted once, taken or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string_view>

#include "agent/ingest/accumulator.h"
#include "agent/metrics/metric_id.h"
#include "agent/metrics/names.h"
#include "agent/metrics/utf8.h"

namespace {

using namespace connscope;
using namespace connscope::ingest;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_line(std::string_view text) {
  Line line;
  if (parse_line(text, line)) return;
  require(!line.name.empty() && !line.values.empty() && line.rate > 0 && line.rate <= 1);
  require(line.name.data() >= text.data() && line.name.data() + line.name.size() <= text.data() + text.size());
  SeriesKey key;
  if (make_series_key(line, key)) return;
  require(metrics::is_metric_name(key.family) && key.family.size() <= kMaxNameBytes + sizeof("_seconds"));
  for (const auto& [name, value] : key.labels)
    require(metrics::is_label_name(name) && metrics::is_utf8(value) && !value.empty());
  if (key.family == kLostLinesFamily) return;
  require(metrics::check_id({key.family, "", key.unit, {}, "", key.id}).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  std::size_t lines = 0;
  for (std::string_view rest = packet; !rest.empty();) {
    const std::string_view line = take_until(rest, '\n');
    lines += line.empty() ? 0U : 1U;
    check_line(line);
  }
  Accumulator accumulator(Limits{8, 6, 16, std::chrono::seconds(10), std::chrono::seconds(1)});
  const auto sender = std::make_shared<const Sender>();
  accumulator.add_packet(sender, packet);
  accumulator.add_packet(sender, packet);
  const Taken taken = accumulator.take(Accumulator::Time{std::chrono::seconds(1)});
  auto seen = std::accumulate(taken.refused.begin(), taken.refused.end(), std::uint64_t{0});
  for (const auto& update : taken.updates) seen += update.lines;
  // Sets are given when their period ends.
  const Taken later = accumulator.take(Accumulator::Time{std::chrono::seconds(2)});
  for (const auto& update : later.updates) seen += update.lines;
  require(taken.lines == 2 * lines && seen == taken.lines && taken.series <= 8);
  return 0;
}
