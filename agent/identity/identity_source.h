// SPDX-License-Identifier: Apache-2.0
//
// IdentitySource: the kernel's tables of process identities, as the user half of bpf/process/identity gives them.
// One thread at a time, but for program_of(). Errors are those of the map operations.
#pragma once

#include <array>
#include <cstdint>

#include "agent/base/result.h"
#include "bpf/process/identity.h"

namespace connscope::identity {

using LeftOutCounts = std::array<std::uint64_t, LEFT_OUT_WAYS>;

/// What the kernel half need only find out where somebody asks for it.
struct CaptureWishes {
  bool args = false;
  std::uint32_t interpreters = 0;  ///< bit by `interpreter`: those whose program is wanted

  [[nodiscard]] bool wants(interpreter which) const { return (interpreters >> which & 1U) != 0; }
  friend bool operator==(const CaptureWishes&, const CaptureWishes&) = default;
};

class IdentitySource {
 public:
  virtual ~IdentitySource() = default;

  virtual Result<identity_info> read(std::uint64_t id) = 0;
  /// The id that the process of this number was last seen to have; ENOENT for one that no program has seen.
  virtual Result<std::uint64_t> id_of_process(std::uint32_t pid) = 0;
  /// What the interpreter of this process was given to run at its exec, or its parent's; ENOENT where it is none, or
  /// not known. Any thread.
  [[nodiscard]] virtual Result<identity_program> program_of(std::uint32_t pid) const = 0;
  /// Marks an identity whose processes the programs skip, and why. Takes effect with the next publish().
  virtual Status set_left_out(const identity_key& key, std::uint64_t id, left_out_by by) = 0;
  /// Processes of this key get a new identity from the next publish() on.
  virtual Status forget(const identity_key& key) = 0;
  /// Deletes what is known of an id that nothing uses any more.
  virtual Status erase(std::uint64_t id) = 0;
  /// Makes the programs look at every process anew, and at what is wished for.
  virtual Status publish(const CaptureWishes& wishes) = 0;
  /// How many processes were left out until now, each when it was first looked at after an exec.
  virtual Result<LeftOutCounts> left_out() = 0;
};

}  // namespace connscope::identity
