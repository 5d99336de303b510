// SPDX-License-Identifier: Apache-2.0
//
// IdentityTable: from the kernel's identity ids to the label `process` (FEATURES L15), by the rules. Knows each id from
// the moment it is asked for or announced until it is retired, and tells the kernel which processes a rule excludes.
//
// An id that nothing has counted for during `idle` is retired in two steps, so that no count is lost: first the kernel
// forgets it, so that its processes get a new id when they come back; then, when nothing has come for it for the grace
// time, its cells may go. The collecting thread only, but for program_of(); times are passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/result.h"
#include "agent/identity/identity_source.h"
#include "agent/identity/process_rules.h"

namespace connscope::identity {

struct IdentityLimits {
  std::size_t prefixes = 200;
  std::chrono::seconds idle = std::chrono::hours(1);
  std::chrono::seconds grace = std::chrono::seconds(10);
};

/// What the config says about a process.
struct ProcessLabel {
  std::string prefix;
  bool captured = true;
  std::uint32_t netns = 0;  ///< its network namespace's inode number; 0 when that is not known
};

class IdentityTable {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `source` must outlive the table.
  IdentityTable(IdentitySource& source, ProcessRules rules, IdentityLimits limits);

  /// Looks `id` up in the kernel when it is new. The reference holds until the next call of set_rules or retire_idle.
  const ProcessLabel& label_of(std::uint64_t id);
  /// The label of a process that the kernel half need not know, by the same rules and under the same limit.
  [[nodiscard]] ProcessLabel label_of(ProcessAttributes attributes);
  /// That of the process which last had this number, where the kernel half has seen it; it may be gone.
  [[nodiscard]] std::optional<ProcessLabel> label_of_process(std::uint32_t pid);
  /// What an interpreter runs, as the kernel half has it, whatever the process has made of its command line since.
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t pid) const { return source_.program_of(pid); }
  [[nodiscard]] CaptureWishes wishes() const { return rules_.wishes(); }
  /// Path of the executable; empty when it is not known. The reference holds as long as that of label_of.
  const std::string& exe_of(std::uint64_t id);
  /// The ids that have that prefix now.
  [[nodiscard]] std::vector<std::uint64_t> with_prefix(const std::string& prefix) const;
  /// Applies the rules anew to every identity, and tells the kernel.
  Status set_rules(ProcessRules rules, IdentityLimits limits);
  /// Tells the kernel what the rules need to know of a process; once, before the first probe counts.
  Status publish() { return source_.publish(rules_.wishes()); }
  /// Changes whenever a label that was given out may be another now.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t prefixes() const { return prefixes_.size(); }
  /// How many identities' prefixes were folded into "other" by the limit.
  [[nodiscard]] std::uint64_t folded() const { return folded_; }

  /// How many processes the kernel has left out, by what.
  Result<LeftOutCounts> left_out() { return source_.left_out(); }

  /// Something was counted for `id`, or still goes on.
  void touch(std::uint64_t id, Time now);
  /// The ids whose cells may be deleted; they are gone from the table and from the kernel.
  Result<std::vector<std::uint64_t>> retire_idle(Time now);

 private:
  struct Entry {
    identity_key key{};
    ProcessAttributes attributes;
    ProcessLabel label;
    left_out_by left_out = LEFT_OUT_BY_NOTHING;  // as the kernel knows it
    Time last_use{};
    bool forgotten = false;  // by the kernel; last_use then counts from there
  };
  Entry& entry_of(std::uint64_t id);
  [[nodiscard]] ProcessAttributes attributes_of(const identity_info& info) const;
  [[nodiscard]] ProcessLabel label_of_verdict(const ProcessRules::Verdict& verdict);
  Status apply_rules(std::uint64_t id, Entry& entry);

  IdentitySource& source_;
  ProcessRules rules_;
  IdentityLimits limits_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::set<std::string> prefixes_;
  std::uint64_t folded_ = 0;
  std::uint64_t generation_ = 0;
  ProcessLabel unknown_;
};

/// The path of names from leaf to root, each ended by a NUL, as identity_info has it: "nginx\0sbin\0usr\0" is
/// "/usr/sbin/nginx". `cut`: names are missing at the root's end, which shows as ".../".
[[nodiscard]] std::string path_of_names(std::string_view names, bool cut);

}  // namespace connscope::identity
