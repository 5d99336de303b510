// SPDX-License-Identifier: Apache-2.0
//
// For the user halves of probes that see parts of attempts: whether their object tells of them, which it does when it is given the
// maps of the probe `attempt`.
#pragma once

#include <bpf/libbpf.h>

namespace connscope::bpf {

/// Before the load. An object that does not follow attempts keeps its maps of them as small as maps can be.
template <class Skeleton>
void follow_attempts(Skeleton& skeleton, bool follows) {
  constexpr unsigned kLeastEntries = 8;
  skeleton.rodata->follows_attempts = follows ? 1 : 0;
  if (follows) return;
  for (bpf_map* map : {skeleton.maps.attempts, skeleton.maps.attempt_answers, skeleton.maps.attempt_ended})
    bpf_map__set_max_entries(map, kLeastEntries);
}

}  // namespace connscope::bpf
