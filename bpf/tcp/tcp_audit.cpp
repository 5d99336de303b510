// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/tcp_audit.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cmath>
#include <string>

namespace connscope::bpf {
namespace {

constexpr auto kWindow = std::chrono::seconds(60);
struct AuditedCounter {
  const char* label;
  const char* snmp;
  __u64 tcp_audit::*observed;
};
constexpr std::array kAudited = {AuditedCounter{"active_opens", "ActiveOpens", &tcp_audit::active_opens},
                                 AuditedCounter{"passive_opens", "PassiveOpens", &tcp_audit::passive_opens},
                                 AuditedCounter{"attempt_fails", "AttemptFails", &tcp_audit::attempt_fails}};

/// The only entry of the per-CPU array `audit_here`.
Result<tcp_audit> read_own(int map_fd, std::size_t cpus) {
  std::vector<tcp_audit> values(cpus);
  const std::uint32_t zero = 0;
  if (bpf_map_lookup_elem(map_fd, &zero, values.data()) != 0) return Error::from_errno("audit_here", errno);
  return probe::sum_over_cpus(values.data(), cpus);
}

}  // namespace

Result<metrics::Family<metrics::Gauge>*> TcpAudit::create_family(metrics::Registry& registry) {
  return registry.family<metrics::Gauge>({"connscope_audit_observed_ratio",
                                          "Events seen by the probes per event counted by the kernel, in the network "
                                          "namespaces where processes live, over "
                                          "the last minute; NaN when there was none.",
                                          "ratio",
                                          {"counter"},
                                          ""});
}

Result<bool> TcpAudit::audit(std::uint32_t netns, const tcp_audit& observed, Time now) {
  const auto snmp = netns_.read(netns, "snmp", now);
  if (!snmp && netns != own_ && snmp.error().code() == ENOENT) return false;
  if (!snmp) return netns == own_ ? Result<bool>(snmp.error()) : Result<bool>(true);
  const auto windows = windows_
                           .try_emplace(netns, Windows{probe::AuditWindow(kWindow), probe::AuditWindow(kWindow),
                                                       probe::AuditWindow(kWindow)})
                           .first;
  for (std::size_t i = 0; i < kCounters; ++i) {
    const auto counted = probe::protocol_counter(*snmp, "Tcp", kAudited[i].snmp);
    if (!counted) return counted.error();
    windows->second[i].add(now, observed.*kAudited[i].observed, *counted);
  }
  return true;
}

Status TcpAudit::collect(const probe::BpfObject& object, Time now) {
  const auto own = read_own(object.map_fd("audit_here"), static_cast<std::size_t>(libbpf_num_possible_cpus()));
  if (!own) return own.error();
  if (const auto audited = audit(own_, *own, now); !audited) return audited.error();
  std::map<std::uint32_t, tcp_audit> others;
  const int elsewhere = object.map_fd("audit_elsewhere");
  if (auto read = drain_.read(elsewhere, [&](std::uint32_t netns, const tcp_audit& sum) { others[netns] = sum; });
      !read)
    return read.error().context("audit_elsewhere");
  auto turn = others.upper_bound(last_);
  for (std::size_t i = 0; i < std::min(kNamespacesPerCollect, others.size()); ++i) {
    if (turn == others.end()) turn = others.begin();
    last_ = turn->first;
    const auto lives = audit(last_, turn->second, now);
    if (!lives) return lives.error();
    if (!*lives) {
      windows_.erase(last_);
      bpf_map_delete_elem(elsewhere, &last_);
    }
    ++turn;
  }
  return show();
}

Status TcpAudit::show() {
  for (std::size_t i = 0; i < kCounters; ++i) {
    double observed = 0;
    double kernel = 0;
    for (const auto& [netns, windows] : windows_) {
      const auto change = windows[i].change();
      if (!change) continue;
      observed += static_cast<double>(change->observed);
      kernel += static_cast<double>(change->kernel);
    }
    auto gauge = ratio_->with({kAudited[i].label});
    if (!gauge) return gauge.error();
    (*gauge)->set(kernel > 0 ? observed / kernel : std::nan(""));
  }
  return {};
}

}  // namespace connscope::bpf
