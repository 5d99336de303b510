// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet_neighbour.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <array>
#include <cerrno>
#include <utility>

namespace connscope::testing {
namespace {

bpf_attach_type attach_type(Direction direction) {
  return direction == Direction::kIngress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;
}

bpf_insn instruction(unsigned code, unsigned destination, unsigned source, int offset, int immediate) {
  bpf_insn made{};
  made.code = static_cast<__u8>(code);
  made.dst_reg = destination & 0xfU;
  made.src_reg = source & 0xfU;
  made.off = static_cast<__s16>(offset);
  made.imm = immediate;
  return made;
}

/// Adds one to the only element of the map, and lets the packet pass.
std::vector<bpf_insn> counting_program(int map) {
  return {
      instruction(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
      instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
      instruction(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
      instruction(0, 0, 0, 0, 0),
      instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1),
      instruction(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
}

Result<UniqueFd> open_folder(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Error::from_errno(path, errno);
  return folder;
}

Result<std::uint32_t> id_of(int program) {
  bpf_prog_info info{};
  __u32 size = sizeof(info);
  if (::bpf_obj_get_info_by_fd(program, &info, &size) != 0) return Error::from_errno("a program's id", errno);
  return info.id;
}

template <class Next>
std::set<std::uint32_t> all_ids(Next&& next) {
  std::set<std::uint32_t> ids;
  for (std::uint32_t id = 0; next(id, &id) == 0;) ids.insert(id);
  return ids;
}

}  // namespace

Result<PacketNeighbour> PacketNeighbour::attach(const std::string& path, Direction direction) {
  UniqueFd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "neighbour", sizeof(__u32), sizeof(__u64), 1, nullptr));
  if (!map) return Error::from_errno("the neighbour's map", errno);
  const std::vector<bpf_insn> code = counting_program(map.get());
  bpf_prog_load_opts load{};
  load.sz = sizeof(load);
  load.expected_attach_type = attach_type(direction);
  const UniqueFd program(
      ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "neighbour", "GPL", code.data(), code.size(), &load));
  if (!program) return Error::from_errno("loading the neighbour", errno);
  const auto id = id_of(program.get());
  if (!id) return id.error();
  const auto folder = open_folder(path);
  if (!folder) return folder.error();
  UniqueFd link(::bpf_link_create(program.get(), folder->get(), attach_type(direction), nullptr));
  if (!link) return Error::from_errno("attaching the neighbour", errno);
  return PacketNeighbour(std::move(map), std::move(link), *id);
}

std::uint64_t PacketNeighbour::count() const {
  const __u32 key = 0;
  std::uint64_t count = 0;
  ::bpf_map_lookup_elem(map_.get(), &key, &count);
  return count;
}

Result<std::vector<std::uint32_t>> programs_at(const std::string& path, Direction direction) {
  const auto folder = open_folder(path);
  if (!folder) return folder.error();
  std::array<__u32, 64> ids{};
  __u32 count = ids.size();
  if (::bpf_prog_query(folder->get(), attach_type(direction), 0, nullptr, ids.data(), &count) != 0) {
    return Error::from_errno("the programs at " + path, errno);
  }
  return std::vector<std::uint32_t>(ids.begin(), ids.begin() + count);
}

std::set<std::uint32_t> all_programs() { return all_ids(::bpf_prog_get_next_id); }

std::set<std::uint32_t> all_links() { return all_ids(::bpf_link_get_next_id); }

}  // namespace connscope::testing
