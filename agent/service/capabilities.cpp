// SPDX-License-Identifier: Apache-2.0
#include "agent/service/capabilities.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "agent/base/file.h"

namespace connscope::service {
namespace {

constexpr std::size_t kMaxStatusBytes = 1U << 16U;

constexpr std::array kUsed = {
    Capability{CAP_BPF, "CAP_BPF", "no BPF program or map can be made, so nothing is seen"},
    Capability{CAP_PERFMON, "CAP_PERFMON", "no BPF program may read kernel memory, so nothing is seen"},
    Capability{CAP_NET_ADMIN, "CAP_NET_ADMIN", "packets are not seen: no DNS queries and no TLS handshakes"},
    Capability{
        CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
        "of other users' processes that are older than the agent neither the executable is known nor the libraries, so "
        "their look-ups and what TLS libraries say may be missed"},
    Capability{
        CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
        "files that only their owner may read are not: tracefs (failures before the SYN, where fentry is refused), and "
        "libraries in containers and home folders"},
    Capability{CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE",
               "libraries that were deleted or replaced while processes use them are not found"},
};

}  // namespace

std::span<const Capability> used_capabilities() { return kUsed; }

std::vector<Capability> lacking_in(std::uint64_t effective) {
  std::vector<Capability> lacking;
  std::copy_if(kUsed.begin(), kUsed.end(), std::back_inserter(lacking),
               [effective](const Capability& one) { return (effective >> one.number & 1U) == 0; });
  return lacking;
}

Result<std::uint64_t> effective_capabilities(std::string_view status_file) {
  constexpr std::string_view kKey = "\nCapEff:\t";
  const std::size_t begin = status_file.find(kKey);
  if (begin == std::string_view::npos) return Error("/proc/self/status: has no CapEff");
  const std::string_view digits = status_file.substr(begin + kKey.size());
  std::uint64_t mask = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), mask, 16);
  if (failed != std::errc()) return Error("/proc/self/status: CapEff is no number");
  return mask;
}

Result<std::vector<Capability>> missing_capabilities() {
  const auto status = read_file("/proc/self/status", kMaxStatusBytes);
  if (!status) return status.error();
  const auto mask = effective_capabilities(*status);
  if (!mask) return mask.error();
  return lacking_in(*mask);
}

}  // namespace connscope::service
