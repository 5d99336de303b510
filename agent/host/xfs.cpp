// SPDX-License-Identifier: Apache-2.0
//
// xfs: what XFS file systems count. Source: /sys/fs/xfs/DEVICE/stats/stats: lines "GROUP NUMBER…" in a fixed order
// (fs/xfs/xfs_stats.h).
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::xfs {
namespace {

constexpr std::string_view kFolder = "fs/xfs";

struct Statistic {
  std::string_view group;
  std::size_t field;  ///< after the group's name
  const char* name;
};
constexpr auto kStatistics = std::to_array<Statistic>({
    {"extent_alloc", 0, "extent_allocation_extents_allocated"},
    {"extent_alloc", 1, "extent_allocation_blocks_allocated"},
    {"extent_alloc", 2, "extent_allocation_extents_freed"},
    {"extent_alloc", 3, "extent_allocation_blocks_freed"},
    {"abt", 0, "allocation_btree_lookups"},
    {"abt", 1, "allocation_btree_compares"},
    {"abt", 2, "allocation_btree_records_inserted"},
    {"abt", 3, "allocation_btree_records_deleted"},
    {"blk_map", 0, "block_mapping_reads"},
    {"blk_map", 1, "block_mapping_writes"},
    {"blk_map", 2, "block_mapping_unmaps"},
    {"blk_map", 3, "block_mapping_extent_list_insertions"},
    {"blk_map", 4, "block_mapping_extent_list_deletions"},
    {"blk_map", 5, "block_mapping_extent_list_lookups"},
    {"blk_map", 6, "block_mapping_extent_list_compares"},
    {"bmbt", 0, "block_map_btree_lookups"},
    {"bmbt", 1, "block_map_btree_compares"},
    {"bmbt", 2, "block_map_btree_records_inserted"},
    {"bmbt", 3, "block_map_btree_records_deleted"},
    {"dir", 0, "directory_operation_lookup"},
    {"dir", 1, "directory_operation_create"},
    {"dir", 2, "directory_operation_remove"},
    {"dir", 3, "directory_operation_getdents"},
    {"ig", 0, "inode_operation_attempts"},
    {"ig", 1, "inode_operation_found"},
    {"ig", 2, "inode_operation_recycled"},
    {"ig", 3, "inode_operation_missed"},
    {"ig", 4, "inode_operation_duplicates"},
    {"ig", 5, "inode_operation_reclaims"},
    {"ig", 6, "inode_operation_attribute_changes"},
    {"rw", 0, "write_calls"},
    {"rw", 1, "read_calls"},
    {"vnodes", 0, "vnode_active"},
    {"vnodes", 1, "vnode_allocate"},
    {"vnodes", 2, "vnode_get"},
    {"vnodes", 3, "vnode_hold"},
    {"vnodes", 4, "vnode_release"},
    {"vnodes", 5, "vnode_reclaim"},
    {"vnodes", 6, "vnode_remove"},
});

class Xfs final : public Collector {
 public:
  Xfs() : Collector("xfs"), table_(add_table({"device"})) {
    for (const Statistic& statistic : kStatistics)
      table_.add_column({"node_xfs_" + std::string(statistic.name) + "_total",
                         "XFS: field " + std::to_string(statistic.field) + " of " + std::string(statistic.group) + ".",
                         kCounter});
  }

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& device : kernel.list(Root::kSys, {kFolder}).names) {
      const Content content = kernel.read(Root::kSys, {kFolder, "/", device, "/stats/stats"});
      if (!content) continue;  // "stats" is the sum of all, and has another form
      table_.row({device});
      if (auto taken = take(content.text); !taken) return taken;
    }
    return {};
  }

  Status take(std::string_view rest) {
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<16> fields(line);
      for (std::size_t i = 0; i < kStatistics.size(); ++i) {
        if (fields[0] != kStatistics[i].group || kStatistics[i].field + 1 >= fields.size()) continue;
        const auto number = to_number(fields[kStatistics[i].field + 1]);
        if (!number) return malformed("xfs/stats", line);
        table_.set(i, *number);
      }
    }
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"xfs", true, make_plain<Xfs>};

}  // namespace connscope::host::collectors::xfs
