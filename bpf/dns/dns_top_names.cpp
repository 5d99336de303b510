// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_top_names.h"

#include <bpf/bpf.h>
#include <libpsl.h>

#include <algorithm>

#include "bpf/owners/family_maker.h"

namespace connscope::bpf {

std::string dns_name_text(std::string_view wire) {
  std::string text;
  while (!wire.empty() && wire.front() != 0) {
    const auto length = static_cast<unsigned char>(wire.front());
    const std::string_view label = wire.substr(1, length);
    if (!text.empty()) text += '.';
    for (const char byte : label) {
      const auto value = static_cast<unsigned char>(byte);
      const bool is_capital = byte >= 'A' && byte <= 'Z';
      // What no host name has would only spoil a label's value; RFC 4343 section 2.1 writes it so too.
      if (value <= ' ' || value >= 0x7f || byte == '.' || byte == '\\')
        text += '\\' + std::to_string(value + 1000).substr(1);
      else
        text += is_capital ? static_cast<char>(byte - 'A' + 'a') : byte;
    }
    if (label.size() < length) return text + "…";
    wire.remove_prefix(1 + length);
  }
  if (text.empty()) return ".";
  return wire.empty() ? text + "…" : text;
}

std::string registered_domain(const std::string& name) {
  const char* domain = psl_registrable_domain(psl_builtin(), name.c_str());
  return domain == nullptr ? name : domain;
}

Result<DnsTopNames::Family*> DnsTopNames::create_family(metrics::Registry& registry, std::size_t limit) {
  if (limit == 0) return static_cast<Family*>(nullptr);
  FamilyMaker make(registry);
  Family* family = make.family<metrics::Counter>(
      "conn_dns_name_queries", "DNS queries by the names that are asked for most.", {"process", "name"});
  if (!make.outcome()) return make.outcome().error();
  return family;
}

std::string DnsTopNames::form(const dns_name& name) const {
  const std::string_view wire(reinterpret_cast<const char*>(name.name), sizeof(name.name));
  std::string text = dns_name_text(wire);
  return form_ == NameForm::kWhole ? text : registered_domain(text);
}

Status DnsTopNames::read(const probe::BpfObject& object) {
  if (limit_ == 0) return {};
  idle_.clear();
  const int map = object.map_fd("dns_names");
  auto read = drain_.read(map, [this](const dns_name_key& key, const dns_name& name) {
    std::uint64_t& seen = seen_[key];
    const std::uint64_t news = name.queries - seen;
    seen = name.queries;
    if (news == 0) {
      idle_.push_back(key);
      return;
    }
    const OwnerLabels owner = owners_.owner_of(key.identity);
    if (!owner.captured) return;
    Count& count = counts_[{owner.process, form(name)}];
    count.total += news;
    count.news += news;
  });
  drop_idle(map, object.max_entries("dns_names"));
  return read ? Status() : read.error().context("dns_names");
}

void DnsTopNames::drop_idle(int map_fd, std::uint64_t room) {
  if (drain_.entries() * 4 < room * 3) return;
  for (const dns_name_key& key : idle_) {
    bpf_map_delete_elem(map_fd, &key);
    seen_.erase(key);
  }
  for (auto count = counts_.begin(); count != counts_.end();)
    count = count->second.series == nullptr && count->second.news == 0 ? counts_.erase(count) : std::next(count);
}

Status DnsTopNames::show(Counts::value_type& entry) {
  const OwnerLabels owner{entry.first.process, "", true};
  SeriesMaker make(owner);
  entry.second.series = make.series(family_, {entry.first.name});
  if (!make.outcome()) return make.outcome();
  ++shown_;
  return {};
}

void DnsTopNames::hide(Counts::value_type& entry) {
  family_->remove({entry.first.process, entry.first.name, ""});
  entry.second.series = nullptr;
  entry.second.shown = 0;
  --shown_;
}

Status DnsTopNames::promote() {
  const auto less = [](const auto& a, const auto& b) { return a->second.total < b->second.total; };
  std::vector<Counts::value_type*> hidden;
  std::vector<Counts::value_type*> shown;
  for (auto& entry : counts_) (entry.second.series == nullptr ? hidden : shown).push_back(&entry);
  std::sort(hidden.begin(), hidden.end(), [&](const auto& a, const auto& b) { return less(b, a); });
  std::sort(shown.begin(), shown.end(), less);
  auto least = shown.begin();
  for (Counts::value_type* candidate : hidden) {
    if (shown_ >= limit_) {
      // Twice as many: two names that are near each other must not change places at each scrape.
      if (least == shown.end() || candidate->second.total < (*least)->second.total * 2) break;
      hide(**least++);
    }
    if (auto made = show(*candidate); !made) return made;
  }
  return {};
}

Status DnsTopNames::show(const std::map<std::uint64_t, std::uint64_t>& queries) {
  if (auto promoted = promote(); !promoted) return promoted;
  for (auto& [entry, count] : counts_) {
    if (count.series != nullptr) {
      count.series->add(std::uint64_t{count.news});
      count.shown += count.news;
    }
    count.news = 0;
  }
  return show_others(queries);
}

Status DnsTopNames::show_others(const std::map<std::uint64_t, std::uint64_t>& queries) {
  std::map<std::string, std::uint64_t> rest;
  for (const auto& [identity, count] : queries) {
    const OwnerLabels owner = owners_.owner_of(identity);
    if (owner.captured) rest[owner.process] += count;
  }
  for (const auto& [entry, count] : counts_) {
    std::uint64_t& left = rest[entry.process];
    left -= std::min(left, count.shown);
  }
  for (const auto& [process, count] : rest) {
    std::uint64_t& shown = others_[process];
    if (count <= shown) continue;
    const OwnerLabels owner{process, "", true};
    SeriesMaker make(owner);
    metrics::Counter* series = make.series(family_, {metrics::kOther});
    if (!make.outcome()) return make.outcome();
    series->add(std::uint64_t{count - shown});
    shown = count;
  }
  return {};
}

}  // namespace connscope::bpf
