// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/identity_table.h"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "agent/base/file.h"
#include "agent/base/take_until.h"
#include "agent/identity/cgroup_path.h"
#include "agent/identity/live_process.h"
#include "agent/metrics/utf8.h"

namespace connscope::identity {
namespace {

constexpr const char* kOtherPrefix = "other";

std::string user_name(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return entry.pw_name;
}

template <std::size_t N>
std::string_view filled(const char (&buffer)[N], std::uint32_t bytes) {
  return {buffer, std::min<std::size_t>(bytes, N)};
}

}  // namespace

std::string path_of_names(std::string_view names, bool cut) {
  std::vector<std::string_view> parts;
  while (!names.empty()) {
    const std::string_view name = take_until(names, '\0');
    if (!name.empty()) parts.push_back(name);
  }
  std::string path = cut ? "..." : "";
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) path.append("/").append(*part);
  return path.empty() ? "/" : path;
}

IdentityTable::IdentityTable(IdentitySource& source, ProcessRules rules, IdentityLimits limits)
    : source_(source), rules_(std::move(rules)), limits_(limits), unknown_{kOtherPrefix, true, 0} {}

ProcessAttributes IdentityTable::attributes_of(const identity_info& info) const {
  // File names are any bytes; labels are UTF-8.
  const auto text = [](std::string_view bytes) { return metrics::to_utf8(bytes); };
  ProcessAttributes attributes;
  if (info.exe_bytes > 0) attributes.exe = text(path_of_names(filled(info.exe, info.exe_bytes), info.exe_cut != 0));
  attributes.comm = text({info.key.comm, strnlen(info.key.comm, IDENTITY_COMM_BYTES)});
  attributes.cgroup = text(path_of_names(filled(info.cgroup, info.cgroup_bytes), info.cgroup_cut != 0));
  attributes.unit = systemd_unit(attributes.cgroup);
  attributes.container = container_id(attributes.cgroup);
  attributes.uid = info.key.uid;
  // A name service may be slow or far away, so it is asked only when a rule needs it.
  if (rules_.wants_user()) attributes.user = user_name(info.key.uid);
  attributes.script = text({info.program, strnlen(info.program, PROGRAM_NAME_BYTES)});
  attributes.args = text(words_of_args(filled(info.args, info.args_bytes)));
  // The kernel half reads the arguments of the running process alone, not of one whose sockets are older than the
  // agent.
  if (info.args_bytes == 0 && rules_.wishes().args)
    attributes.args = text(words_of_args(read_file("/proc/" + std::to_string(info.pid) + "/cmdline").value_or("")));
  return attributes;
}

ProcessLabel IdentityTable::label_of_verdict(const ProcessRules::Verdict& verdict) {
  if (!verdict.is_captured()) return {verdict.prefix, false, 0};
  if (prefixes_.count(verdict.prefix) == 0) {
    if (prefixes_.size() >= limits_.prefixes) {
      ++folded_;
      return {kOtherPrefix, true, 0};
    }
    prefixes_.insert(verdict.prefix);
  }
  return {verdict.prefix, true, 0};
}

Status IdentityTable::apply_rules(std::uint64_t id, Entry& entry) {
  const auto verdict = rules_.match(entry.attributes);
  entry.label = label_of_verdict(verdict);
  entry.label.netns = entry.key.netns;
  if (std::exchange(entry.left_out, verdict.left_out) == verdict.left_out || entry.forgotten) return {};
  return source_.set_left_out(entry.key, id, verdict.left_out);
}

IdentityTable::Entry& IdentityTable::entry_of(std::uint64_t id) {
  const auto known = entries_.find(id);
  if (known != entries_.end()) return known->second;
  Entry entry;
  const auto info = source_.read(id);
  if (info) {
    entry.key = info->key;
    entry.attributes = attributes_of(*info);
    // A kernel that cannot be told costs time, not truth: what is not captured is not shown either.
    if (apply_rules(id, entry) && !entry.label.captured) (void)publish();
  } else {
    entry.label = unknown_;
    entry.forgotten = true;
  }
  return entries_.emplace(id, std::move(entry)).first->second;
}

const ProcessLabel& IdentityTable::label_of(std::uint64_t id) {
  return id == IDENTITY_UNKNOWN ? unknown_ : entry_of(id).label;
}

ProcessLabel IdentityTable::label_of(ProcessAttributes attributes) {
  if (rules_.wants_user()) attributes.user = user_name(attributes.uid);
  return label_of_verdict(rules_.match(attributes));
}

std::optional<ProcessLabel> IdentityTable::label_of_process(std::uint32_t pid) {
  const auto id = source_.id_of_process(pid);
  if (!id || *id == IDENTITY_IGNORED) return std::nullopt;
  return label_of(*id);
}

const std::string& IdentityTable::exe_of(std::uint64_t id) {
  static const std::string kNone;
  return id == IDENTITY_UNKNOWN ? kNone : entry_of(id).attributes.exe;
}

std::vector<std::uint64_t> IdentityTable::with_prefix(const std::string& prefix) const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, entry] : entries_)
    if (entry.label.captured && entry.label.prefix == prefix) ids.push_back(id);
  return ids;
}

Status IdentityTable::set_rules(ProcessRules rules, IdentityLimits limits) {
  const bool learns_users = rules.wants_user() && !rules_.wants_user();
  rules_ = std::move(rules);
  limits_ = limits;
  prefixes_.clear();
  ++generation_;
  Status outcome;
  for (auto& [id, entry] : entries_) {
    if (learns_users) entry.attributes.user = user_name(entry.attributes.uid);
    if (auto applied = apply_rules(id, entry); !applied) outcome = applied;
  }
  if (auto published = publish(); !published) outcome = published;
  return outcome;
}

void IdentityTable::touch(std::uint64_t id, Time now) {
  if (id != IDENTITY_UNKNOWN) entry_of(id).last_use = now;
}

Result<std::vector<std::uint64_t>> IdentityTable::retire_idle(Time now) {
  std::vector<std::uint64_t> retired;
  bool forgot = false;
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [id, entry] = *at;
    if (entry.last_use == Time{}) entry.last_use = now;  // announced, not counted for yet
    const auto idle = now - entry.last_use;
    if (entry.forgotten && idle >= limits_.grace) {
      if (auto erased = source_.erase(id); !erased) return erased.error();
      retired.push_back(id);
      at = entries_.erase(at);
      continue;
    }
    // Ignored identities too: nothing is counted for them, so they are looked at anew once in the idle time.
    if (!entry.forgotten && idle >= limits_.idle) {
      if (auto forgotten = source_.forget(entry.key); !forgotten) return forgotten.error();
      entry.forgotten = true;
      entry.last_use = now;
      forgot = true;
    }
    ++at;
  }
  if (forgot)
    if (auto published = publish(); !published) return published.error();
  return retired;
}

}  // namespace connscope::identity
