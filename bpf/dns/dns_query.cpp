// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_query.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/probe.h"
#include "bpf/dns/dns_cells.h"
#include "bpf/dns/dns_labels.h"
#include "bpf/dns/dns_query.skel.h"
#include "bpf/dns/dns_top_names.h"
#include "bpf/packet/handover.h"

namespace connscope::bpf {
namespace {

/// What goes on without them is said in their hooks' comments.
const std::vector<std::string> kOptional = {"on_release", "on_error"};

struct Settings {
  std::vector<std::int64_t> ports;
  std::chrono::milliseconds timeout{};
  std::uint32_t queries = 0;
  std::size_t server_labels = 0;
  std::size_t names = 0;
  NameForm name_form = NameForm::kRegisteredDomain;
  auto operator<=>(const Settings&) const = default;

  static Settings parse(config::Section section) {
    using std::chrono::milliseconds;
    Settings settings;
    settings.ports = section.integers("ports", {53}, 1, 65535);
    settings.timeout = section.duration("timeout", milliseconds(5000), milliseconds(100), milliseconds(60'000));
    settings.queries = static_cast<std::uint32_t>(section.integer("queries", 16384, 8, 1 << 22));
    settings.server_labels = static_cast<std::size_t>(section.integer("server_labels", 0, 0, 1000));
    settings.names = static_cast<std::size_t>(section.integer("names", 0, 0, 1000));
    const std::string form = section.one_of("name_form", "registered_domain", {"registered_domain", "whole"});
    settings.name_form = form == "whole" ? NameForm::kWhole : NameForm::kRegisteredDomain;
    return settings;
  }
};

struct Families {
  DnsCells::Families cells;
  DnsTopNames::Family* names = nullptr;
};

class Dns final : public probe::Probe {
 public:
  Dns(const probe::ProbeContext& context, Settings settings, const Families& families)
      : settings_(std::move(settings)),
        owners_(context.identities),
        labels_(settings_.server_labels),
        cells_(families.cells, owners_, labels_),
        names_(families.names, owners_, settings_.names, settings_.name_form) {}

  [[nodiscard]] std::string_view name() const override { return "dns"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override { cells_.retire(object_, identities); }
  [[nodiscard]] probe::ProbeReport report() const override;

 private:
  void configure(dns_query_bpf& skeleton);
  [[nodiscard]] auto& variables() const { return *object_.variables<dns_query_bpf>(); }
  /// Has the packet programs hand over what goes to or comes from the ports.
  Status take_over();

  Settings settings_;
  Owners owners_;
  DnsLabels labels_;
  DnsCells cells_;
  DnsTopNames names_;
  probe::BpfObject object_;
  Handover packets_{PACKET_DNS};
  bool up_ = false;
};

void Dns::configure(dns_query_bpf& skeleton) {
  skeleton.rodata->timeout_ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(settings_.timeout).count());
  skeleton.rodata->by_server = settings_.server_labels > 0 ? 1 : 0;
  skeleton.rodata->wants_names = settings_.names > 0 ? 1 : 0;
  for (bpf_program* program : {skeleton.progs.dns_egress, skeleton.progs.dns_ingress})
    bpf_program__set_autoattach(program, false);  // the packet programs call them
  bpf_map__set_max_entries(skeleton.maps.queries, settings_.queries);
  bpf_map__set_max_entries(skeleton.maps.askers, settings_.queries);
}

Status Dns::start(const probe::SharedMaps& shared) {
  if (auto found = packets_.find_packet_probe(shared); !found) return found;
  const auto configure = [this](dns_query_bpf& skeleton) { this->configure(skeleton); };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<dns_query_bpf>(configure), shared, kOptional);
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto attached = object_.attach(); !attached) return attached;
  if (auto taken = take_over(); !taken) return taken;
  up_ = true;
  return {};
}

Status Dns::take_over() {
  const auto ports = std::make_unique<port_set>();
  for (const std::int64_t port : settings_.ports) {
    const auto bit = static_cast<std::uint64_t>(port);
    ports->words[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  if (auto told = packets_.tell("packet_ports", ports.get()); !told) return told;
  return packets_.begin(object_, "dns_egress", "dns_ingress");
}

void Dns::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.ports != settings_.ports) section.fail("ports", restart);
  if (wanted.timeout != settings_.timeout) section.fail("timeout", restart);
  if (wanted.queries != settings_.queries) section.fail("queries", restart);
  if (wanted.server_labels != settings_.server_labels) section.fail("server_labels", restart);
  if (wanted.names != settings_.names) section.fail("names", restart);
  if (wanted.name_form != settings_.name_form) section.fail("name_form", restart);
}

void Dns::stop() {
  packets_.end();
  object_.detach();
  up_ = false;
}

/// What is settled without a packet first, then ends before begins, and names before the queries that they are among.
Status Dns::collect(Clock::time_point now) {
  if (object_.map_fd("queries") < 0) return {};  // never started
  variables().visited_queries = 0;
  variables().visited_askers = 0;
  variables().visited_asked = 0;
  for (const auto& [program, map] : {std::pair("visit_queries", "queries"), std::pair("visit_askers", "askers"),
                                     std::pair("visit_asked", "asked_here")})
    if (auto run = object_.run_over_map(program, map); !run) return run.error();
  if (auto learned = labels_.learn_servers(object_.map_fd("dns_servers")); !learned) return learned;
  if (auto read = names_.read(object_); !read) return read;
  if (auto collected = cells_.collect(object_, now); !collected) return collected;
  return settings_.names > 0 ? names_.show(cells_.queries()) : Status();
}

probe::ProbeReport Dns::report() const {
  if (object_.map_fd("queries") < 0) return {};
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  report.maps = cells_.usage(object_);
  report.maps.push_back({"queries", variables().visited_queries, object_.max_entries("queries")});
  report.maps.push_back({"askers", variables().visited_askers, object_.max_entries("askers")});
  report.maps.push_back({"asked_here", variables().visited_asked, object_.max_entries("asked_here")});
  return report;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_dns(const probe::ProbeContext& context, config::Section section) {
  Settings settings = Settings::parse(section);
  auto cells = DnsCells::create_families(context.registry);
  if (!cells) return cells.error();
  auto names = DnsTopNames::create_family(context.registry, settings.names);
  if (!names) return names.error();
  return std::unique_ptr<probe::Probe>(std::make_unique<Dns>(context, std::move(settings), Families{*cells, *names}));
}

}  // namespace connscope::bpf
