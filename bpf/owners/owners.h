// SPDX-License-Identifier: Apache-2.0
//
// Owners: from an identity that the kernel half counts for to the label values `process` and `netns` of its series, and series by
// owner. Labels that can grow have a limit of values, past which values fold into "other"; a limit of 0 switches the label off,
// and its value is empty, which no format shows.
//
// Owned by a probe and lent to its parts. The collecting thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "agent/base/result.h"
#include "agent/identity/identity_table.h"

namespace connscope::bpf {

using Clock = std::chrono::steady_clock;

/// The values of one label, as many as its limit allows.
class LimitedLabel {
 public:
  explicit LimitedLabel(std::size_t limit) : limit_(limit) {}
  [[nodiscard]] bool is_on() const { return limit_ > 0; }
  /// `value`, or "other" when it is new and the limit is reached; empty when the label is off.
  std::string admit(const std::string& value);

 private:
  std::size_t limit_;
  std::set<std::string> values_;
};

/// Who a series belongs to.
struct OwnerLabels {
  std::string process;
  std::string netns;
  bool captured = true;
  auto operator<=>(const OwnerLabels&) const = default;
};

class Owners {
 public:
  /// `identities` must outlive it.
  explicit Owners(identity::IdentityTable& identities, std::size_t netns_limit = 0)
      : identities_(identities), netns_(netns_limit) {}

  OwnerLabels owner_of(std::uint64_t identity);
  /// What was counted for `identity`, or is still going on: it is not idle.
  void touch(std::uint64_t identity, Clock::time_point now) { identities_.touch(identity, now); }
  /// Changes when an owner's labels may have changed.
  [[nodiscard]] std::uint64_t generation() const { return identities_.generation(); }

 protected:
  [[nodiscard]] identity::IdentityTable& identities() { return identities_; }

 private:
  identity::IdentityTable& identities_;
  LimitedLabel netns_;
};

/// Series of type S by owner, made whole when the owner appears, and found by identity without a string in sight.
template <class S>
class SeriesByOwner {
 public:
  explicit SeriesByOwner(Owners& owners) : owners_(owners) {}

  /// nullptr: a rule excludes the process. `make(OwnerLabels)` gives Result<std::unique_ptr<S>>.
  template <class Make>
  Result<S*> of(std::uint64_t identity, Clock::time_point now, Make&& make) {
    owners_.touch(identity, now);
    Known& known = known_[identity];
    if (known.generation == owners_.generation()) return known.series;
    const OwnerLabels owner = owners_.owner_of(identity);
    known.series = nullptr;
    if (owner.captured) {
      auto& series = series_[owner];
      if (!series) {
        auto made = make(owner);
        if (!made) return made.error();
        series = std::move(*made);
      }
      known.series = series.get();
    }
    known.generation = owners_.generation();
    return known.series;
  }
  void forget(std::uint64_t identity) { known_.erase(identity); }
  [[nodiscard]] const std::map<OwnerLabels, std::unique_ptr<S>>& all() const { return series_; }

 private:
  struct Known {
    S* series = nullptr;
    std::uint64_t generation = ~std::uint64_t{0};
  };
  Owners& owners_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::map<OwnerLabels, std::unique_ptr<S>> series_;
};

}  // namespace connscope::bpf
