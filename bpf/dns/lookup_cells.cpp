// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/lookup_cells.h"

#include "bpf/owners/family_maker.h"

namespace connscope::bpf {

using metrics::BucketLayout;
using metrics::Counter;
using metrics::Histogram;

Result<LookupCells::Families> LookupCells::create_families(metrics::Registry& registry) {
  auto layout = BucketLayout::create({QUERY_BOUNDS});
  if (!layout) return layout.error();
  FamilyMaker make(registry);
  Families made;
  made.durations = make.family<Histogram>({"conn_dns_lookup_duration_seconds", "n.cn.dns"},
                                          "Calls of the C library that look a name or an address up, as the program "
                                          "waits for them.",
                                          {"process", "outcome"});
  made.queries =
      make.counts("conn_dns_queries_per_lookup", "Queries on the wire that such a call made.", {"process"}, *layout);
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<std::unique_ptr<LookupCells::Series>> LookupCells::Series::create(const Families& families,
                                                                         const OwnerLabels& owner) {
  auto series = std::make_unique<Series>();
  SeriesMaker make(owner);
  series->durations[LOOKUP_OK] = make.series(families.durations, {kLookupOutcomeNames[LOOKUP_OK]});
  series->queries = make.series(families.queries, {});
  for (std::size_t outcome = LOOKUP_OK + 1; outcome < LOOKUP_OUTCOMES; ++outcome)
    series->failures[outcome] = make.failures(families.failures, "client", "dns", lookup_reason_name(outcome));
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Result<LookupCells::Series*> LookupCells::series_of(std::uint64_t identity, Clock::time_point now) {
  return series_.of(identity, now, [this](const OwnerLabels& owner) { return Series::create(families_, owner); });
}

Status LookupCells::collect(const probe::BpfObject& object, Clock::time_point now) {
  Status outcome;
  const auto keep = [&outcome](const Status& added) {
    if (!added) outcome = added;
  };
  auto read = ended_drain_.read(object.map_fd("lookup_ended"),
                                [&](const auto& key, const auto& sum) { keep(add_ended(key, sum, now)); });
  if (!read) return read.error().context("lookup_ended");
  read = queries_drain_.read(object.map_fd("lookup_queries"),
                             [&](const auto& key, const auto& sum) { keep(add_queries(key, sum, now)); });
  if (!read) return read.error().context("lookup_queries");
  return outcome;
}

Status LookupCells::add_ended(const lookup_ended_key& key, const lookup_ended& sum, Clock::time_point now) {
  if (key.outcome >= LOOKUP_OUTCOMES || key.bucket >= LATENCY_BUCKETS)
    return Error("lookup_ended: a cell that no program writes");
  lookup_ended& seen = ended_[key];
  const lookup_ended news{sum.count - seen.count, sum.sum_ns - seen.sum_ns};
  if (news.count == 0 && news.sum_ns == 0) return {};
  const auto series = series_of(key.identity, now);
  if (!series) return series.error();
  if (Series* shown = *series; shown != nullptr) {
    Histogram*& durations = shown->durations[key.outcome];
    if (durations == nullptr) {
      const OwnerLabels owner = owners_.owner_of(key.identity);
      SeriesMaker make(owner);
      durations = make.series(families_.durations, {kLookupOutcomeNames[key.outcome]});
      if (durations == nullptr) return make.outcome();
    }
    durations->add(key.bucket, news.count, static_cast<double>(news.sum_ns) / kNsPerSecond);
    // What was seen on the wire has told there why it failed, and every failure counts once.
    if (key.outcome != LOOKUP_OK && key.asked == 0) shown->failures[key.outcome]->add(std::uint64_t{news.count});
  }
  seen = sum;
  return {};
}

Status LookupCells::add_queries(const lookup_queries_key& key, const lookup_queries& sum, Clock::time_point now) {
  if (key.bucket >= QUERY_BUCKETS) return Error("lookup_queries: a cell that no program writes");
  lookup_queries& seen = queries_[key];
  const lookup_queries news{sum.count - seen.count, sum.sum - seen.sum};
  if (news.count == 0 && news.sum == 0) return {};
  const auto series = series_of(key.identity, now);
  if (!series) return series.error();
  if (*series != nullptr) (*series)->queries->add(key.bucket, news.count, static_cast<double>(news.sum));
  seen = sum;
  return {};
}

void LookupCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(ended_, object.map_fd("lookup_ended"), identities);
  erase_cells(queries_, object.map_fd("lookup_queries"), identities);
  for (const std::uint64_t identity : identities) series_.forget(identity);
}

std::vector<probe::MapUsage> LookupCells::usage(const probe::BpfObject& object) const {
  return {{"lookup_ended", ended_drain_.entries(), object.max_entries("lookup_ended")},
          {"lookup_queries", queries_drain_.entries(), object.max_entries("lookup_queries")}};
}

}  // namespace connscope::bpf
