// SPDX-License-Identifier: Apache-2.0
#include "bpf/detail/detail.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/detail/connection_feed.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/probe.h"
#include "agent/probe/ring_reader.h"
#include "bpf/detail/connection_of.h"
#include "bpf/detail/detail.skel.h"

namespace connscope::bpf {
namespace {

/// Of the ring buffer; a power of two, and pages. Some three thousand events, which a burst may fill before the next
/// turn.
constexpr std::uint32_t kBufferBytes = 512U << 10U;
/// Of one turn of the event loop: a flood must not keep it from collecting.
constexpr int kEventsOfTurn = 4096;
constexpr std::uint32_t kMaxBounds = 16384;

struct Settings {
  std::uint32_t connections;

  static Settings parse(config::Section section) {
    return {static_cast<std::uint32_t>(section.integer("connections", 8192, 8, 1 << 22))};
  }
};

/// How far the wall's clock is ahead of the monotonic one, which the kernel half reads.
std::chrono::nanoseconds wall_ahead() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return wall - std::chrono::steady_clock::now().time_since_epoch();
}

class DetailUserHalf final : public probe::Probe, public detail::ConnectionSource {
 public:
  DetailUserHalf(const probe::ProbeContext& context, Settings settings)
      : settings_(settings), identities_(context.identities), feed_(context.connections) {}
  DetailUserHalf(const DetailUserHalf&) = delete;
  DetailUserHalf& operator=(const DetailUserHalf&) = delete;
  ~DetailUserHalf() override { disconnect(); }

  [[nodiscard]] std::string_view name() const override { return "detail"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override { disconnect(); }
  Status collect(std::chrono::steady_clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override;
  [[nodiscard]] probe::ProbeReport report() const override;
  /// For all who tell.
  [[nodiscard]] probe::SharedMaps shared_maps() const override;

  Status want(detail::Kinds kinds) override;
  Status bound(const std::string& process, detail::Metric metric, const detail::Bounds* bounds) override;
  [[nodiscard]] int fd() const override { return ring_.fd(); }
  void drain() override;

 private:
  [[nodiscard]] bool is_up() const { return ring_.fd() >= 0; }
  static int take(void* self, void* record, std::size_t size);
  void publish(const detail_event& event);
  void disconnect();
  /// Tells the kernel of `kinds_` and the metrics that have bounds.
  Status write_control();
  /// Tells it of the bounds of one label: of all who have it now, and of none who had it before.
  Status write_bounds(const std::string& process, detail::Metric metric, const detail::Bounds* bounds);
  Status write_all_bounds();
  Status erase_bounds(const detail_bounds_key& key);

  Settings settings_;
  identity::IdentityTable& identities_;
  detail::ConnectionFeed& feed_;
  probe::BpfObject object_;
  probe::RingReader ring_;
  detail::Connection connection_;  // written anew for each event
  std::chrono::nanoseconds wall_ahead_{};
  int left_of_turn_ = 0;
  detail::Kinds kinds_ = 0;
  std::map<std::pair<std::string, detail::Metric>, detail::Bounds> bounds_;
  probe::CellMap<detail_bounds_key, detail::Bounds> in_kernel_;
  std::uint64_t generation_ = 0;  // of the labels, and how many there were, when the bounds were written
  std::size_t identities_then_ = 0;
};

Status DetailUserHalf::start(const probe::SharedMaps& shared) {
  const auto configure = [this](detail_bpf& skeleton) {
    bpf_map__set_max_entries(skeleton.maps.detail_events, kBufferBytes);
    bpf_map__set_max_entries(skeleton.maps.detail_origins, settings_.connections);
    bpf_map__set_max_entries(skeleton.maps.detail_bounds, kMaxBounds);
  };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<detail_bpf>(configure), shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  auto ring = probe::RingReader::open(object_.map_fd("detail_events"), take, this);
  if (!ring) return ring.error().context("detail_events");
  ring_ = std::move(*ring);
  return feed_.connect(this);
}

void DetailUserHalf::check_reload(config::Section section) const {
  if (Settings::parse(section).connections != settings_.connections)
    section.fail("connections", "cannot change while the agent runs; restart it");
}

void DetailUserHalf::disconnect() {
  if (!is_up()) return;
  (void)feed_.connect(nullptr);
  (void)want(0);
  ring_ = {};
}

/// Who has a label may have changed, and with that who is bound.
Status DetailUserHalf::collect(std::chrono::steady_clock::time_point /*now*/) {
  if (!is_up()) return {};
  drain();
  if (bounds_.empty() || (generation_ == identities_.generation() && identities_then_ == identities_.size()))
    return feed_.health();
  return write_all_bounds();
}

void DetailUserHalf::retire(const std::vector<std::uint64_t>& identities) {
  for (const std::uint64_t identity : identities)
    for (std::uint64_t metric = 0; metric < DETAIL_METRICS; ++metric) (void)erase_bounds({identity, metric});
}

probe::ProbeReport DetailUserHalf::report() const {
  if (!is_up()) return {};
  return {true,
          object_.hooks(),
          object_.program_stats(),
          {{"detail_bounds", in_kernel_.size(), object_.max_entries("detail_bounds")}},
          object_.lost()};
}

probe::SharedMaps DetailUserHalf::shared_maps() const {
  if (!is_up()) return {};
  probe::SharedMaps maps;
  for (const char* name : {"detail_control", "detail_bounds", "detail_origins", "detail_events"})
    maps[name] = object_.map_fd(name);
  return maps;
}

Status DetailUserHalf::want(detail::Kinds kinds) {
  kinds_ = kinds;
  ring_.hold(kinds != 0);
  return write_control();
}

Status DetailUserHalf::bound(const std::string& process, detail::Metric metric, const detail::Bounds* bounds) {
  if (bounds != nullptr) {
    bounds_[{process, metric}] = *bounds;
  } else {
    bounds_.erase({process, metric});
  }
  if (auto written = write_bounds(process, metric, bounds); !written) return written;
  return write_control();
}

Status DetailUserHalf::write_control() {
  std::uint32_t bounded = 0;
  if ((kinds_ & detail::kOutlier) != 0)
    for (const auto& [key, bounds] : bounds_) bounded |= 1U << static_cast<unsigned>(key.second);
  const detail_control control{kinds_, bounded};
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(object_.map_fd("detail_control"), &zero, &control, BPF_ANY) != 0)
    return Error::from_errno("detail_control", errno);
  return {};
}

Status DetailUserHalf::write_bounds(const std::string& process, detail::Metric metric, const detail::Bounds* bounds) {
  Status outcome;
  for (const std::uint64_t identity : identities_.with_prefix(process)) {
    const detail_bounds_key key{identity, static_cast<std::uint64_t>(metric)};
    if (bounds == nullptr) {
      if (auto erased = erase_bounds(key); !erased) outcome = erased;
      continue;
    }
    const auto known = in_kernel_.find(key);
    if (known != in_kernel_.end() && known->second == *bounds) continue;
    const detail_bounds value{bounds->low_ns, bounds->high_ns, bounds->mean_ns};
    if (bpf_map_update_elem(object_.map_fd("detail_bounds"), &key, &value, BPF_ANY) != 0) {
      outcome = Error::from_errno("detail_bounds", errno);
    } else {
      in_kernel_[key] = *bounds;
    }
  }
  return outcome;
}

Status DetailUserHalf::write_all_bounds() {
  std::vector<detail_bounds_key> stale;
  for (const auto& [key, bounds] : in_kernel_)
    if (bounds_.count({identities_.label_of(key.identity).prefix, static_cast<detail::Metric>(key.metric)}) == 0)
      stale.push_back(key);
  Status outcome;
  for (const auto& key : stale)
    if (auto erased = erase_bounds(key); !erased) outcome = erased;
  for (const auto& [key, bounds] : bounds_)
    if (auto written = write_bounds(key.first, key.second, &bounds); !written) outcome = written;
  generation_ = identities_.generation();
  identities_then_ = identities_.size();
  return outcome;
}

Status DetailUserHalf::erase_bounds(const detail_bounds_key& key) {
  if (in_kernel_.erase(key) == 0) return {};
  if (bpf_map_delete_elem(object_.map_fd("detail_bounds"), &key) != 0 && errno != ENOENT)
    return Error::from_errno("detail_bounds", errno);
  return {};
}

void DetailUserHalf::drain() {
  wall_ahead_ = wall_ahead();
  left_of_turn_ = kEventsOfTurn;
  static_cast<void>(ring_.consume());  // what it cannot take now is there at the next turn
}

/// A negative value makes libbpf stop behind this record.
int DetailUserHalf::take(void* self, void* record, std::size_t size) {
  auto& half = *static_cast<DetailUserHalf*>(self);
  detail_event event;
  if (size != sizeof(event)) return 0;
  std::memcpy(&event, record, sizeof(event));
  half.publish(event);
  return --half.left_of_turn_ > 0 ? 0 : -EAGAIN;
}

void DetailUserHalf::publish(const detail_event& event) {
  const identity::ProcessLabel& label = identities_.label_of(event.identity);
  if (!label.captured) return;
  connection_.process = label.prefix;
  connection_.exe = identities_.exe_of(event.identity);
  connection_.time =
      std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(event.ended_ns) + wall_ahead_));
  fill_connection(event, connection_);
  feed_.publish(connection_);
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_detail(const probe::ProbeContext& context, config::Section section) {
  return std::unique_ptr<probe::Probe>(std::make_unique<DetailUserHalf>(context, Settings::parse(section)));
}

}  // namespace connscope::bpf
