// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/summary.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace connscope::terminal {
namespace {

constexpr const char* kFailures = "conn_failures";

struct TimedFamily {
  const char* name;
  Timed stage;
  const char* what;
};
constexpr TimedFamily kTimedFamilies[] = {{"conn_dns_lookup_duration_seconds", Timed::kDns, "lookup"},
                                          {"conn_dns_query_duration_seconds", Timed::kDns, "query"},
                                          {"conn_tcp_connect_duration_seconds", Timed::kTcp, ""},
                                          {"conn_tls_handshake_duration_seconds", Timed::kTls, ""}};

using Key = std::pair<std::string, metrics::Labels>;

std::map<Key, const Series*> by_key(const Fetched* fetched) {
  std::map<Key, const Series*> found;
  if (fetched == nullptr) return found;
  for (const Series& series : fetched->series) found[{series.family, series.labels}] = &series;
  return found;
}

std::uint64_t whole(const Series& series) {
  if (!series.value) return 0;
  const double value = metrics::as_double(*series.value);
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

/// A counter that has fallen began anew.
std::uint64_t grown(const Series& now, const Series* before) {
  const std::uint64_t count = whole(now);
  const std::uint64_t earlier = before != nullptr ? whole(*before) : 0;
  return earlier > count ? count : count - earlier;
}

Distribution grown_distribution(const Series& now, const Series* before) {
  if (!now.distribution) return {};
  return before != nullptr && before->distribution ? now.distribution->since(*before->distribution) : *now.distribution;
}

const TimedFamily* timed_family(const std::string& name) {
  const auto* found = std::find_if(std::begin(kTimedFamilies), std::end(kTimedFamilies),
                                   [&](const TimedFamily& family) { return family.name == name; });
  return found == std::end(kTimedFamilies) ? nullptr : found;
}

/// Adds up what the series of one process say.
class Adder {
 public:
  void add(const Series& now, const Series* before) {
    const std::string& process = now.label("process");
    if (now.family == kFailures) {
      const std::uint64_t count = grown(now, before);
      if (count == 0) return;
      Failing& failing = failing_[process];
      failing.count += count;
      failing.reasons[now.label("stage") + "/" + now.label("reason")] += count;
    } else if (const TimedFamily* family = timed_family(now.family)) {
      const Distribution durations = grown_distribution(now, before);
      if (durations.count() > 0) slow_[{family, process}].add(durations);
    }
  }

  void finish(Summary& summary) {
    for (auto& [process, failing] : failing_) {
      failing.process = process;
      summary.failing.push_back(std::move(failing));
    }
    std::stable_sort(summary.failing.begin(), summary.failing.end(),
                     [](const Failing& a, const Failing& b) { return a.count > b.count; });
    std::map<const TimedFamily*, Distribution> all;
    for (auto& [key, durations] : slow_) {
      const auto& [family, process] = key;
      all[family].add(durations);
      summary.slow[static_cast<std::size_t>(family->stage)].push_back({process, family->what, std::move(durations)});
    }
    for (auto& slow : summary.slow)
      std::stable_sort(slow.begin(), slow.end(), [](const Slow& a, const Slow& b) { return is_slower(a, b); });
    // The last of a stage wins: a look-up without a query on the wire is one of a cache, or of the hosts file.
    for (const TimedFamily& family : kTimedFamilies)
      if (all.count(&family) != 0) summary.all[static_cast<std::size_t>(family.stage)] = all[&family];
  }

 private:
  static bool is_slower(const Slow& a, const Slow& b) {
    const double first = a.durations.quantile(0.95).value_or(0);
    const double second = b.durations.quantile(0.95).value_or(0);
    return first != second ? first > second : a.durations.count() > b.durations.count();
  }

  std::map<std::string, Failing> failing_;
  std::map<std::pair<const TimedFamily*, std::string>, Distribution> slow_;
};

}  // namespace

const std::vector<std::string>& summarized_families() {
  static const std::vector<std::string> kFamilies = [] {
    std::vector<std::string> names = {kFailures};
    for (const TimedFamily& family : kTimedFamilies) names.emplace_back(family.name);
    return names;
  }();
  return kFamilies;
}

Summary summarize(const Fetched* before, const Fetched& now) {
  Summary summary;
  if (before != nullptr) summary.seconds = std::max(0.0, now.taken_at - before->taken_at);
  const auto earlier = by_key(before);
  Adder adder;
  for (const Series& series : now.series) {
    const auto found = earlier.find({series.family, series.labels});
    adder.add(series, found == earlier.end() ? nullptr : found->second);
  }
  adder.finish(summary);
  return summary;
}

}  // namespace connscope::terminal
