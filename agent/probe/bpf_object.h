// SPDX-License-Identifier: Apache-2.0
//
// BpfObject: one loaded BPF object and its attached programs, with what every probe needs of it: loading that survives
// the refusal of an optional program, attaching that names each hook's problem, and the kernel's figures.
//
// Owns the loaded programs, maps and links; the skeleton is gone after the load. The collecting thread only.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/loaded_object.h"
#include "agent/probe/probe.h"
#include "agent/probe/program_link.h"

namespace connscope::probe {

/// libbpf's messages of this thread while it lives, instead of on stderr.
class LibbpfMessages {
 public:
  LibbpfMessages();
  ~LibbpfMessages();
  LibbpfMessages(const LibbpfMessages&) = delete;
  LibbpfMessages& operator=(const LibbpfMessages&) = delete;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What `code` (an errno of a load or attach) most likely means for a person: policy, privilege, or a kernel that lacks
/// the feature.
[[nodiscard]] std::string explain_refusal(int code);

/// One of several ways to see the same events: the programs that go together.
struct Variant {
  std::string name;
  std::set<std::string> programs;
  std::string refusal;  ///< why it is out of the question; empty when it is not
};

class BpfObject {
 public:
  BpfObject() = default;
  BpfObject(BpfObject&&) = default;
  BpfObject& operator=(BpfObject&&) = default;
  BpfObject(const BpfObject&) = delete;
  BpfObject& operator=(const BpfObject&) = delete;
  ~BpfObject() = default;

  /// An object that was opened and not loaded, and whatever owns it.
  struct Opened {
    bpf_object* object = nullptr;
    std::shared_ptr<void> owner;
  };
  using Opener = std::function<Result<Opened>()>;

  /// Opens one of bpftool's skeletons; `configure(skeleton)` sets its read-only data and map sizes. Programs whose
  /// autoload it switches off are no hooks of this object.
  template <class Skeleton, class Configure>
  static Opener opener(Configure configure) {
    return [configure]() -> Result<Opened> {
      auto* skeleton = Skeleton::open();
      if (skeleton == nullptr) return Error::from_errno("open", errno);
      Opened opened{skeleton->obj, std::shared_ptr<void>(skeleton, [](void* pointer) {
                      Skeleton::destroy(static_cast<Skeleton*>(pointer));
                    })};
      configure(*skeleton);
      return opened;
    };
  }

  /// Opens, gives the object the shared maps, and loads it with the first of `variants` that is not refused. When all
  /// are refused, or a program is, opens and tries once more without any of them and without those named in `optional`,
  /// which then show as hooks with a problem.
  static Result<BpfObject> load(const Opener& open, const SharedMaps& shared, const std::vector<std::string>& optional,
                                std::vector<Variant> variants = {});

  /// Attaches every loaded program, those for cgroups at the top of their hierarchy. An error names the first program,
  /// not optional, that could not be attached.
  Status attach();
  /// Attaches a program whose skeleton does not, with its descriptor.
  Status attach_by(std::string_view program, const std::function<Status(int)>& how);
  void detach() { links_.clear(); }
  [[nodiscard]] bool is_attached(std::string_view program) const;
  /// Runs an `iter/bpf_map_elem` program over the entries of `map`; what it has written.
  Result<std::string> run_over_map(const char* program, const char* map);
  /// The same of an iterator over what the kernel has.
  Result<std::string> run_iterator(const char* program);

  /// The programs' global variables, by the names that they have in the skeleton; nullptr when nothing is loaded.
  template <class Skeleton>
  [[nodiscard]] auto variables() const {
    return static_cast<decltype(Skeleton::bss)>(loaded_.variables.get());
  }
  /// -1 when there is no such program, or it was left out.
  [[nodiscard]] int program_fd(std::string_view name) const;
  /// -1 when there is no such map.
  [[nodiscard]] int map_fd(const char* name) const;
  [[nodiscard]] std::uint64_t max_entries(const char* name) const;
  /// Every map that the object declares, by name.
  [[nodiscard]] SharedMaps maps() const;
  [[nodiscard]] const std::vector<HookStatus>& hooks() const { return hooks_; }
  [[nodiscard]] std::vector<ProgramStats> program_stats() const;
  /// The cells of the object's `ledger` map.
  [[nodiscard]] std::vector<LostEvents> lost() const;

 private:
  static Result<BpfObject> load_once(const Opener& open, const SharedMaps& shared,
                                     const std::vector<std::string>& optional, const std::vector<Variant>& variants,
                                     const std::string& refusal);
  /// Leaves out what cannot be loaded, and notes why: optional programs whose hook this kernel lacks, or all of them
  /// when a load with them was refused (`refusal` says how).
  void choose_programs(const bpf_object* object, const std::vector<Variant>& variants, const std::string& refusal);
  Result<std::string> run(const char* iterator, bpf_iter_link_info* over);
  [[nodiscard]] bool is_optional(const std::string& program) const;

  LoadedObject loaded_;
  std::vector<ProgramLink> links_;
  std::vector<std::string> optional_;
  std::vector<HookStatus> hooks_;
};

}  // namespace connscope::probe
