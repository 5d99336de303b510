// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/tcp.h"

#include <bpf/bpf.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <charconv>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/netns_processes.h"
#include "agent/probe/probe.h"
#include "agent/probe/trampoline.h"
#include "bpf/tcp/connect_cells.h"
#include "bpf/tcp/life_cells.h"
#include "bpf/tcp/listeners.h"
#include "bpf/tcp/tcp.skel.h"
#include "bpf/tcp/tcp_audit.h"
#include "bpf/tcp/tcp_labels.h"

namespace connscope::bpf {
namespace {

constexpr const char* kAcceptFunction = "inet_csk_accept";
/// What goes on without them is said in their hooks' comments.
const std::vector<std::string> kOptional = {
    "on_error",       "on_sockops",      "on_connect_fexit", "on_accept_fexit", "on_accept_fexit4", "on_connect_exit",
    "on_accept_exit", "on_accept4_exit", "visit_sockets",    "visit_listeners", "take_up_sockets"};

struct Settings {
  std::uint32_t sockets;
  std::uint32_t cells;
  bool calls;
  std::size_t listener_labels;
  std::size_t netns_labels;

  static Settings parse(config::Section section) {
    return {static_cast<std::uint32_t>(section.integer("sockets", 65536, 8, 1 << 22)),
            static_cast<std::uint32_t>(section.integer("cells", 16384, 8, 1 << 22)), section.flag("calls", true),
            static_cast<std::size_t>(section.integer("listener_labels", 0, 0, 100'000)),
            static_cast<std::size_t>(section.integer("netns_labels", 0, 0, 100'000))};
  }
};

struct Families {
  ConnectCells::Families connects;
  LifeCells::Families lives;
  Listeners::Families listeners;
  metrics::Family<metrics::Gauge>* audit = nullptr;

  static Result<Families> create(metrics::Registry& registry) {
    auto connects = ConnectCells::create_families(registry);
    if (!connects) return connects.error();
    auto lives = LifeCells::create_families(registry);
    if (!lives) return lives.error();
    auto listeners = Listeners::create_families(registry);
    if (!listeners) return listeners.error();
    auto audit = TcpAudit::create_family(registry);
    if (!audit) return audit.error();
    return Families{*connects, *lives, *listeners, *audit};
  }
};

/// The programs that tell what connect and accept return, one set for each way to hang them.
std::vector<probe::Variant> variants_of_calls() {
  return {{"fentry",
           {"on_connect_fexit", "on_accept_fexit", "on_accept_fexit4"},
           probe::trampoline_refusal(kAcceptFunction)},
          {"tracepoint", {"on_connect_exit", "on_accept_exit", "on_accept4_exit"}, ""}};
}

/// Since 7.0 a process may be preempted in a program on a tracepoint, which then skips all others on that CPU.
bool tracepoints_are_preemptible() {
  utsname name{};
  int major = 0;
  return ::uname(&name) == 0 &&
         std::from_chars(std::begin(name.release), std::end(name.release), major).ec == std::errc() && major >= 7;
}

std::uint64_t now_us() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

class Tcp final : public probe::Probe {
 public:
  Tcp(const probe::ProbeContext& context, Settings settings, const Families& families, std::uint32_t netns)
      : settings_(settings),
        own_netns_(netns),
        netns_(netns),
        labels_(context.identities, settings.netns_labels, settings.listener_labels),
        connects_(families.connects, labels_),
        lives_(families.lives, labels_),
        listeners_(families.listeners, labels_, netns_),
        audit_(families.audit, netns, netns_) {}

  [[nodiscard]] std::string_view name() const override { return "tcp"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override;
  [[nodiscard]] probe::ProbeReport report() const override;
  /// What is open, for whoever sees more of its attempt.
  [[nodiscard]] probe::SharedMaps shared_maps() const override {
    return up_ ? probe::SharedMaps{{"sockets", object_.map_fd("sockets")}} : probe::SharedMaps{};
  }

 private:
  void configure(tcp_bpf& skeleton);
  Status attach();
  [[nodiscard]] auto& variables() const { return *object_.variables<tcp_bpf>(); }
  /// Finds the sockets that are open already: listeners first, since a connection's role is told by them.
  Status take_up();
  /// Runs the pass over what is open. True: it has found ends that nobody had told.
  Result<bool> pass();

  Settings settings_;
  std::uint32_t own_netns_;
  probe::NetnsProcesses netns_;
  TcpLabels labels_;
  ConnectCells connects_;
  LifeCells lives_;
  Listeners listeners_;
  TcpAudit audit_;
  probe::BpfObject object_;
  int accept_parameters_ = 0;
  bool follows_attempts_ = false;
  bool up_ = false;
};

void Tcp::configure(tcp_bpf& skeleton) {
  skeleton.rodata->own_netns = own_netns_;
  skeleton.rodata->loaded_us = now_us();
  skeleton.rodata->follows_attempts = follows_attempts_ ? 1 : 0;
  skeleton.rodata->by_port = settings_.listener_labels > 0 ? 1 : 0;
  // The function got another list of parameters with 6.10.
  const bool four = accept_parameters_ == 4;
  bpf_program__set_autoload(four ? skeleton.progs.on_accept_fexit : skeleton.progs.on_accept_fexit4, false);
  bpf_program__set_autoload(skeleton.progs.on_sockops, tracepoints_are_preemptible());
  bpf_map__set_max_entries(skeleton.maps.sockets, settings_.sockets);
  for (bpf_map* cells : {skeleton.maps.connect_ended, skeleton.maps.tcp_closed, skeleton.maps.tcp_durations})
    bpf_map__set_max_entries(cells, settings_.cells);
}

Status Tcp::start(const probe::SharedMaps& shared) {
  const auto configure = [this](tcp_bpf& skeleton) { this->configure(skeleton); };
  follows_attempts_ = shared.count("attempts") != 0;
  auto variants = variants_of_calls();
  if (!settings_.calls)
    for (auto& variant : variants) variant.refusal = "switched off by the config";
  // Asked only where it decides something: the kernel's BTF is some megabytes to read.
  if (variants.front().refusal.empty()) accept_parameters_ = probe::parameter_count(kAcceptFunction);
  auto object = probe::BpfObject::load(probe::BpfObject::opener<tcp_bpf>(configure), shared, kOptional, variants);
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto attached = attach(); !attached) return attached;
  up_ = true;
  return take_up();
}

/// What opens is told by on_sockops from the moment that it may run, or by on_state.
Status Tcp::attach() {
  variables().opens_by_sockops = object_.program_fd("on_sockops") >= 0 ? 1 : 0;
  auto attached = object_.attach();
  variables().opens_by_sockops = object_.is_attached("on_sockops") ? 1 : 0;
  return attached;
}

Status Tcp::take_up() {
  for (const bool listeners : {true, false}) {
    variables().takes_listeners = listeners ? 1 : 0;
    if (auto run = object_.run_iterator("take_up_sockets"); !run) return run.error();
  }
  return {};
}

void Tcp::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.sockets != settings_.sockets) section.fail("sockets", restart);
  if (wanted.cells != settings_.cells) section.fail("cells", restart);
  if (wanted.calls != settings_.calls) section.fail("calls", restart);
  if (wanted.listener_labels != settings_.listener_labels) section.fail("listener_labels", restart);
  if (wanted.netns_labels != settings_.netns_labels) section.fail("netns_labels", restart);
}

void Tcp::stop() {
  object_.detach();
  up_ = false;
}

Result<bool> Tcp::pass() {
  const std::uint64_t settled = variables().settled;
  ++variables().pass;
  variables().visited = 0;
  if (auto run = object_.run_over_map("visit_sockets", "sockets"); !run) return run.error();
  return variables().settled != settled;
}

/*
 * The order makes every scrape add up. What closed before what opened, ends before begins: whatever has ended had begun
 * before. And what closed connections have carried before the pass over the open ones: see life_cells.h.
 */
Status Tcp::collect(Clock::time_point now) {
  if (object_.map_fd("sockets") < 0) return {};  // never started
  // A pass that has found ends is done once more, so that these show at once.
  for (int times = 0; times < 2; ++times) {
    if (auto drained = lives_.drain_closed(object_, now); !drained) return drained;
    const auto settled = pass();
    if (!settled) return settled.error().context("sockets");
    if (!*settled) break;
  }
  if (auto read = lives_.read_live(object_, variables().pass); !read) return read;
  auto reports = object_.run_over_map("visit_listeners", "listeners");
  if (!reports) return reports.error().context("listeners");
  if (auto shown = listeners_.collect(*reports, lives_.rare(), now); !shown) return shown;
  if (auto drained = lives_.drain_durations(object_, now); !drained) return drained;
  auto drained = connects_.collect(
      object_, [this](std::uint64_t identity, std::uint64_t count) { lives_.opened(identity, count); },
      [&](std::uint64_t identity, std::uint64_t count) { return lives_.retransmitted(identity, count, now); }, now);
  if (!drained) return drained;
  if (auto shown = lives_.show(now); !shown) return shown;
  return audit_.collect(object_, now);
}

void Tcp::retire(const std::vector<std::uint64_t>& identities) {
  connects_.retire(object_, identities);
  lives_.retire(object_, identities);
  listeners_.retire(identities);
}

probe::ProbeReport Tcp::report() const {
  if (object_.map_fd("sockets") < 0) return {};
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  report.maps = {{"sockets", variables().visited, object_.max_entries("sockets")},
                 {"listeners", listeners_.size(), object_.max_entries("listeners")},
                 {"audit_elsewhere", audit_.namespaces(), object_.max_entries("audit_elsewhere")}};
  for (const auto& part : {connects_.usage(object_), lives_.usage(object_)})
    report.maps.insert(report.maps.end(), part.begin(), part.end());
  return report;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_tcp(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  auto families = Families::create(context.registry);
  if (!families) return families.error();
  struct stat netns {};
  if (::stat("/proc/self/ns/net", &netns) != 0) return Error::from_errno("/proc/self/ns/net", errno);
  return std::unique_ptr<probe::Probe>(
      std::make_unique<Tcp>(context, settings, *families, static_cast<std::uint32_t>(netns.st_ino)));
}

}  // namespace connscope::bpf
