// SPDX-License-Identifier: Apache-2.0
#include "bpf/packet/handover.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <utility>

namespace connscope::bpf {
namespace {

constexpr const char* kEgress = "packet_egress";
constexpr const char* kIngress = "packet_ingress";

}  // namespace

Status Handover::find_packet_probe(const probe::SharedMaps& shared) {
  if (shared.count(kEgress) == 0) return Error("the packet probe, which it needs, is off");
  maps_ = shared;
  return {};
}

Status Handover::tell(const char* map, const void* value) const {
  if (bpf_map_update_elem(maps_.at(map), &protocol_, value, BPF_ANY) != 0) return Error::from_errno(map, errno);
  return {};
}

Status Handover::begin(probe::BpfObject& object, const char* egress, const char* ingress) {
  for (const auto& [map, program] : {std::pair(kEgress, egress), std::pair(kIngress, ingress)}) {
    const char* programs = map;
    auto installed = object.attach_by(program, [&](int fd) { return tell(programs, &fd); });
    if (!installed) return installed;
  }
  is_on_ = true;
  return {};
}

void Handover::end() {
  if (is_on_)
    for (const char* map : {kEgress, kIngress}) bpf_map_delete_elem(maps_.at(map), &protocol_);
  is_on_ = false;
}

}  // namespace connscope::bpf
