// SPDX-License-Identifier: Apache-2.0
//
// Handover: has the packet programs hand the packets of one protocol over to the programs of its probe. The descriptors
// are the packet probe's, which outlives that probe's programs. Owned by the probe; the collecting thread only.
#pragma once

#include <cstdint>

#include "agent/probe/bpf_object.h"
#include "agent/probe/probe.h"
#include "bpf/packet/packet.h"

namespace connscope::bpf {

class Handover {
 public:
  explicit Handover(packet_protocol protocol) : protocol_(protocol) {}

  /// An error: the packet probe is off.
  Status find_packet_probe(const probe::SharedMaps& shared);
  /// `egress` and `ingress` are programs of `object`.
  Status begin(probe::BpfObject& object, const char* egress, const char* ingress);
  void end();
  /// Sets what the protocol has in one of the packet probe's maps.
  Status tell(const char* map, const void* value) const;

 private:
  std::uint32_t protocol_;
  probe::SharedMaps maps_;
  bool is_on_ = false;
};

}  // namespace connscope::bpf
