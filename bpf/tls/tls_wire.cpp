// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/probe.h"
#include "bpf/attempt/attempt_maps.h"
#include "bpf/packet/handover.h"
#include "bpf/tls/tls_cells.h"
#include "bpf/tls/tls_labels.h"
#include "bpf/tls/tls_wire.skel.h"
#include "bpf/tls/unknown_libraries.h"

namespace connscope::bpf {
namespace {

struct Settings {
  std::uint32_t handshakes = 0;
  std::uint32_t sessions = 0;
  bool cipher_labels = false;
  std::size_t host_labels = 0;
  auto operator<=>(const Settings&) const = default;

  static Settings parse(config::Section section) {
    Settings settings;
    settings.handshakes = static_cast<std::uint32_t>(section.integer("handshakes", 16384, 8, 1 << 22));
    settings.sessions = static_cast<std::uint32_t>(section.integer("sessions", 16384, 8, 1 << 22));
    settings.cipher_labels = section.flag("cipher_labels", false);
    settings.host_labels = static_cast<std::size_t>(section.integer("host_labels", 0, 0, 1000));
    return settings;
  }
};

class Tls final : public probe::Probe {
 public:
  Tls(const probe::ProbeContext& context, const Settings& settings, const TlsCells::Families& families,
      UnknownLibraries::Family* unknown)
      : settings_(settings),
        owners_(context.identities),
        libraries_(context.libraries),
        labels_(settings.cipher_labels, settings.host_labels),
        cells_(families, owners_, labels_),
        unknown_(unknown, owners_, context.libraries) {}

  [[nodiscard]] std::string_view name() const override { return "tls"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override;
  [[nodiscard]] probe::ProbeReport report() const override;
  [[nodiscard]] probe::SharedMaps shared_maps() const override { return up_ ? object_.maps() : probe::SharedMaps{}; }

 private:
  void configure(tls_wire_bpf& skeleton);
  [[nodiscard]] auto& variables() const { return *object_.variables<tls_wire_bpf>(); }

  Settings settings_;
  Owners owners_;
  const probe::LibraryWatch& libraries_;
  TlsLabels labels_;
  TlsCells cells_;
  UnknownLibraries unknown_;
  probe::BpfObject object_;
  Handover packets_{PACKET_TLS};
  bool follows_attempts_ = false;
  bool up_ = false;
};

void Tls::configure(tls_wire_bpf& skeleton) {
  skeleton.rodata->follows_attempts = follows_attempts_ ? 1 : 0;
  skeleton.rodata->libraries_speak = libraries_.hears_tls() ? 1 : 0;
  skeleton.rodata->by_cipher = settings_.cipher_labels ? 1 : 0;
  skeleton.rodata->wants_hosts = settings_.host_labels > 0 ? 1 : 0;
  for (bpf_program* program : {skeleton.progs.tls_egress, skeleton.progs.tls_ingress})
    bpf_program__set_autoattach(program, false);  // the packet programs call them
  bpf_map__set_max_entries(skeleton.maps.handshakes, settings_.handshakes);
  bpf_map__set_max_entries(skeleton.maps.tls_sessions, settings_.sessions);
}

Status Tls::start(const probe::SharedMaps& shared) {
  if (auto found = packets_.find_packet_probe(shared); !found) return found;
  follows_attempts_ = follows_attempts(shared);
  const auto configure = [this](tls_wire_bpf& skeleton) { this->configure(skeleton); };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<tls_wire_bpf>(configure), shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto attached = object_.attach(); !attached) return attached;
  if (auto begun = packets_.begin(object_, "tls_egress", "tls_ingress"); !begun) return begun;
  const std::uint32_t is_open = 1;
  if (auto told = packets_.tell("packet_gates", &is_open); !told) return told;
  up_ = true;
  return {};
}

void Tls::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.handshakes != settings_.handshakes) section.fail("handshakes", restart);
  if (wanted.sessions != settings_.sessions) section.fail("sessions", restart);
  if (wanted.cipher_labels != settings_.cipher_labels) section.fail("cipher_labels", restart);
  if (wanted.host_labels != settings_.host_labels) section.fail("host_labels", restart);
}

void Tls::stop() {
  const std::uint32_t is_open = 0;
  if (up_) static_cast<void>(packets_.tell("packet_gates", &is_open));  // closed or not, nobody is behind it
  packets_.end();
  object_.detach();
  up_ = false;
}

/// What is settled without a packet first. Sessions after the handshakes that they may explain.
Status Tls::collect(Clock::time_point now) {
  if (object_.map_fd("handshakes") < 0) return {};  // never started
  variables().visited_handshakes = 0;
  variables().visited_sessions = 0;
  for (const auto& [program, map] :
       {std::pair("visit_handshakes", "handshakes"), std::pair("visit_sessions", "tls_sessions")})
    if (auto run = object_.run_over_map(program, map); !run) return run.error();
  if (auto learned = labels_.learn_hosts(object_.map_fd("tls_hosts")); !learned) return learned;
  if (auto judged = unknown_.collect(object_.map_fd("tls_strangers"), now); !judged) return judged;
  return cells_.collect(object_, now);
}

void Tls::retire(const std::vector<std::uint64_t>& identities) {
  cells_.retire(object_, identities);
  unknown_.retire(identities);
}

probe::ProbeReport Tls::report() const {
  if (object_.map_fd("handshakes") < 0) return {};
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  report.maps = cells_.usage(object_);
  report.maps.push_back({"handshakes", variables().visited_handshakes, object_.max_entries("handshakes")});
  report.maps.push_back({"tls_strangers", unknown_.entries(), object_.max_entries("tls_strangers")});
  report.maps.push_back({"tls_sessions", variables().visited_sessions, object_.max_entries("tls_sessions")});
  return report;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_tls(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  auto families = TlsCells::create_families(context.registry);
  if (!families) return families.error();
  auto unknown = UnknownLibraries::create_family(context.registry);
  if (!unknown) return unknown.error();
  return std::unique_ptr<probe::Probe>(std::make_unique<Tls>(context, settings, *families, *unknown));
}

}  // namespace connscope::bpf
