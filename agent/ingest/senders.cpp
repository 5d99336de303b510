// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/senders.h"

#include <cstring>
#include <utility>

#include "agent/metrics/utf8.h"

namespace connscope::ingest {
namespace {

SenderPtr nobody(Sender::Origin origin) {
  Sender sender;
  sender.origin = origin;
  return std::make_shared<const Sender>(std::move(sender));
}

std::string intern_key(const identity::ProcessAttributes& process) {
  std::string key = std::to_string(process.uid);
  for (const std::string* part : {&process.exe, &process.comm, &process.cgroup, &process.args, &process.script})
    key.append(1, '\0').append(*part);
  return key;
}

std::uint64_t process_key(pid_t pid, uid_t uid) {
  return static_cast<std::uint64_t>(uid) << 32U | static_cast<std::uint32_t>(pid);
}

}  // namespace

Senders::Senders(std::string proc_root, ProgramOf program_of, std::size_t max_senders)
    : proc_root_(std::move(proc_root)),
      program_of_(std::move(program_of)),
      max_senders_(max_senders),
      udp_(nobody(Sender::Origin::kUdp)),
      unknown_(nobody(Sender::Origin::kUnknown)) {}

SenderPtr Senders::of_process(pid_t pid, uid_t uid, Time now) {
  if (pid <= 0) return unknown_;
  const std::uint64_t key = process_key(pid, uid);
  if (const auto known = processes_.find(key); known != processes_.end()) {
    Known& process = known->second;
    if (now - process.looked_at < kTrust) return process.sender;
    process.looked_at = now;
    if (still_same(pid, process)) return process.sender;
  }
  Known looked = look_at(pid, uid, now);
  // Processes that are gone would fill it in the end; those that still send are back at once.
  if (processes_.size() >= kMaxProcesses) processes_.clear();
  return processes_.insert_or_assign(key, std::move(looked)).first->second.sender;
}

bool Senders::still_same(pid_t pid, const Known& known) const {
  const std::uint64_t start_time = identity::read_start_time(proc_root_, pid);
  // Its packets may have waited longer than it lived.
  if (start_time == 0) return true;
  const std::string exe = identity::read_exe(proc_root_, pid);
  return start_time == known.start_time && (exe == known.exe || exe.empty()) && still_runs(pid, *known.sender);
}

/// An interpreter may execute itself with another program.
bool Senders::still_runs(pid_t pid, const Sender& sender) const {
  const auto script = script_of(pid);
  return !script || sender.origin != Sender::Origin::kProcess || *script == sender.attributes.script;
}

Senders::Known Senders::look_at(pid_t pid, uid_t uid, Time now) {
  Known known;
  known.looked_at = now;
  auto attributes = identity::read_process(proc_root_, pid, wishes_);
  if (!attributes) {
    Sender gone{Sender::Origin::kGone, pid, {}};
    gone.attributes.uid = uid;
    known.sender = std::make_shared<const Sender>(std::move(gone));
    return known;
  }
  attributes->uid = uid;  // the kernel's word at the time of sending
  if (auto script = script_of(pid)) attributes->script = std::move(*script);
  known.exe = attributes->exe;
  known.start_time = identity::read_start_time(proc_root_, pid);
  known.sender = intern(pid, std::move(*attributes));
  return known;
}

std::optional<std::string> Senders::script_of(pid_t pid) const {
  if (wishes_.interpreters == 0) return std::nullopt;
  const auto program = program_of_(static_cast<std::uint32_t>(pid));
  if (!program || !wishes_.wants(static_cast<interpreter>(program->interpreter))) return std::nullopt;
  return metrics::to_utf8({program->name, strnlen(program->name, PROGRAM_NAME_BYTES)});
}

SenderPtr Senders::intern(pid_t pid, identity::ProcessAttributes attributes) {
  std::string key = intern_key(attributes);
  if (const auto same = interned_.find(key); same != interned_.end()) return same->second;
  if (interned_.size() >= max_senders_) {
    processes_.clear();
    std::erase_if(interned_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  if (interned_.size() >= max_senders_) return unknown_;
  auto sender = std::make_shared<const Sender>(Sender{Sender::Origin::kProcess, pid, std::move(attributes)});
  return interned_.emplace(std::move(key), std::move(sender)).first->second;
}

void Senders::start_anew(const identity::CaptureWishes& wishes) {
  wishes_ = wishes;
  processes_.clear();
  interned_.clear();
}

}  // namespace connscope::ingest
