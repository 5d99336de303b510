// SPDX-License-Identifier: Apache-2.0
//
// Supervision: what the agent says to the service manager that started it: that it serves, that it reads its config
// anew, that it stops, and, where the manager has a watchdog, that its event loop still turns. Without a manager every
// call does nothing. Whether a message arrived is the manager's affair: nothing here fails but the timer.
//
// Owns its timer, whose descriptor is for the caller's event loop. The collecting thread only. Times are the manager's,
// in microseconds. Source: sd_notify(3), sd_watchdog_enabled(3).
#pragma once

#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::service {

class Supervision {
 public:
  /// Looks at what the manager has left in the environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID).
  static Result<Supervision> create();

  /// Readable when a sign of life is due, twice in each watchdog period; −1 when nobody waits for one.
  [[nodiscard]] int fd() const { return timer_.get(); }
  /// Gives the sign of life. To be called when fd() is readable.
  void tick();

  /// `status` is a line for people, which `systemctl status` shows.
  static void tell_ready(std::string_view status);
  static void tell_reloading();
  static void tell_stopping();

 private:
  UniqueFd timer_;
};

}  // namespace connscope::service
