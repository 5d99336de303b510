// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/cgroup_path.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace connscope::identity {
namespace {

constexpr std::array<std::string_view, 5> kUnitSuffixes{".service", ".scope", ".socket", ".mount", ".swap"};
constexpr std::size_t kContainerIdLength = 64;

/// Splits the first component off; both are empty at the end.
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
  const std::size_t begin = std::min(path.find_first_not_of('/'), path.size());
  const std::size_t end = std::min(path.find('/', begin), path.size());
  return {path.substr(begin, end - begin), path.substr(end)};
}

bool is_unit(std::string_view name) {
  return std::any_of(kUnitSuffixes.begin(), kUnitSuffixes.end(),
                     [&](std::string_view suffix) { return name.size() > suffix.size() && name.ends_with(suffix); });
}

bool is_user_manager(std::string_view unit) { return unit.starts_with("user@") && unit.ends_with(".service"); }

std::string_view container_of(std::string_view component) {
  constexpr std::string_view kScope = ".scope";
  if (component.ends_with(kScope)) component.remove_suffix(kScope.size());
  if (component.size() < kContainerIdLength) return {};
  const std::string_view id = component.substr(component.size() - kContainerIdLength);
  const std::string_view runtime = component.substr(0, component.size() - kContainerIdLength);
  if (id.find_first_not_of("0123456789abcdef") != std::string_view::npos) return {};
  if (runtime.ends_with("conmon-")) return {};
  // containerd sets ":" between slice, runtime and id when kubelet and it disagree on who manages cgroups.
  return runtime.empty() || runtime.ends_with('-') || runtime.ends_with(':') ? id : std::string_view();
}

}  // namespace

std::string_view systemd_unit(std::string_view path) {
  std::string_view manager;
  while (!path.empty()) {
    auto [name, rest] = split_first(path);
    path = rest;
    if (name.starts_with('_')) name.remove_prefix(1);
    if (!is_unit(name)) continue;
    if (!manager.empty() || !is_user_manager(name)) return name;
    manager = name;
  }
  return manager;
}

std::string_view container_id(std::string_view path) {
  std::string_view innermost;
  while (!path.empty()) {
    const auto [name, rest] = split_first(path);
    path = rest;
    const std::string_view id = container_of(name);
    if (!id.empty()) innermost = id;
  }
  return innermost;
}

}  // namespace connscope::identity
