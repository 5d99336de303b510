// SPDX-License-Identifier: Apache-2.0
//
// For the user halves of probes that see a part of attempts before or after the connect.
#pragma once

#include "agent/probe/probe.h"

namespace connscope::bpf {

/// Whether attempts are followed: by the probe of that name, and by the probe tcp, without which none would ever
/// succeed.
inline bool follows_attempts(const probe::SharedMaps& shared) {
  return shared.count("attempts") != 0 && shared.count("sockets") != 0;
}

}  // namespace connscope::bpf
