// SPDX-License-Identifier: Apache-2.0
#include "bpf/process/identity.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "agent/probe/identity_probe.h"
#include "agent/probe/ring_reader.h"
#include "bpf/catalog.h"
#include "bpf/process/identity.skel.h"
#include "bpf/process/programs.h"

namespace connscope::bpf {
namespace {

/// A record that is one number, into a vector of such.
template <class Number>
int keep_number(void* numbers, void* record, std::size_t size) {
  Number number = 0;
  if (size == sizeof(number)) {
    std::memcpy(&number, record, size);
    static_cast<std::vector<Number>*>(numbers)->push_back(number);
  }
  return 0;
}

/// 0, or an Error for what is not wanted: a deletion of what is gone already is no error.
Status checked(int result, const char* what) {
  if (result == 0 || errno == ENOENT) return {};
  return Error::from_errno(what, errno);
}

class IdentityUserHalf final : public probe::IdentityProbe {
 public:
  [[nodiscard]] std::string_view name() const override { return "identity"; }

  Status start(const probe::SharedMaps& /*shared*/) override {
    auto object = probe::BpfObject::load(probe::BpfObject::opener<identity_bpf>([](identity_bpf&) {}), {}, {});
    if (!object) return object.error();
    object_ = std::move(*object);
    if (auto loaded = load_interpreters(object_.map_fd("interpreters"), object_.map_fd("options")); !loaded)
      return loaded;
    if (auto attached = object_.attach(); !attached) return attached;
    auto news = probe::RingReader::open(object_.map_fd("identity_news"), keep_number<std::uint64_t>, &news_ids_);
    if (!news) return news.error().context("identity_news");
    auto execs = probe::RingReader::open(object_.map_fd("exec_news"), keep_number<std::uint32_t>, &executed_);
    if (!execs) return execs.error().context("exec_news");
    news_ = std::move(*news);
    execs_ = std::move(*execs);
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
    const probe::MapUsage identities{"identities", live_, object_.max_entries("identities")};
    return {true, object_.hooks(), object_.program_stats(), {identities}, object_.lost()};
  }

  [[nodiscard]] probe::SharedMaps shared_maps() const override {
    auto maps = object_.maps();
    for (auto map = maps.begin(); map != maps.end();)
      map = map->first.rfind("identit", 0) == 0 ? std::next(map) : maps.erase(map);
    return maps;
  }
  [[nodiscard]] int news_fd() const override { return news_.fd(); }
  std::vector<std::uint64_t> take_news() override {
    static_cast<void>(news_.consume());  // what it cannot take now is there at the next turn
    live_ += news_ids_.size();
    return std::exchange(news_ids_, {});
  }
  [[nodiscard]] int execs_fd() const override { return execs_.fd(); }
  std::vector<std::uint32_t> take_execs() override {
    static_cast<void>(execs_.consume());
    return std::exchange(executed_, {});
  }
  void await_exec() override { object_.variables<identity_bpf>()->is_exec_awaited = 1; }

  Result<identity_info> read(std::uint64_t id) override {
    identity_info info{};
    if (bpf_map_lookup_elem(object_.map_fd("identity_infos"), &id, &info) != 0)
      return Error::from_errno("identity_infos", errno);
    return info;
  }
  Result<std::uint64_t> id_of_process(std::uint32_t pid) override {
    identity_cached cached{};
    if (bpf_map_lookup_elem(object_.map_fd("identity_cache"), &pid, &cached) != 0)
      return Error::from_errno("identity_cache", errno);
    return cached.id;
  }
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t pid) const override {
    identity_program program{};
    if (bpf_map_lookup_elem(object_.map_fd("identity_programs"), &pid, &program) != 0)
      return Error::from_errno("identity_programs", errno);
    return program;
  }
  Status set_left_out(const identity_key& key, std::uint64_t id, left_out_by by) override {
    const struct identity value { id, static_cast<std::uint32_t>(by), 0 };
    return checked(bpf_map_update_elem(object_.map_fd("identities"), &key, &value, BPF_EXIST), "identities");
  }
  Status forget(const identity_key& key) override {
    return checked(bpf_map_delete_elem(object_.map_fd("identities"), &key), "identities");
  }
  Status erase(std::uint64_t id) override {
    if (live_ > 0) --live_;
    return checked(bpf_map_delete_elem(object_.map_fd("identity_infos"), &id), "identity_infos");
  }
  Status publish(const identity::CaptureWishes& wishes) override {
    if ((wishes.interpreters & ~wishes_.interpreters) != 0) {
      // From here on the kernel half sees to new processes; who is there already comes before anybody is looked at
      // anew.
      if (auto written = write_control(wishes); !written) return written;
      if (auto taken = take_up_programs(object_.map_fd("identity_programs"), wishes); !taken) return taken;
    }
    wishes_ = wishes;
    return write_control(wishes);
  }
  Result<identity::LeftOutCounts> left_out() override {
    identity::LeftOutCounts sums{};
    std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    for (std::uint32_t way = 0; way < LEFT_OUT_WAYS; ++way) {
      if (bpf_map_lookup_elem(object_.map_fd("identity_left_out"), &way, per_cpu.data()) != 0)
        return Error::from_errno("identity_left_out", errno);
      sums[way] = std::accumulate(per_cpu.begin(), per_cpu.end(), std::uint64_t{0});
    }
    return sums;
  }

 private:
  Status write_control(const identity::CaptureWishes& wishes) {
    const identity_control control{++epoch_, wishes.args ? 1U : 0U, wishes.interpreters, 0};
    const std::uint32_t zero = 0;
    return checked(bpf_map_update_elem(object_.map_fd("identity_control"), &zero, &control, BPF_ANY),
                   "identity_control");
  }

  probe::BpfObject object_;
  std::vector<std::uint64_t> news_ids_;
  std::vector<std::uint32_t> executed_;
  probe::RingReader news_;
  probe::RingReader execs_;
  identity::CaptureWishes wishes_;
  std::uint64_t live_ = 0;
  std::uint32_t epoch_ = 0;
  bool up_ = false;
};

}  // namespace

std::unique_ptr<probe::IdentityProbe> make_identity_probe() { return std::make_unique<IdentityUserHalf>(); }

}  // namespace connscope::bpf
