// SPDX-License-Identifier: Apache-2.0
//
// From an event of the kernel's to a detail::Connection: numbers become the texts that the families have for them. What
// only the user half knows (time, process, executable) the caller fills in.
//
// No state; any thread. Nothing that an event may hold is an error: what has no name is empty.
#pragma once

#include "agent/detail/connection.h"
#include "bpf/detail/detail.h"

namespace connscope::bpf {

/// Writes into `connection`, whose texts keep their memory: a flood of events allocates nothing.
void fill_connection(const detail_event& event, detail::Connection& connection);

}  // namespace connscope::bpf
