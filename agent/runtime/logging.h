// SPDX-License-Identifier: Apache-2.0
//
// The log: spdlog's default logger on stderr, one line an entry whatever the message has in it. Forms:
//
//   text      2026-01-31T12:00:00.123Z info message            (colours only on a terminal)
//   json      {"time":"2026-01-31T12:00:00.123Z","level":"info","message":"message"}
//   journal   <6>message                                       (text, when stderr is systemd's journal)
//
// With json under the journal the priority stands before the object, where journald takes it off.
// Source: sd-daemon(3) on priorities, systemd.exec(5) on JOURNAL_STREAM, RFC 3339 on the time (UTC).
// Threads: both functions from one thread, at start and reload; spdlog::info and its like from any.
#pragma once

#include "agent/config/options.h"

namespace connscope::runtime {

/// Looks at stderr once: what it is and whether it is the journal is decided here.
void set_up_logging(config::LogLevel level, config::LogFormat format);

void set_log_level(config::LogLevel level);

}  // namespace connscope::runtime
