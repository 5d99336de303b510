// SPDX-License-Identifier: Apache-2.0
#include "bpf/attempt/attempt.h"

#include <bpf/bpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "agent/probe/probe.h"
#include "bpf/attempt/attempt.skel.h"
#include "bpf/owners/family_maker.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {
namespace {

using metrics::Histogram;

struct Settings {
  std::uint32_t attempts;
  std::uint32_t answers;
  std::uint32_t cells;

  static Settings parse(config::Section section) {
    return {static_cast<std::uint32_t>(section.integer("attempts", 8192, 8, 1 << 22)),
            static_cast<std::uint32_t>(section.integer("answers", 16384, 8, 1 << 22)),
            static_cast<std::uint32_t>(section.integer("cells", 8192, 8, 1 << 22))};
  }
};

/// The labels `outcome` and `stage`, by enum attempt_end.
constexpr std::array<std::pair<const char*, const char*>, ATTEMPT_ENDS> kEndNames = {
    {{"ok", ""}, {"fail", "dns"}, {"fail", "tcp"}, {"fail", "tls"}}};

/// The series of one owner, all of them from its first attempt on.
struct Series {
  std::array<Histogram*, ATTEMPT_ENDS> durations{};

  static Result<std::unique_ptr<Series>> create(metrics::Family<Histogram>* family, const OwnerLabels& owner) {
    auto series = std::make_unique<Series>();
    SeriesMaker make(owner);
    for (std::size_t end = 0; end < ATTEMPT_ENDS; ++end)
      series->durations[end] = make.series(family, {kEndNames[end].first, kEndNames[end].second});
    if (!make.outcome()) return make.outcome().error();
    return series;
  }
};

class Attempts final : public probe::Probe {
 public:
  Attempts(const probe::ProbeContext& context, Settings settings, metrics::Family<Histogram>* family)
      : settings_(settings), family_(family), owners_(context.identities), series_(owners_) {}

  [[nodiscard]] std::string_view name() const override { return "attempt"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override;
  [[nodiscard]] probe::ProbeReport report() const override;
  /// For those who see the parts of attempts.
  [[nodiscard]] probe::SharedMaps shared_maps() const override;

 private:
  void configure(attempt_bpf& skeleton);
  [[nodiscard]] auto& variables() const { return *object_.variables<attempt_bpf>(); }
  Status add(const attempt_ended_key& key, const attempt_ended& sum, Clock::time_point now);

  Settings settings_;
  metrics::Family<Histogram>* family_;
  Owners owners_;
  SeriesByOwner<Series> series_;
  probe::BpfObject object_;
  probe::MapDrain<attempt_ended_key, attempt_ended> drain_;
  probe::CellMap<attempt_ended_key, attempt_ended> ended_;
  bool up_ = false;
};

void Attempts::configure(attempt_bpf& skeleton) {
  bpf_map__set_max_entries(skeleton.maps.attempts, settings_.attempts);
  bpf_map__set_max_entries(skeleton.maps.attempt_answers, settings_.answers);
  bpf_map__set_max_entries(skeleton.maps.attempt_ended, settings_.cells);
}

Status Attempts::start(const probe::SharedMaps& shared) {
  const auto configure = [this](attempt_bpf& skeleton) { this->configure(skeleton); };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<attempt_bpf>(configure), shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  if (auto attached = object_.attach(); !attached) return attached;
  up_ = true;
  return {};
}

void Attempts::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  if (wanted.attempts != settings_.attempts) section.fail("attempts", restart);
  if (wanted.answers != settings_.answers) section.fail("answers", restart);
  if (wanted.cells != settings_.cells) section.fail("cells", restart);
}

/// The programs that write are those of others, and end with them.
void Attempts::stop() { up_ = false; }

Status Attempts::collect(Clock::time_point now) {
  if (object_.map_fd("attempts") < 0) return {};  // never started
  variables().visited = 0;
  if (auto run = object_.run_over_map("visit_attempts", "attempts"); !run) return run.error().context("attempts");
  Status outcome;
  const auto read = drain_.read(object_.map_fd("attempt_ended"), [&](const auto& key, const auto& sum) {
    if (auto added = add(key, sum, now); !added) outcome = added;
  });
  if (!read) return read.error().context("attempt_ended");
  return outcome;
}

Status Attempts::add(const attempt_ended_key& key, const attempt_ended& sum, Clock::time_point now) {
  if (key.end >= ATTEMPT_ENDS || key.bucket >= LATENCY_BUCKETS)
    return Error("attempt_ended: a cell that no program writes");
  attempt_ended& seen = ended_[key];
  const attempt_ended news{sum.count - seen.count, sum.sum_ns - seen.sum_ns};
  if (news.count == 0 && news.sum_ns == 0) return {};
  const auto series =
      series_.of(key.identity, now, [this](const OwnerLabels& owner) { return Series::create(family_, owner); });
  if (!series) return series.error();
  if (*series != nullptr)
    (*series)->durations[key.end]->add(key.bucket, news.count, static_cast<double>(news.sum_ns) / kNsPerSecond);
  seen = sum;
  return {};
}

void Attempts::retire(const std::vector<std::uint64_t>& identities) {
  erase_cells(ended_, object_.map_fd("attempt_ended"), identities);
  for (const std::uint64_t identity : identities) series_.forget(identity);
}

probe::ProbeReport Attempts::report() const {
  if (object_.map_fd("attempts") < 0) return {};
  return {up_,
          object_.hooks(),
          object_.program_stats(),
          {{"attempts", variables().visited, object_.max_entries("attempts")},
           {"attempt_ended", drain_.entries(), object_.max_entries("attempt_ended")}},
          object_.lost()};
}

probe::SharedMaps Attempts::shared_maps() const {
  if (!up_) return {};
  probe::SharedMaps maps;
  for (const char* name : {"attempts", "attempt_answers", "attempt_resolvers", "attempt_ended"})
    maps[name] = object_.map_fd(name);
  return maps;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_attempt(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  FamilyMaker make(context.registry);
  auto* family = make.family<Histogram>({"conn_attempt_duration_seconds", "n.ss.conn"},
                                        "Uses of a peer as their program waits for them: look-up, connect and TLS "
                                        "handshake together, or up to what failed.",
                                        {"process", "outcome", "stage"});
  if (!make.outcome()) return make.outcome().error();
  return std::unique_ptr<probe::Probe>(std::make_unique<Attempts>(context, settings, family));
}

}  // namespace connscope::bpf
