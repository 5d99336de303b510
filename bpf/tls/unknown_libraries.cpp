// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/unknown_libraries.h"

#include <utility>

#include "agent/probe/processes.h"
#include "bpf/owners/family_maker.h"

namespace connscope::bpf {
namespace {

/// Processes that one collect looks at, at some 100 µs each; the rest are left for the next one.
constexpr std::size_t kLooksPerCollect = 64;

}  // namespace

Result<UnknownLibraries::Family*> UnknownLibraries::create_family(metrics::Registry& registry) {
  FamilyMaker make(registry);
  auto* family = make.family<metrics::Counter>("connscope_tls_unknown_library_processes",
                                               "Processes that shake hands by a TLS library that no probe understands.",
                                               {"process"});
  if (!make.outcome()) return make.outcome().error();
  return family;
}

UnknownLibraries::UnknownLibraries(Family* family, Owners& owners, probe::LibraryWatch& libraries)
    : family_(family), series_(owners), libraries_(libraries), sees_processes_(probe::sees_all_processes()) {}

Status UnknownLibraries::collect(int map_fd, Clock::time_point now) {
  if (!sees_processes_) return {};
  Began judged;
  std::size_t looks = 0;
  Status outcome;
  const auto read = drain_.read(map_fd, [&](std::uint32_t process, const tls_stranger& stranger) {
    const auto known = judged_.find(process);
    const bool is_new = known == judged_.end() || known->second != stranger.began_ns;
    if (is_new && looks++ >= kLooksPerCollect) return;
    if (is_new)
      if (auto done = judge(process, stranger.identity, now); !done) outcome = done;
    judged.emplace(process, stranger.began_ns);
  });
  judged_ = std::move(judged);
  return read ? outcome : Status(read.error().context("tls_strangers"));
}

Status UnknownLibraries::judge(std::uint32_t process, std::uint64_t identity, Clock::time_point now) {
  libraries_.look_at(process);  // it may have loaded one late
  if (libraries_.hears_tls_of(process)) return {};
  const auto series = series_.of(identity, now, [this](const OwnerLabels& owner) -> Result<std::unique_ptr<Series>> {
    SeriesMaker make(owner);
    auto made = std::make_unique<Series>(Series{make.series(family_, {})});
    if (!make.outcome()) return make.outcome().error();
    return made;
  });
  if (!series) return series.error();
  if (*series != nullptr) (*series)->processes->add(std::uint64_t{1});
  return {};
}

void UnknownLibraries::retire(const std::vector<std::uint64_t>& identities) {
  for (const std::uint64_t identity : identities) series_.forget(identity);
}

}  // namespace connscope::bpf
