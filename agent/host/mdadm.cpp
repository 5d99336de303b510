// SPDX-License-Identifier: Apache-2.0
//
// mdadm: software RAID arrays. Source: /proc/mdstat (drivers/md/md.c, md_seq_show): "NAME : STATE [(read-only)]
// [LEVEL] DISK[N](F)…", a line "BLOCKS blocks … [TOTAL/ACTIVE]", and while it is made whole "resync = P% (DONE/ALL)".
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::mdadm {
namespace {

constexpr const char* kFile = "mdstat";
constexpr auto kStates = std::to_array<std::string_view>({"active", "inactive", "recovering", "resync", "check"});

struct Array {
  std::string_view name;
  std::string_view state = "inactive";
  std::uint64_t failed = 0;
  std::uint64_t spare = 0;
  std::uint64_t active = 0;
  std::uint64_t required = 0;
  std::uint64_t blocks = 0;
  std::uint64_t synced = 0;
};

/// The numbers of "(12/34)" or "[12/34]" where `text` has them.
std::optional<std::pair<std::uint64_t, std::uint64_t>> fraction(std::string_view text, char open, char close) {
  for (std::size_t at = text.find(open); at != std::string_view::npos; at = text.find(open, at + 1)) {
    std::string_view inside = text.substr(at + 1);
    inside = inside.substr(0, std::min(inside.find(close), inside.size()));
    const auto first = to_number(take_until(inside, '/'));
    const auto second = to_number(inside);
    if (first && second) return std::pair(*first, *second);
  }
  return std::nullopt;
}

void take_disks(std::string_view rest, Array& array) {
  for (auto disk = take_field(rest); !disk.empty(); disk = take_field(rest)) {
    if (disk.find('[') == std::string_view::npos) continue;  // the level
    if (disk.ends_with("(F)")) {
      ++array.failed;
    } else if (disk.ends_with("(S)")) {
      ++array.spare;
    } else {
      ++array.active;
    }
  }
  array.required = array.active;  // levels without redundancy do not say
}

class Mdadm final : public Collector {
 public:
  Mdadm()
      : Collector("mdadm"),
        table_(add_table({"device"}, {{"node_md_disks_required", "Disks that the array should have."},
                                      {"node_md_blocks", "Blocks of the array."},
                                      {"node_md_blocks_synced", "Blocks that are in step."}})),
        disks_(add_table({"device", "state"}, {{"node_md_disks", "Disks of the array by their state."}})),
        states_(add_table({"device", "state"}, {{"node_md_state", "1: the state that the array is in."}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    std::string_view rest = content.text;
    std::optional<Array> array;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<4> fields(line);
      if (fields.size() >= 3 && fields[1] == ":" && line.starts_with("md")) {
        if (array) show(*array);
        array = begin(line);
      } else if (array && fields[1] == "blocks") {
        const auto blocks = to_number(fields[0]);
        if (!blocks) return malformed(kFile, line);
        take_size(line, *blocks, *array);
      } else if (array) {
        take_progress(line, *array);
      }
    }
    if (array) show(*array);
    return {};
  }

  static Array begin(std::string_view line) {
    Array array;
    array.name = take_field(line);
    take_field(line);
    if (take_field(line) == "active") array.state = "active";
    take_disks(line, array);
    return array;
  }

  static void take_size(std::string_view line, std::uint64_t blocks, Array& array) {
    array.blocks = array.synced = blocks;
    if (const auto disks = fraction(line, '[', ']')) {
      array.required = disks->first;
      array.active = disks->second;
    }
  }

  static void take_progress(std::string_view line, Array& array) {
    struct Word {
      std::string_view text;
      std::string_view state;
    };
    for (const Word& word : {Word{"recovery", "recovering"}, Word{"resync", "resync"}, Word{"check", "check"},
                             Word{"reshape", "recovering"}}) {
      if (line.find(word.text) == std::string_view::npos) continue;
      array.state = word.state;
      array.synced = 0;  // delayed or pending, unless it says how far it is
      if (const auto progress = fraction(line, '(', ')')) array.synced = progress->first;
    }
  }

  void show(const Array& array) {
    table_.row({array.name});
    table_.set(0, array.required);
    table_.set(1, array.blocks);
    table_.set(2, array.synced);
    struct Count {
      std::string_view state;
      std::uint64_t disks;
    };
    for (const Count& count :
         {Count{"active", array.active}, Count{"failed", array.failed}, Count{"spare", array.spare}}) {
      disks_.row({array.name, count.state});
      disks_.set(0, count.disks);
    }
    for (const std::string_view state : kStates) {
      states_.row({array.name, state});
      states_.set(0, state == array.state ? 1U : 0U);
    }
  }

  Table& table_;
  Table& disks_;
  Table& states_;
};

}  // namespace

extern const CollectorType kType{"mdadm", true, make_plain<Mdadm>};

}  // namespace connscope::host::collectors::mdadm
