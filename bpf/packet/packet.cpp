// SPDX-License-Identifier: Apache-2.0
#include "bpf/packet/packet.h"

#include <memory>
#include <utility>

#include "agent/probe/bpf_object.h"
#include "agent/probe/probe.h"
#include "bpf/packet/packet.skel.h"

namespace connscope::bpf {
namespace {

/// The programs that every packet comes by. It has no families: it hands packets on to the probes of protocols.
class Packet final : public probe::Probe {
 public:
  [[nodiscard]] std::string_view name() const override { return "packet"; }

  Status start(const probe::SharedMaps& shared) override {
    auto object = probe::BpfObject::load(probe::BpfObject::opener<packet_bpf>([](packet_bpf&) {}), shared, {});
    if (!object) return object.error();
    object_ = std::move(*object);
    if (auto attached = object_.attach(); !attached) return attached;
    up_ = true;
    return {};
  }
  void check_reload(config::Section /*section*/) const override {}
  void stop() override {
    object_.detach();
    up_ = false;
  }
  Status collect(std::chrono::steady_clock::time_point /*now*/) override { return {}; }
  void retire(const std::vector<std::uint64_t>& /*identities*/) override {}
  [[nodiscard]] probe::ProbeReport report() const override {
    if (!up_) return {};
    return {true, object_.hooks(), object_.program_stats(), {}, {}};
  }
  [[nodiscard]] probe::SharedMaps shared_maps() const override { return up_ ? object_.maps() : probe::SharedMaps{}; }

 private:
  probe::BpfObject object_;
  bool up_ = false;
};

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_packet(const probe::ProbeContext& /*context*/, config::Section /*section*/) {
  return std::unique_ptr<probe::Probe>(std::make_unique<Packet>());
}

}  // namespace connscope::bpf
