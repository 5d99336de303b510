// SPDX-License-Identifier: Apache-2.0
//
// IdentityProbe: the probe that owns the kernel's process identities. It starts before all others, which share its
// maps.
#pragma once

#include "agent/identity/identity_source.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/probe.h"

namespace connscope::probe {

class IdentityProbe : public Probe, public identity::IdentitySource {
 public:
  /// Readable (epoll) when there are new identities; -1 until the probe has started.
  [[nodiscard]] virtual int news_fd() const = 0;
  /// The identities that came up since the last call.
  virtual std::vector<std::uint64_t> take_news() = 0;

  /// Readable (epoll) at the first exec after await_exec(); -1 until the probe has started.
  [[nodiscard]] virtual int execs_fd() const = 0;
  /// The processes that executed a file since the last call. Those that come in too large a number are left out.
  virtual std::vector<std::uint32_t> take_execs() = 0;
  virtual void await_exec() = 0;
};

}  // namespace connscope::probe
