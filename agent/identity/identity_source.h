// SPDX-License-Identifier: Apache-2.0
//
// IdentitySource: the kernel's tables of process identities, as the user half of bpf/process/identity gives them.
// One thread at a time. Errors are those of the map operations.
#pragma once

#include <cstdint>

#include "agent/base/result.h"
#include "bpf/process/identity.h"

namespace connscope::identity {

class IdentitySource {
 public:
  virtual ~IdentitySource() = default;

  virtual Result<identity_info> read(std::uint64_t id) = 0;
  /// The id that the process of this number was last seen to have; ENOENT for one that no program has seen.
  virtual Result<std::uint64_t> id_of_process(std::uint32_t pid) = 0;
  /// Marks an identity whose processes the programs skip. Takes effect with the next publish().
  virtual Status set_ignored(const identity_key& key, std::uint64_t id, bool ignored) = 0;
  /// Processes of this key get a new identity from the next publish() on.
  virtual Status forget(const identity_key& key) = 0;
  /// Deletes what is known of an id that nothing uses any more.
  virtual Status erase(std::uint64_t id) = 0;
  /// Makes the programs look at every process anew; with `wants_args`, at its arguments too.
  virtual Status publish(bool wants_args) = 0;
};

}  // namespace connscope::identity
