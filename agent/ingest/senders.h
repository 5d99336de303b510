// SPDX-License-Identifier: Apache-2.0
//
// Senders: from the credentials that the kernel puts on a packet to what is known of the process. Processes that no
// rule can tell apart are one Sender, as the kernel half's identities are, so that the workers of an application share
// their series. Names and labels are not decided here: rules belong to the collecting thread. The receiving thread
// only. Sources: unix(7) on SCM_CREDENTIALS, proc(5).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/base/result.h"
#include "agent/identity/identity_source.h"
#include "agent/identity/live_process.h"

namespace connscope::ingest {

/// Immutable once made.
struct Sender {
  enum class Origin : std::uint8_t {
    kProcess,
    kGone,     ///< had ended before it could be looked at; only pid and uid are known
    kUnknown,  ///< not in this pid namespace, or beyond the limit of senders
    kUdp,      ///< over UDP, which has no credentials
  };
  Origin origin = Origin::kUnknown;
  pid_t pid = 0;  ///< the one that was seen first
  identity::ProcessAttributes attributes;
};

using SenderPtr = std::shared_ptr<const Sender>;

class Senders {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A pid is looked at again after so long: it may be another process's now, or run another program.
  static constexpr std::chrono::seconds kTrust{1};
  static constexpr std::size_t kMaxProcesses = 4096;
  static constexpr std::size_t kMaxSenders = 4096;  // that are known, or have series

  /// What a process's interpreter runs, where the kernel half knows it: it has seen the command line before the process
  /// wrote over it.
  using ProgramOf = std::function<Result<identity_program>(std::uint32_t pid)>;

  Senders(std::string proc_root, ProgramOf program_of, std::size_t max_senders = kMaxSenders);

  [[nodiscard]] SenderPtr of_process(pid_t pid, uid_t uid, Time now);
  [[nodiscard]] const SenderPtr& udp() const { return udp_; }
  /// Forgets all, so that each is looked at anew, with its arguments where rules want them.
  void start_anew(const identity::CaptureWishes& wishes);

 private:
  struct Known {
    SenderPtr sender;
    std::string exe;
    std::uint64_t start_time = 0;  // since boot, in the kernel's ticks; 0: it was gone
    Time looked_at;
  };
  [[nodiscard]] Known look_at(pid_t pid, uid_t uid, Time now);
  [[nodiscard]] bool still_same(pid_t pid, const Known& known) const;
  [[nodiscard]] bool still_runs(pid_t pid, const Sender& sender) const;
  [[nodiscard]] std::optional<std::string> script_of(pid_t pid) const;
  [[nodiscard]] SenderPtr intern(pid_t pid, identity::ProcessAttributes attributes);

  std::string proc_root_;
  ProgramOf program_of_;
  std::size_t max_senders_;
  identity::CaptureWishes wishes_;
  SenderPtr udp_;
  SenderPtr unknown_;
  std::unordered_map<std::uint64_t, Known> processes_;   // by uid and pid
  std::unordered_map<std::string, SenderPtr> interned_;  // by all of their attributes
};

}  // namespace connscope::ingest
