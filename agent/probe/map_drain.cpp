// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/map_drain.h"

namespace connscope::probe {

Result<std::uint64_t> read_counter(int map_fd, std::uint32_t index) {
  const auto cpus = static_cast<std::size_t>(std::max(1, libbpf_num_possible_cpus()));
  std::vector<std::uint64_t> values(cpus);
  if (bpf_map_lookup_elem(map_fd, &index, values.data()) != 0) return Error::from_errno("look-up", errno);
  return sum_over_cpus(values.data(), cpus);
}

}  // namespace connscope::probe
