// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/certificate_cells.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <string_view>

#include "bpf/owners/family_maker.h"

namespace connscope::bpf {

using metrics::BucketLayout;
using metrics::Gauge;
using metrics::GaugeHistogram;

namespace {

constexpr double kDay = 24 * 60 * 60;

}  // namespace

Result<CertificateCells::Families> CertificateCells::create_families(metrics::Registry& registry) {
  auto days = BucketLayout::create({kDay, 3 * kDay, 7 * kDay, 14 * kDay, 30 * kDay, 90 * kDay, 365 * kDay});
  if (!days) return days.error();
  FamilyMaker make(registry);
  Families made;
  made.expiry = make.distribution<GaugeHistogram>("conn_tls_peer_certificate_expiry_seconds",
                                                  "Time left of the certificates that peers have shown, each once.",
                                                  "seconds", {"process"}, *days);
  made.peers =
      make.family<Gauge>("conn_tls_peer_certificates",
                         "Certificates that peers have shown, each once, by who issued them.", {"process", "issuer"});
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<std::unique_ptr<CertificateCells::Expiry>> CertificateCells::Expiry::create(const Families& families,
                                                                                   const OwnerLabels& owner) {
  auto series = std::make_unique<Expiry>();
  SeriesMaker make(owner);
  series->left = make.series(families.expiry, {});
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Status CertificateCells::read(const probe::BpfObject& object) {
  present_.clear();
  const auto read =
      drain_.read(object.map_fd("certificates"),
                  [&](const certificate_key& key, const certificate_seen& /*seen*/) { present_.push_back(key); });
  return read ? Status() : read.error().context("certificates");
}

void CertificateCells::learn(const certificate_record& record) {
  const std::string_view der(reinterpret_cast<const char*>(record.der),
                             std::min<std::size_t>(record.bytes, CERTIFICATE_BYTES));
  auto facts = certificate_facts(der);
  if (!facts) return;
  facts_[record.key] = std::move(*facts);
  present_.push_back(record.key);
}

void CertificateCells::forget_others(const probe::BpfObject& object) {
  Facts present;
  for (const certificate_key& key : present_) {
    if (const auto known = facts_.find(key); known != facts_.end())
      present.insert(*known);
    else
      bpf_map_delete_elem(object.map_fd("certificates"), &key);
  }
  facts_ = std::move(present);
}

Result<Gauge*> CertificateCells::peers_of(std::uint64_t identity, const std::string& issuer) {
  const OwnerLabels owner = owners_.owner_of(identity);
  Gauge*& series = peers_[{owner, issuer}];
  if (series == nullptr) {
    SeriesMaker make(owner);
    series = make.series(families_.peers, {issuer});
    if (!make.outcome()) return make.outcome().error();
  }
  return series;
}

Status CertificateCells::show_one(const certificate_key& key, const CertificateFacts& facts, std::int64_t seconds,
                                  Clock::time_point now) {
  const auto expiry =
      expiries_.of(key.identity, now, [this](const OwnerLabels& owner) { return Expiry::create(families_, owner); });
  if (!expiry) return expiry.error();
  if (*expiry == nullptr) return {};
  (*expiry)->left->observe(static_cast<double>(facts.not_after - seconds));
  const auto peers = peers_of(key.identity, issuers_.admit(facts.issuer));
  if (!peers) return peers.error();
  ++counts_[*peers];
  return {};
}

Status CertificateCells::show(const probe::BpfObject& object, std::int64_t seconds, Clock::time_point now) {
  forget_others(object);
  for (const auto& [owner, series] : expiries_.all()) series->left->clear();
  counts_.clear();
  for (const auto& [labels, series] : peers_) counts_[series] = 0;
  Status outcome;
  for (const auto& [key, facts] : facts_)
    if (auto shown = show_one(key, facts, seconds, now); !shown) outcome = shown;
  for (const auto& [series, count] : counts_) series->set(count);
  return outcome;
}

void CertificateCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(facts_, object.map_fd("certificates"), identities);
  for (const std::uint64_t identity : identities) expiries_.forget(identity);
}

}  // namespace connscope::bpf
