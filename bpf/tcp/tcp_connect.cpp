// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/tcp_connect.h"

#include <bpf/bpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <utility>

#include "agent/base/file.h"
#include "agent/probe/audit.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "agent/probe/probe.h"
#include "bpf/tcp/tcp_connect.skel.h"

namespace connscope::bpf {
namespace {

using metrics::Counter;
using metrics::Family;
using metrics::Gauge;
using metrics::Histogram;

constexpr std::array<const char*, CONNECT_FAMILIES> kFamilyNames = {"ipv4", "ipv6"};
constexpr std::array<const char*, CONNECT_OUTCOMES> kReasons = {
    "",       "refused",          "timeout",     "host_unreachable", "net_unreachable", "reset",
    "denied", "addr_unavailable", "addr_in_use", "other_errno",      "aborted"};
constexpr std::array<const char*, AUDIT_COUNTERS> kAuditNames = {"active_opens", "attempt_fails"};
constexpr std::array<const char*, AUDIT_COUNTERS> kSnmpNames = {"ActiveOpens", "AttemptFails"};
constexpr auto kAuditWindow = std::chrono::seconds(60);
/// How long attempts are looked through after a skipped run: those that may just have begun are left for the next time.
constexpr auto kSettleTime = std::chrono::seconds(30);
constexpr double kNsPerSecond = 1e9;

using Clock = std::chrono::steady_clock;

struct Settings {
  std::uint32_t attempts;
  std::uint32_t cells;
  bool calls;

  static Settings parse(config::Section section) {
    return {static_cast<std::uint32_t>(section.integer("attempts", 65536, 8, 1 << 22)),
            static_cast<std::uint32_t>(section.integer("cells", 16384, 8, 1 << 22)), section.flag("calls", true)};
  }
};

struct Families {
  Family<Histogram>* duration;
  Family<Counter>* connects;
  Family<Gauge>* in_flight;
  Family<Counter>* failures;
  Family<Gauge>* audit;

  static Result<Families> create(metrics::Registry& registry) {
    const auto layout = metrics::BucketLayout::exponential(LATENCY_SCHEMA, LATENCY_FIRST, LATENCY_LAST, 4);
    auto duration =
        registry.family<Histogram>({"conn_tcp_connect_duration_seconds",
                                    "Active opens that ended: from the first SYN to established, or to failure.",
                                    "seconds",
                                    {"process", "ip_family", "outcome"},
                                    "process"},
                                   layout);
    auto connects = registry.family<Counter>(
        {"conn_tcp_connects", "Active opens that were begun.", "", {"process", "ip_family"}, "process"});
    auto in_flight = registry.family<Gauge>(
        {"conn_tcp_connects_in_flight", "Active opens begun and not ended.", "", {"process"}, "process"});
    auto failures = registry.family<Counter>({"conn_failures",
                                              "Failures of connections, each under one stage and reason.",
                                              "",
                                              {"process", "role", "stage", "reason"},
                                              "process"});
    auto audit = registry.family<Gauge>(
        {"connscope_audit_observed_ratio",
         "Events seen by the probes per event counted by the kernel, in the agent's network namespace over the last "
         "minute; NaN when there was none.",
         "ratio",
         {"counter"},
         ""});
    if (!duration) return duration.error();
    if (!connects) return connects.error();
    if (!in_flight) return in_flight.error();
    if (!failures) return failures.error();
    if (!audit) return audit.error();
    return Families{*duration, *connects, *in_flight, *failures, *audit};
  }
};

/// The series of one process label, resolved once. All of them exist from the first on, at zero.
struct ProcessSeries {
  std::array<Counter*, CONNECT_FAMILIES> connects{};
  std::array<std::array<Histogram*, 2>, CONNECT_FAMILIES> durations{};  // [family][failed]
  std::array<Counter*, CONNECT_OUTCOMES> failures{};                    // [CONNECT_OK] stays empty
  Gauge* in_flight = nullptr;

  static Result<std::unique_ptr<ProcessSeries>> create(const Families& families, const std::string& process) {
    auto series = std::make_unique<ProcessSeries>();
    for (std::size_t family = 0; family < CONNECT_FAMILIES; ++family) {
      auto connects = families.connects->with({process, kFamilyNames[family]});
      auto ok = families.duration->with({process, kFamilyNames[family], "ok"});
      auto fail = families.duration->with({process, kFamilyNames[family], "fail"});
      if (!connects || !ok || !fail) return (!connects ? connects.error() : !ok ? ok.error() : fail.error());
      series->connects[family] = *connects;
      series->durations[family] = {*ok, *fail};
    }
    for (std::size_t outcome = CONNECT_OK + 1; outcome < CONNECT_OUTCOMES; ++outcome) {
      auto failures = families.failures->with({process, "client", "tcp", kReasons[outcome]});
      if (!failures) return failures.error();
      series->failures[outcome] = *failures;
    }
    auto in_flight = families.in_flight->with({process});
    if (!in_flight) return in_flight.error();
    series->in_flight = *in_flight;
    return series;
  }
};

/// What has been read of one identity so far.
struct IdentityState {
  struct PerFamily {
    connect_begun begun{};
    std::uint64_t ended = 0;
    [[nodiscard]] std::uint64_t in_flight() const {
      const std::uint64_t gone = ended + begun.ends_lost;
      return begun.attempts > gone ? begun.attempts - gone : 0;
    }
  };
  ProcessSeries* series = nullptr;  // none: a rule excludes the process
  std::uint64_t generation = ~std::uint64_t{0};
  std::array<PerFamily, CONNECT_FAMILIES> families{};
};

class TcpConnect final : public probe::Probe {
 public:
  TcpConnect(const probe::ProbeContext& context, Settings settings, Families families)
      : identities_(context.identities), settings_(settings), families_(families) {}

  [[nodiscard]] std::string_view name() const override { return "tcp_connect"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override;
  [[nodiscard]] probe::ProbeReport report() const override;

 private:
  Result<IdentityState*> state_of(std::uint64_t identity, Clock::time_point now);
  Status drain_ended(Clock::time_point now);
  Status drain_begun(Clock::time_point now);
  Status add_ended(const connect_ended_key& key, const connect_ended& sum, Clock::time_point now);
  Status add_begun(const connect_begun_key& key, const connect_begun& sum, Clock::time_point now);
  void show_in_flight(Clock::time_point now);
  /// When the kernel has skipped a run, looks for attempts whose end was missed by it.
  Status settle_skipped(Clock::time_point now);
  Status run_audit(Clock::time_point now);

  identity::IdentityTable& identities_;
  Settings settings_;
  Families families_;
  probe::BpfObject object_;
  bool up_ = false;
  std::uint64_t skipped_ = 0;  // runs that the kernel had skipped at the last collect
  Clock::time_point settle_until_{};
  probe::MapDrain<connect_ended_key, connect_ended> ended_drain_;
  probe::MapDrain<connect_begun_key, connect_begun> begun_drain_;
  probe::CellMap<connect_ended_key, connect_ended> ended_;
  std::unordered_map<std::uint64_t, IdentityState> states_;
  std::unordered_map<std::string, std::unique_ptr<ProcessSeries>> processes_;
  std::unordered_map<Gauge*, std::uint64_t> in_flight_;
  std::array<probe::AuditWindow, AUDIT_COUNTERS> audit_{probe::AuditWindow(kAuditWindow),
                                                        probe::AuditWindow(kAuditWindow)};
};

Status TcpConnect::start(const probe::SharedMaps& shared) {
  struct stat netns {};
  if (::stat("/proc/self/ns/net", &netns) != 0) return Error::from_errno("/proc/self/ns/net", errno);
  const auto configure = [this, &netns](tcp_connect_bpf& skeleton) {
    skeleton.rodata->own_netns = static_cast<std::uint32_t>(netns.st_ino);
    bpf_map__set_max_entries(skeleton.maps.attempts, settings_.attempts);
    bpf_map__set_max_entries(skeleton.maps.connect_ended, settings_.cells);
    bpf_program__set_autoload(skeleton.progs.on_connect_exit, settings_.calls);
  };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<tcp_connect_bpf>(configure), shared,
                                       {"on_connect_exit", "on_error", "settle_skipped"});
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto attached = object_.attach(); !attached) return attached;
  up_ = true;
  return {};
}

void TcpConnect::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.attempts != settings_.attempts) section.fail("attempts", restart);
  if (wanted.cells != settings_.cells) section.fail("cells", restart);
  if (wanted.calls != settings_.calls) section.fail("calls", restart);
}

void TcpConnect::stop() {
  object_.detach();
  up_ = false;
}

Status TcpConnect::collect(Clock::time_point now) {
  if (object_.map_fd("connect_ended") < 0) return {};  // never started
  if (auto settled = settle_skipped(now); !settled) return settled.error().context("attempts");
  // Ends before begins: whatever has ended had begun before, so no scrape can show more ends than begins.
  if (auto drained = drain_ended(now); !drained) return drained.error().context("connect_ended");
  if (auto drained = drain_begun(now); !drained) return drained.error().context("connect_begun");
  show_in_flight(now);
  return run_audit(now);
}

Result<IdentityState*> TcpConnect::state_of(std::uint64_t identity, Clock::time_point now) {
  IdentityState& state = states_[identity];
  identities_.touch(identity, now);
  if (state.generation == identities_.generation()) return &state;
  const identity::ProcessLabel& label = identities_.label_of(identity);
  state.series = nullptr;
  if (label.captured) {
    auto& series = processes_[label.prefix];
    if (!series) {
      auto created = ProcessSeries::create(families_, label.prefix);
      if (!created) return created.error();
      series = std::move(*created);
    }
    state.series = series.get();
  }
  state.generation = identities_.generation();
  return &state;
}

Status TcpConnect::drain_ended(Clock::time_point now) {
  Status outcome;
  auto read = ended_drain_.read(object_.map_fd("connect_ended"), [&](const auto& key, const auto& sum) {
    if (auto added = add_ended(key, sum, now); !added) outcome = added;
  });
  return read ? outcome : read;
}

Status TcpConnect::drain_begun(Clock::time_point now) {
  Status outcome;
  auto read = begun_drain_.read(object_.map_fd("connect_begun"), [&](const auto& key, const auto& sum) {
    if (auto added = add_begun(key, sum, now); !added) outcome = added;
  });
  return read ? outcome : read;
}

Status TcpConnect::add_ended(const connect_ended_key& key, const connect_ended& sum, Clock::time_point now) {
  connect_ended& seen = ended_[key];
  const connect_ended news{sum.count - seen.count, sum.sum_ns - seen.sum_ns};
  if (news.count == 0 && news.sum_ns == 0) return {};
  seen = sum;
  if (key.family >= CONNECT_FAMILIES || key.outcome >= CONNECT_OUTCOMES || key.bucket >= LATENCY_BUCKETS)
    return Error("a cell that no program writes");
  auto state = state_of(key.identity, now);
  if (!state) return state.error();
  (*state)->families[key.family].ended += news.count;
  const ProcessSeries* series = (*state)->series;
  if (series == nullptr) return {};
  const bool failed = key.outcome != CONNECT_OK;
  series->durations[key.family][failed ? 1 : 0]->add(key.bucket, news.count,
                                                     static_cast<double>(news.sum_ns) / kNsPerSecond);
  if (failed) series->failures[key.outcome]->add(std::uint64_t{news.count});
  return {};
}

Status TcpConnect::add_begun(const connect_begun_key& key, const connect_begun& sum, Clock::time_point now) {
  if (key.family >= CONNECT_FAMILIES) return Error("a cell that no program writes");
  const auto known = states_.find(key.identity);
  if (known != states_.end()) {
    const connect_begun& seen = known->second.families[key.family].begun;
    if (seen.attempts == sum.attempts && seen.ends_lost == sum.ends_lost) return {};
  }
  auto state = state_of(key.identity, now);
  if (!state) return state.error();
  connect_begun& seen = (*state)->families[key.family].begun;
  if ((*state)->series != nullptr)
    (*state)->series->connects[key.family]->add(std::uint64_t{sum.attempts - seen.attempts});
  seen = sum;
  return {};
}

void TcpConnect::show_in_flight(Clock::time_point now) {
  for (const auto& [process, series] : processes_) in_flight_[series->in_flight] = 0;
  for (auto& [identity, state] : states_) {
    std::uint64_t count = 0;
    for (const auto& family : state.families) count += family.in_flight();
    if (count == 0) continue;
    auto current = state_of(identity, now);  // keeps the identity from being retired, and follows changed rules
    if (current && (*current)->series != nullptr) in_flight_[(*current)->series->in_flight] += count;
  }
  for (const auto& [gauge, count] : in_flight_) gauge->set(count);
}

Status TcpConnect::settle_skipped(Clock::time_point now) {
  std::uint64_t skipped = 0;
  for (const auto& program : object_.program_stats()) skipped += program.skipped;
  if (std::exchange(skipped_, skipped) != skipped) settle_until_ = now + kSettleTime;
  return now < settle_until_ ? object_.run_over_map("settle_skipped", "attempts") : Status();
}

Status TcpConnect::run_audit(Clock::time_point now) {
  const auto snmp = read_file("/proc/self/net/snmp");
  if (!snmp) return snmp.error();
  for (std::uint32_t counter = 0; counter < AUDIT_COUNTERS; ++counter) {
    const auto counted = probe::snmp_tcp_counter(*snmp, kSnmpNames[counter]);
    if (!counted) return counted.error();
    const auto observed = probe::read_counter(object_.map_fd("connect_audit"), counter);
    if (!observed) return observed.error();
    audit_[counter].add(now, *observed, *counted);
    auto gauge = families_.audit->with({kAuditNames[counter]});
    if (!gauge) return gauge.error();
    (*gauge)->set(audit_[counter].ratio().value_or(std::nan("")));
  }
  return {};
}

void TcpConnect::retire(const std::vector<std::uint64_t>& identities) {
  const auto is_retired = [&](std::uint64_t identity) {
    return std::find(identities.begin(), identities.end(), identity) != identities.end();
  };
  for (auto cell = ended_.begin(); cell != ended_.end();) {
    if (!is_retired(cell->first.identity)) {
      ++cell;
      continue;
    }
    bpf_map_delete_elem(object_.map_fd("connect_ended"), &cell->first);
    cell = ended_.erase(cell);
  }
  for (const std::uint64_t identity : identities) {
    for (std::uint64_t family = 0; family < CONNECT_FAMILIES; ++family) {
      const connect_begun_key key{identity, family};
      bpf_map_delete_elem(object_.map_fd("connect_begun"), &key);
    }
    states_.erase(identity);
  }
}

probe::ProbeReport TcpConnect::report() const {
  if (object_.map_fd("connect_ended") < 0) return {};
  std::uint64_t in_flight = 0;
  for (const auto& [identity, state] : states_)
    for (const auto& family : state.families) in_flight += family.in_flight();
  return {up_,
          object_.hooks(),
          object_.program_stats(),
          {{"attempts", in_flight, object_.max_entries("attempts")},
           {"connect_begun", begun_drain_.entries(), object_.max_entries("connect_begun")},
           {"connect_ended", ended_drain_.entries(), object_.max_entries("connect_ended")}},
          object_.lost()};
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_tcp_connect(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  auto families = Families::create(context.registry);
  if (!families) return families.error();
  return std::unique_ptr<probe::Probe>(std::make_unique<TcpConnect>(context, settings, *families));
}

}  // namespace connscope::bpf
