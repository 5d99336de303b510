// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_cells.h"

#include <cstring>
#include <utility>

#include "bpf/dns/dns_names.h"
#include "bpf/dns/dns_reasons.h"
#include "bpf/owners/family_maker.h"

namespace connscope::bpf {

using metrics::Counter;
using metrics::Gauge;
using metrics::Histogram;

namespace {

constexpr std::array<const char*, DNS_TRANSPORTS> kTransportNames = {"udp", "tcp"};
constexpr std::array<const char*, DNS_STRAYS> kStrayNames = {"", "duplicate", "id_mismatch", "question_mismatch",
                                                             "malformed"};

bool has_answer(const dns_ended_key& key) {
  return key.outcome == QUERY_ANSWERED || key.outcome == QUERY_NODATA || key.outcome == QUERY_ERROR_RCODE;
}

/// What the cell has more than when it was read last, which it then is.
dns_ended rise(dns_ended& seen, const dns_ended& sum) {
  const dns_ended news{sum.count - seen.count, sum.sum_ns - seen.sum_ns};
  seen = sum;
  return news;
}

}  // namespace

Result<DnsCells::Families> DnsCells::create_families(metrics::Registry& registry) {
  FamilyMaker make(registry);
  Families made;
  made.queries = make.family<Counter>("conn_dns_queries", "DNS queries that were begun, each once however often sent.",
                                      {"process", "transport", "qtype", "server"});
  made.in_flight = make.family<Gauge>("conn_dns_queries_in_flight", "DNS queries begun and not ended.", {"process"});
  made.durations =
      make.family<Histogram>({"conn_dns_query_duration_seconds", "n.cn.adns"},
                             "DNS queries that ended: from the first message to the answer, or to failure.",
                             {"process", "transport", "qtype", "outcome", "server"});
  made.responses = make.family<Counter>("conn_dns_responses", "Answers that ended a DNS query.",
                                        {"process", "rcode", "qtype", "server"});
  made.retries = make.family<Counter>("conn_dns_retries", "DNS queries that were sent again.", {"process"});
  made.truncated =
      make.family<Counter>("conn_dns_truncated", "Answers over UDP that had no room for all.", {"process"});
  made.late = make.family<Counter>("conn_dns_late_answers", "Answers that came after their time was up.", {"process"});
  made.strays =
      make.family<Counter>("conn_dns_stray_answers", "Answers that could not belong to a query, or were there already.",
                           {"process", "reason"});
  made.served = make.family<Histogram>(
      "conn_dns_served_duration_seconds",
      "Answers that a DNS server on this host gave: from the query in to the answer out.", {"process", "rcode"});
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<std::unique_ptr<DnsCells::Client>> DnsCells::Client::create(const Families& families, const OwnerLabels& owner) {
  auto client = std::make_unique<Client>();
  client->owner = owner;
  SeriesMaker make(owner);
  const auto add_reason = [&](const char* reason) {
    client->failures[reason] = make.failures(families.failures, "client", "dns", reason);
  };
  for (std::size_t outcome = QUERY_ANSWERED + 1; outcome < QUERY_OUTCOMES; ++outcome)
    add_reason(kQueryReasons[outcome]);
  for (std::size_t rcode = 1; rcode < kRcodeReasons.size(); ++rcode) add_reason(kRcodeReasons[rcode]);
  for (std::size_t stray = STRAY_NONE + 1; stray < DNS_STRAYS; ++stray)
    client->strays[stray] = make.series(families.strays, {kStrayNames[stray]});
  client->retries = make.series(families.retries, {});
  client->truncated = make.series(families.truncated, {});
  client->late = make.series(families.late, {});
  client->in_flight = make.series(families.in_flight, {});
  if (!make.outcome()) return make.outcome().error();
  return client;
}

Result<DnsCells::Client*> DnsCells::client_of(std::uint64_t identity, Clock::time_point now) {
  return clients_.of(identity, now, [this](const OwnerLabels& owner) { return Client::create(families_, owner); });
}

Result<DnsCells::OfKind*> DnsCells::kind_of(Client& client, const Kind& kind) {
  const auto known = client.kinds.find(kind);
  if (known != client.kinds.end()) return &known->second;
  const auto [transport, qtype, server] = kind;
  const std::string type = labels_.qtype(qtype);
  const std::string address = labels_.server(server);
  SeriesMaker make(client.owner);
  OfKind made;
  made.queries = make.series(families_.queries, {kTransportNames[transport], type, address});
  made.durations = {make.series(families_.durations, {kTransportNames[transport], type, "ok", address}),
                    make.series(families_.durations, {kTransportNames[transport], type, "fail", address})};
  if (!make.outcome()) return make.outcome().error();
  return &client.kinds.emplace(kind, made).first->second;
}

Result<Counter*> DnsCells::response_of(Client& client, const Answer& answer) {
  Counter*& series = client.responses[answer];
  if (series != nullptr) return series;
  const auto [rcode, qtype, server] = answer;
  SeriesMaker make(client.owner);
  series = make.series(families_.responses, {dns_rcode_name(rcode), labels_.qtype(qtype), labels_.server(server)});
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Status DnsCells::collect(const probe::BpfObject& object, Clock::time_point now) {
  Status outcome;
  const auto read = [&](auto& drain, const char* map, auto add) {
    auto done = drain.read(object.map_fd(map), [&](const auto& key, const auto& sum) {
      if (auto added = (this->*add)(key, sum, now); !added) outcome = added;
    });
    if (!done) outcome = done.error().context(map);
  };
  read(served_drain_, "dns_served", &DnsCells::add_served);
  read(ended_drain_, "dns_ended", &DnsCells::add_ended);
  read(rare_drain_, "dns_rare", &DnsCells::add_rare);
  read(begun_drain_, "dns_begun", &DnsCells::add_begun);
  if (auto shown = show_in_flight(now); !shown) outcome = shown;
  return outcome;
}

Status DnsCells::add_ended(const dns_ended_key& key, const dns_ended& sum, Clock::time_point now) {
  const dns_ended news = rise(ended_[key], sum);
  if (news.count == 0 && news.sum_ns == 0) return {};
  if (key.transport >= DNS_TRANSPORTS || key.outcome >= QUERY_OUTCOMES || key.bucket >= LATENCY_BUCKETS)
    return Error("dns_ended: a cell that no program writes");
  in_flight_[key.identity] -= static_cast<std::int64_t>(news.count);
  const auto client = client_of(key.identity, now);
  if (!client) return client.error();
  if (*client == nullptr) return {};
  const auto kind = kind_of(**client, {key.transport, key.qtype, key.server});
  if (!kind) return kind.error();
  const bool failed = key.outcome != QUERY_ANSWERED;
  (*kind)->durations[failed ? 1 : 0]->add(key.bucket, news.count, static_cast<double>(news.sum_ns) / kNsPerSecond);
  if (failed) (*client)->failures[dns_reason_name(key.outcome, key.rcode)]->add(std::uint64_t{news.count});
  if (!has_answer(key)) return {};
  const auto response = response_of(**client, {key.rcode, key.qtype, key.server});
  if (!response) return response.error();
  (*response)->add(std::uint64_t{news.count});
  return {};
}

Status DnsCells::add_begun(const dns_begun_key& key, const dns_begun& sum, Clock::time_point now) {
  if (key.transport >= DNS_TRANSPORTS) return Error("dns_begun: a cell that no program writes");
  dns_begun& seen = begun_[key];
  const dns_begun news{sum.queries - seen.queries, sum.ends_lost - seen.ends_lost};
  seen = sum;
  if (news.queries == 0 && news.ends_lost == 0) return {};
  in_flight_[key.identity] += static_cast<std::int64_t>(news.queries) - static_cast<std::int64_t>(news.ends_lost);
  const auto client = client_of(key.identity, now);
  if (!client) return client.error();
  if (*client == nullptr) return {};
  const auto kind = kind_of(**client, {key.transport, key.qtype, key.server});
  if (!kind) return kind.error();
  (*kind)->queries->add(std::uint64_t{news.queries});
  return {};
}

Status DnsCells::add_rare(const dns_rare_key& key, const dns_rare& sum, Clock::time_point now) {
  const dns_rare before = std::exchange(rare_[key], sum);
  if (std::memcmp(&before, &sum, sizeof(sum)) == 0) return {};
  const auto client = client_of(key.identity, now);
  if (!client) return client.error();
  if (*client == nullptr) return {};
  (*client)->retries->add(std::uint64_t{sum.retries - before.retries});
  (*client)->truncated->add(std::uint64_t{sum.truncated - before.truncated});
  (*client)->late->add(std::uint64_t{sum.late - before.late});
  for (std::size_t stray = STRAY_NONE + 1; stray < DNS_STRAYS; ++stray)
    (*client)->strays[stray]->add(std::uint64_t{sum.strays[stray] - before.strays[stray]});
  return {};
}

Status DnsCells::add_served(const dns_served_key& key, const dns_ended& sum, Clock::time_point now) {
  const dns_ended news = rise(served_[key], sum);
  if (news.count == 0 && news.sum_ns == 0) return {};
  if (key.bucket >= LATENCY_BUCKETS) return Error("dns_served: a cell that no program writes");
  const auto server = servers_.of(key.identity, now, [](const OwnerLabels& owner) -> Result<std::unique_ptr<Server>> {
    return std::make_unique<Server>(Server{owner, {}});
  });
  if (!server) return server.error();
  if (*server == nullptr) return {};
  Histogram*& durations = (*server)->durations[key.rcode];
  if (durations == nullptr) {
    SeriesMaker make((*server)->owner);
    durations = make.series(families_.served, {dns_rcode_name(key.rcode)});
    if (!make.outcome()) return make.outcome().error();
  }
  durations->add(key.bucket, news.count, static_cast<double>(news.sum_ns) / kNsPerSecond);
  return {};
}

Status DnsCells::show_in_flight(Clock::time_point now) {
  std::unordered_map<Gauge*, std::int64_t> counts;
  for (const auto& [owner, client] : clients_.all()) counts[client->in_flight] = 0;
  for (const auto& [identity, count] : in_flight_) {
    if (count <= 0) continue;
    const auto client = client_of(identity, now);  // keeps the identity from being retired, and follows changed rules
    if (!client) return client.error();
    if (*client != nullptr) counts[(*client)->in_flight] += count;
  }
  for (const auto& [gauge, count] : counts) gauge->set(static_cast<std::uint64_t>(count));
  return {};
}

void DnsCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(ended_, object.map_fd("dns_ended"), identities);
  erase_cells(begun_, object.map_fd("dns_begun"), identities);
  erase_cells(rare_, object.map_fd("dns_rare"), identities);
  erase_cells(served_, object.map_fd("dns_served"), identities);
  for (const std::uint64_t identity : identities) {
    in_flight_.erase(identity);
    clients_.forget(identity);
    servers_.forget(identity);
  }
}

std::map<std::uint64_t, std::uint64_t> DnsCells::queries() const {
  std::map<std::uint64_t, std::uint64_t> queries;
  for (const auto& [key, begun] : begun_) queries[key.identity] += begun.queries;
  return queries;
}

std::vector<probe::MapUsage> DnsCells::usage(const probe::BpfObject& object) const {
  return {{"dns_begun", begun_drain_.entries(), object.max_entries("dns_begun")},
          {"dns_ended", ended_drain_.entries(), object.max_entries("dns_ended")},
          {"dns_rare", rare_drain_.entries(), object.max_entries("dns_rare")},
          {"dns_served", served_drain_.entries(), object.max_entries("dns_served")}};
}

}  // namespace connscope::bpf
