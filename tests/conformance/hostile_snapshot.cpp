// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hostile_snapshot.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/registry.h"

namespace connscope::test {

namespace {

using metrics::Number;
using metrics::Registry;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kTwo53 = std::uint64_t{1} << 53U;

metrics::WallTime fixed_time() { return metrics::WallTime(std::chrono::milliseconds(1'700'000'000'012)); }

/// Valid UTF-8, as the registry wants it.
const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts = {
      "say \"hi\"",         "line\nfeed",      "C:\\new\\dir",
      "a\"b\\c\n",          "ends in \\",      "\"",
      "a=\"b\",c=\"d\"}",   "# EOF",           "x # {y=\"1\"} 1",
      " spaces  around ",   "tab\tcr\rbell\a", "Gr\u00fc\u00dfe \u6f22\u5b57 \U0001F989",
      "line\u2028separator"};
  return texts;
}

/// Not UTF-8: a stray byte, an overlong slash, a surrogate, a character cut off, one past the end.
const std::vector<std::string>& broken_texts() {
  static const std::vector<std::string> texts = {"a\xff\xfe", "b\xc0\xaf", "c\xed\xa0\x80", "d\xe2\x82",
                                                 "e\xf4\x90\x80\x80"};
  return texts;
}

void add_counters(Registry& registry) {
  auto* requests =
      registry
          .family<metrics::Counter>(
              {"hostile_requests", "Every \"hostile\" text\nas a label, \\ too.", "", {"text", "empty"}, ""})
          .value();
  std::uint64_t count = 0;
  for (const auto& text : hostile_texts()) requests->with({text, ""}).value()->add(++count);

  auto* sent =
      registry.family<metrics::Counter>({"hostile_sent_bytes", "Great counts.", "bytes", {"case"}, ""}).value();
  sent->with({"two to the 53"}).value()->add(kTwo53);
  sent->with({"two to the 53 and one"}).value()->add(kTwo53 + 1);
  sent->with({"greatest"}).value()->add(std::numeric_limits<std::uint64_t>::max());
  sent->with({""}).value()->add(std::uint64_t{0});
  static_cast<void>(sent->with({"fraction"}).value()->add(0.1));
  static_cast<void>(sent->with({"infinite"}).value()->add(kInf));
}

void add_gauges(Registry& registry) {
  auto* level = registry.family<metrics::Gauge>({"hostile_level", "Numbers.", "", {"case"}, ""}).value();
  const std::vector<std::pair<std::string, Number>> cases = {
      {"nan", kNan},        {"inf", kInf},
      {"minus inf", -kInf}, {"two to the 53", kTwo53},
      {"odd", kTwo53 + 1},  {"odd double", static_cast<double>(kTwo53)},
      {"third", 1.0 / 3},   {"greatest", std::numeric_limits<double>::max()},
      {"least", 5e-324},    {"negative", -1.5},
      {"minus zero", -0.0}, {"million", 1e6},
  };
  for (const auto& [name, value] : cases) level->with({name}).value()->set(value);

  auto* reading = registry.family<metrics::Unknown>({"hostile_reading", "Of no known type.", "", {}, ""}).value();
  reading->with({}).value()->set(-2.5);
}

void add_infos(Registry& registry) {
  auto* build = registry.family<metrics::Info>({"hostile_build", "Labels of its own.", "", {"text"}, ""}).value();
  build->with({"own"}).value()->set(
      {{"text", "hidden by the series' own"}, {"1 bad-name", "a\"b\\c\n"}, {"__reserved", "x\xffy"}, {"empty", ""}});

  auto* target = registry.family<metrics::Info>({"target", "Comes first.", "", {}, ""}).value();
  target->with({}).value()->set({{"service_name", "conn\"scope\""}});

  auto* mode = registry.family<metrics::StateSet>({"hostile_mode", "States.", "", {"text"}, ""}).value();
  auto* states = mode->with({"x\\y"}).value();
  states->set("on", true);
  states->set("off\n\"", false);
  states->set("br\xffken", true);
}

void add_histograms(Registry& registry) {
  auto* latency =
      registry
          .family<metrics::Histogram>({"hostile_latency_seconds", "The latency layout.", "seconds", {"text"}, ""},
                                      metrics::BucketLayout::exponential(2, -80, 28, 4))
          .value();
  for (const double value : {0.0, 1e-7, 0.001, 0.25, 0.25, 1.0, 127.0, 128.0, 129.0}) {
    latency->with({"a\"b\\c\n"}).value()->observe(value);
  }
  latency->with({"never"}).value();

  const auto powers = metrics::BucketLayout::create({0.00001, 0.0001, 0.001, 1, 100000, 1e6}).value();
  auto* size =
      registry.family<metrics::Histogram>({"hostile_size_bytes", "Sums no counter has.", "bytes", {"case"}, ""}, powers)
          .value();
  size->with({"exact"}).value()->add(2, kTwo53 + 1, 9007199254740.5);
  size->with({"nan"}).value()->observe(kNan);
  size->with({"inf"}).value()->observe(kInf);

  const auto around_zero = metrics::BucketLayout::create({-1.5, 0, 1.5}).value();
  registry.family<metrics::Histogram>({"hostile_offset_seconds", "Negative bounds.", "seconds", {}, ""}, around_zero)
      .value()
      ->with({})
      .value()
      ->observe(-1.5);
  registry.family<metrics::GaugeHistogram>({"hostile_skew_seconds", "Negative sum.", "seconds", {}, ""}, around_zero)
      .value()
      ->with({})
      .value()
      ->observe(-7);
  auto* left = registry
                   .family<metrics::GaugeHistogram>({"hostile_left_seconds", "Can fall.", "seconds", {"text"}, ""},
                                                    metrics::BucketLayout::create({1, 7, 365}).value())
                   .value();
  for (const double value : {0.5, 7.0, 8.0, 400.0}) left->with({"}"}).value()->observe(value);
}

void add_summaries(Registry& registry) {
  auto* wait =
      registry.family<metrics::Summary>({"hostile_wait_seconds", "Quantiles.", "seconds", {"text"}, ""}).value();
  auto* plain = wait->with({"a,b"}).value();
  for (const double value : {0.5, 1.0, 2.25}) plain->observe(value);
  plain->set_quantiles({{0, 0.5}, {0.5, 1}, {0.999, 2.25}, {1, kNan}});
  wait->with({"nan"}).value()->observe(kNan);
}

/// What no registry lets in, but an encoder must survive.
void break_labels(metrics::Snapshot& snapshot) {
  for (auto& family : snapshot.families) {
    if (family.descriptor->name != "hostile_requests") continue;
    for (const auto& text : broken_texts()) {
      auto values = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{text, ""});
      family.samples.push_back({std::move(values), metrics::CounterValue{std::uint64_t{1}, fixed_time()}});
    }
  }
}

/// At a counter, in a bucket, and in the one for +Inf.
void add_exemplars(metrics::Snapshot& snapshot) {
  const auto exemplar = [](metrics::Labels labels, double value) {
    return std::make_shared<const metrics::Exemplar>(metrics::Exemplar{std::move(labels), value, fixed_time()});
  };
  for (auto& family : snapshot.families) {
    if (family.descriptor->name == "hostile_requests")
      family.exemplars = {{1, 0, exemplar({{"peer", "a\"b\\c\n"}, {"host", "a\xff\xfe"}}, 1)}};
    if (family.descriptor->name == "hostile_latency_seconds")
      family.exemplars = {{0, 18, exemplar({{"peer", "[2001:db8::1]:443"}}, 0.25)}, {0, 28, exemplar({}, 129)}};
  }
}

}  // namespace

metrics::SnapshotPtr make_hostile_snapshot() {
  Registry registry({1000, fixed_time});
  add_counters(registry);
  add_gauges(registry);
  add_infos(registry);
  add_histograms(registry);
  add_summaries(registry);
  auto snapshot = std::make_shared<metrics::Snapshot>(*registry.snapshot());
  break_labels(*snapshot);
  add_exemplars(*snapshot);
  return snapshot;
}

}  // namespace connscope::test
