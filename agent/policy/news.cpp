// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/news.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace connscope::policy {
namespace {

using metrics::HistogramValue;
using metrics::Number;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Total minus total, which stays an integer while both are.
Number rise(const Number& before, const Number& now) {
  const auto* old_count = std::get_if<std::uint64_t>(&before);
  const auto* new_count = std::get_if<std::uint64_t>(&now);
  if (old_count != nullptr && new_count != nullptr)
    return *new_count >= *old_count ? *new_count - *old_count : *new_count;
  const double step = metrics::as_double(now) - metrics::as_double(before);
  return step >= 0 ? Number(step) : now;
}

bool is_same(const Number& a, const Number& b) {
  return a == b || (std::isnan(metrics::as_double(a)) && std::isnan(metrics::as_double(b)));
}

bool add_level(const Number* before, const Number& now, metrics::Reading& into) {
  auto* level = std::get_if<metrics::Level>(&into);
  // A gauge that is 0 when it is first seen was made ready beforehand: nothing has happened to it.
  if (level == nullptr || is_same(before == nullptr ? Number(std::uint64_t{0}) : *before, now)) return false;
  level->value = now;
  return true;
}

bool add_rise(const Number& step, const SeriesRole& role, metrics::Reading& into) {
  if (!(metrics::as_double(step) > 0)) return false;
  if (auto* outcomes = std::get_if<metrics::OutcomeHistogram>(&into)) {
    outcomes->add(role.outcome, static_cast<std::uint64_t>(metrics::as_double(step)));
  } else if (auto* sum = std::get_if<metrics::Sum>(&into)) {
    ++sum->updates;
    sum->total = metrics::add(sum->total, step);
  }
  return true;
}

std::uint64_t news_in(const HistogramValue& now, const HistogramValue* before, std::size_t bucket) {
  return now.counts[bucket] - (before == nullptr ? 0 : before->counts[bucket]);
}

bool began_anew(const HistogramValue& now, const HistogramValue& before) {
  if (now.counts.size() != before.counts.size()) return true;
  for (std::size_t i = 0; i < now.counts.size(); ++i)
    if (now.counts[i] < before.counts[i]) return true;
  return false;
}

double lower_bound_of(const metrics::BucketLayout& layout, std::size_t bucket) {
  if (bucket > 0) return layout.bounds()[bucket - 1];
  return layout.bounds().empty() || layout.bounds().front() <= 0 ? -kInfinity : 0;
}

double upper_bound_of(const metrics::BucketLayout& layout, std::size_t bucket) {
  return bucket < layout.bounds().size() ? layout.bounds()[bucket] : kInfinity;
}

bool add_histogram(const HistogramValue* before, const HistogramValue& now, const SeriesRole& role,
                   metrics::Reading& into) {
  auto* distribution = std::get_if<metrics::Distribution>(&into);
  if (distribution == nullptr) return false;
  if (before != nullptr && now.counts == before->counts) return false;  // most series at most collects
  if (before != nullptr && began_anew(now, *before)) before = nullptr;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < now.counts.size(); ++i) count += news_in(now, before, i);
  if (count == 0) return false;
  const double sum = now.sum - (before == nullptr ? 0 : before->sum);
  const Range range = range_of(now, before, count, sum);
  distribution->aggregate.add_bucketed(role.ok, count, sum, range.low, range.high);
  distribution->layout = now.layout;
  auto& buckets = role.ok ? distribution->go_buckets : distribution->no_go_buckets;
  buckets.resize(now.counts.size(), 0);
  for (std::size_t i = 0; i < now.counts.size(); ++i) buckets[i] += news_in(now, before, i);
  return true;
}

bool add_summary(const metrics::SummaryValue* before, const metrics::SummaryValue& now, const SeriesRole& role,
                 metrics::Reading& into) {
  auto* distribution = std::get_if<metrics::Distribution>(&into);
  if (before != nullptr && now.count < before->count) before = nullptr;
  const std::uint64_t count = now.count - (before == nullptr ? 0 : before->count);
  if (distribution == nullptr || count == 0) return false;
  const double sum = now.sum - (before == nullptr ? 0 : before->sum);
  const double mean = sum / static_cast<double>(count);
  distribution->aggregate.add_bucketed(role.ok, count, sum, mean, mean);
  return true;
}

}  // namespace

Range range_of(const HistogramValue& now, const HistogramValue* before, std::uint64_t count, double sum) {
  const auto& layout = *now.layout;
  std::size_t bottom = now.counts.size();
  std::size_t top = 0;
  double lowest_sum = 0;   // if each value but one in the top bucket were at its bucket's lower bound
  double highest_sum = 0;  // if each but one in the bottom bucket were at its upper bound
  for (std::size_t i = 0; i < now.counts.size(); ++i) {
    const auto in_bucket = static_cast<double>(news_in(now, before, i));
    if (in_bucket == 0) continue;
    const double others = bottom == now.counts.size() ? in_bucket - 1 : in_bucket;
    if (others > 0) highest_sum += others * upper_bound_of(layout, i);
    if (bottom == now.counts.size()) bottom = i;
    top = i;
  }
  for (std::size_t i = bottom; i <= top && i < now.counts.size(); ++i) {
    const auto in_bucket = static_cast<double>(news_in(now, before, i));
    const double others = i == top ? in_bucket - 1 : in_bucket;
    if (others > 0) lowest_sum += others * lower_bound_of(layout, i);
  }
  const double mean = sum / static_cast<double>(count);
  const double low = std::max(lower_bound_of(layout, bottom), sum - highest_sum);
  const double high = std::min(upper_bound_of(layout, top), sum - lowest_sum);
  return {std::isfinite(low) ? std::min(low, mean) : mean, std::isfinite(high) ? std::max(high, mean) : mean};
}

bool add_news(const metrics::Value* before, const metrics::Value& now, const SeriesRole& role, metrics::Reading& into) {
  if (const auto* counter = std::get_if<metrics::CounterValue>(&now)) {
    const auto* old = before == nullptr ? nullptr : std::get_if<metrics::CounterValue>(before);
    if (old == nullptr && role.external) return false;
    return add_rise(rise(old == nullptr ? Number(std::uint64_t{0}) : old->total, counter->total), role, into);
  }
  if (const auto* histogram = std::get_if<HistogramValue>(&now))
    return add_histogram(before == nullptr ? nullptr : std::get_if<HistogramValue>(before), *histogram, role, into);
  if (const auto* summary = std::get_if<metrics::SummaryValue>(&now))
    return add_summary(before == nullptr ? nullptr : std::get_if<metrics::SummaryValue>(before), *summary, role, into);
  if (const auto* gauge = std::get_if<metrics::GaugeValue>(&now)) {
    const auto* old = before == nullptr ? nullptr : std::get_if<metrics::GaugeValue>(before);
    return add_level(old == nullptr ? nullptr : &old->value, gauge->value, into);
  }
  if (const auto* unknown = std::get_if<metrics::UnknownValue>(&now)) {
    const auto* old = before == nullptr ? nullptr : std::get_if<metrics::UnknownValue>(before);
    return add_level(old == nullptr ? nullptr : &old->value, unknown->value, into);
  }
  return false;
}

}  // namespace connscope::policy
