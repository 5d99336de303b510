// SPDX-License-Identifier: Apache-2.0
//
// DnsTopNames: the family of the names that are asked for most, only where the config asks for it: names are private data. At most
// as many names as the config says have a series; what is asked beside them counts under the name "other", so that the sum is that
// of all queries. A name that overtakes the least of them takes its place, and what that one had goes to "other": no sum falls.
//
// The collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/dns/dns_query.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

/// How much of a name is shown.
enum class NameForm { kWhole, kRegisteredDomain };

/// The name of `wire`, the labels of a question as they stand in the message; "." for the root, and what is cut ends in "…".
[[nodiscard]] std::string dns_name_text(std::string_view wire);
/// "example.co.uk" for "www.example.co.uk", by the public suffix list; a name that is a public suffix itself stays.
[[nodiscard]] std::string registered_domain(const std::string& name);

class DnsTopNames {
 public:
  using Family = metrics::Family<metrics::Counter>;
  /// nullptr when `limit` is 0.
  static Result<Family*> create_family(metrics::Registry& registry, std::size_t limit);

  DnsTopNames(Family* family, Owners& owners, std::size_t limit, NameForm form)
      : family_(family), owners_(owners), limit_(limit), form_(form) {}

  /// `queries`: how many were begun, by identity; read after the names, so that no name has more than all.
  Status show(const std::map<std::uint64_t, std::uint64_t>& queries);
  /// Reads the kernel's counts; comes before the queries are read.
  Status read(const probe::BpfObject& object);

 private:
  struct Entry {
    std::string process;
    std::string name;
    auto operator<=>(const Entry&) const = default;
  };
  struct Count {
    std::uint64_t total = 0;
    std::uint64_t news = 0;
    std::uint64_t shown = 0;
    metrics::Counter* series = nullptr;  // nullptr: it is among the others
  };
  using Counts = std::map<Entry, Count>;

  [[nodiscard]] std::string form(const dns_name& name) const;
  /// Gives series to the names that have most.
  Status promote();
  Status show(Counts::value_type& entry);
  void hide(Counts::value_type& entry);
  Status show_others(const std::map<std::uint64_t, std::uint64_t>& queries);
  /// Makes room in the kernel's map: what was not asked for since the last time is dropped.
  void drop_idle(int map_fd, std::uint64_t room);

  Family* family_;
  Owners& owners_;
  std::size_t limit_;
  NameForm form_;
  std::size_t shown_ = 0;
  Counts counts_;
  std::map<std::string, std::uint64_t> others_;  // by process: what its series "other" has
  probe::MapDrain<dns_name_key, dns_name> drain_{1};
  probe::CellMap<dns_name_key, std::uint64_t> seen_;
  std::vector<dns_name_key> idle_;
};

}  // namespace connscope::bpf
