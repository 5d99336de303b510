// SPDX-License-Identifier: Apache-2.0
//
// LoadedObject: what the running agent needs of a BPF object once it is loaded: descriptors of its programs and maps,
// and its global variables. libbpf's own object keeps the code, the types and the relocations of every program beside
// these, which is some hundred KiB each that nobody asks for any more.
//
// Owns descriptors of its own and the mapping; libbpf's object may be closed. Any thread. Source: bpf(2).
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

struct LoadedProgram {
  std::string name;
  std::string section;  ///< "tp_btf/inet_sock_set_state"
  bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
  bpf_attach_type attach_type = BPF_CGROUP_INET_INGRESS;
  bool attaches = false;  ///< with the object; others are hung by who knows where
  UniqueFd fd;            ///< none: it was left out
};

struct LoadedMap {
  UniqueFd fd;
  std::uint64_t max_entries = 0;
};

/// The object's `.bss`, shared with its programs.
struct Unmapper {
  std::size_t size = 0;
  void operator()(void* memory) const;
};
using GlobalVariables = std::unique_ptr<void, Unmapper>;

struct LoadedObject {
  std::vector<LoadedProgram> programs;
  std::map<std::string, LoadedMap, std::less<>> maps;  ///< those that it declares
  GlobalVariables variables;                           ///< nullptr where there are none

  static Result<LoadedObject> take(const bpf_object* object);

  /// nullptr when there is none of that name.
  [[nodiscard]] const LoadedProgram* program(std::string_view name) const;
  [[nodiscard]] const LoadedMap* map(std::string_view name) const;
};

}  // namespace connscope::probe
