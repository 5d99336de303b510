// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/loaded_object.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace connscope::probe {
namespace {

Result<UniqueFd> duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return Error::from_errno("descriptor", errno);
  return copy;
}

Result<LoadedProgram> take_program(const bpf_program* program) {
  LoadedProgram taken{bpf_program__name(program),       bpf_program__section_name(program),
                      bpf_program__type(program),       bpf_program__expected_attach_type(program),
                      bpf_program__autoattach(program), {}};
  if (bpf_program__fd(program) < 0) return taken;
  auto fd = duplicate(bpf_program__fd(program));
  if (!fd) return fd.error().context("program " + taken.name);
  taken.fd = std::move(*fd);
  return taken;
}

/// libbpf makes a map of each of the object's sections of data, and calls it by the object and the section.
bool is_bss(const bpf_map* map) {
  const std::string_view name = bpf_map__name(map);
  return bpf_map__is_internal(map) && name.ends_with(".bss");
}

Result<GlobalVariables> map_variables(const bpf_map* map) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = (bpf_map__value_size(map) + page - 1) / page * page;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
  if (memory == MAP_FAILED) return Error::from_errno(std::string("map ") + bpf_map__name(map), errno);
  return GlobalVariables(memory, Unmapper{size});
}

}  // namespace

void Unmapper::operator()(void* memory) const { ::munmap(memory, size); }

Result<LoadedObject> LoadedObject::take(const bpf_object* object) {
  LoadedObject loaded;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    auto taken = take_program(program);
    if (!taken) return taken.error();
    loaded.programs.push_back(std::move(*taken));
  }
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (is_bss(map)) {
      auto variables = map_variables(map);
      if (!variables) return variables.error();
      loaded.variables = std::move(*variables);
    }
    if (bpf_map__is_internal(map)) continue;
    auto fd = duplicate(bpf_map__fd(map));
    if (!fd) return fd.error().context(std::string("map ") + bpf_map__name(map));
    loaded.maps.emplace(bpf_map__name(map), LoadedMap{std::move(*fd), bpf_map__max_entries(map)});
  }
  return loaded;
}

const LoadedProgram* LoadedObject::program(std::string_view name) const {
  const auto found =
      std::find_if(programs.begin(), programs.end(), [=](const LoadedProgram& each) { return each.name == name; });
  return found == programs.end() ? nullptr : &*found;
}

const LoadedMap* LoadedObject::map(std::string_view name) const {
  const auto found = maps.find(name);
  return found == maps.end() ? nullptr : &found->second;
}

}  // namespace connscope::probe
