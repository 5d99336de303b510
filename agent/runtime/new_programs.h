// SPDX-License-Identifier: Apache-2.0
//
// NewPrograms: has processes that execute a file looked at for libraries as soon as they have them, so that what a
// library says of their first connections is heard too. At rest it costs nothing; in a storm of execs, one look at a
// few processes every 50 ms, while the rest waits. The collecting thread only.
#pragma once

#include <chrono>
#include <memory>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/probe/identity_probe.h"
#include "agent/probe/library_watch.h"
#include "agent/probe/look_schedule.h"
#include "agent/runtime/event_loop.h"

namespace connscope::runtime {

class NewPrograms {
 public:
  /// All of these outlive it; `source` has started, and `loop` is not run any more once it is gone.
  static Result<std::unique_ptr<NewPrograms>> start(probe::IdentityProbe& source, probe::LibraryWatch& libraries,
                                                    EventLoop& loop);

 private:
  using Clock = std::chrono::steady_clock;
  NewPrograms(probe::IdentityProbe& source, probe::LibraryWatch& libraries) : source_(source), libraries_(libraries) {}
  Status watch(EventLoop& loop);
  void take();
  void look();
  /// Has the timer call look(), or the next exec.
  void wait();

  probe::IdentityProbe& source_;
  probe::LibraryWatch& libraries_;
  probe::LookSchedule schedule_{1024};
  UniqueFd timer_;
};

}  // namespace connscope::runtime
