// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/bpf_object.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "agent/base/unique_fd.h"
#include "agent/probe/ledger.h"
#include "agent/probe/map_drain.h"
#include "agent/probe/root_cgroup.h"
#include "agent/probe/tracepoint.h"

namespace connscope::probe {
namespace {

thread_local std::string* messages_of_thread = nullptr;

[[gnu::format(printf, 2, 0)]] int keep_message(libbpf_print_level level, const char* format, va_list arguments) {
  if (messages_of_thread == nullptr || level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string line(static_cast<std::size_t>(length) + 1, '\0');
  std::vsnprintf(line.data(), line.size(), format, arguments);
  line.pop_back();
  *messages_of_thread += line;
  return length;
}

/// The programs that libbpf's messages name as refused: "libbpf: prog 'NAME': …".
std::string refused_program(const std::string& messages) {
  const std::string marker = "prog '";
  const auto at = messages.find(marker);
  if (at == std::string::npos) return {};
  const auto begin = at + marker.size();
  return messages.substr(begin, messages.find('\'', begin) - begin);
}

constexpr std::string_view kTracepoint = "tracepoint/";
constexpr std::string_view kBtfTracepoint = "tp_btf/";
constexpr std::string_view kIterator = "iter/";

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

/// Only what can be told before the load: a tracepoint with BTF that this kernel does not have.
bool hook_exists(std::string_view section) {
  if (!starts_with(section, kBtfTracepoint)) return true;
  const std::string name(section.substr(kBtfTracepoint.size()));
  return libbpf_find_vmlinux_btf_id(name.c_str(), BPF_TRACE_RAW_TP) > 0;
}

bool hangs_on_cgroup(bpf_prog_type type) {
  return type == BPF_PROG_TYPE_SOCK_OPS || type == BPF_PROG_TYPE_CGROUP_SKB || type == BPF_PROG_TYPE_CGROUP_SOCK;
}

Result<ProgramLink> attach_program(const LoadedProgram& program) {
  const std::string_view section = program.section;
  const int fd = program.fd.get();
  if (starts_with(section, kTracepoint)) return attach_tracepoint(fd, section.substr(kTracepoint.size()));
  if (!hangs_on_cgroup(program.type)) return link_tracing(fd);
  const auto root = open_root_cgroup();
  if (!root) return root.error();
  return link_cgroup(fd, root->get(), program.attach_type);
}

bool is_usable(const Variant& variant) { return variant.refusal.empty(); }

std::vector<Variant>::const_iterator first_usable(const std::vector<Variant>& variants) {
  return std::find_if(variants.begin(), variants.end(), is_usable);
}

}  // namespace

LibbpfMessages::LibbpfMessages() {
  libbpf_set_print(keep_message);
  messages_of_thread = &text_;
}

LibbpfMessages::~LibbpfMessages() { messages_of_thread = nullptr; }

std::string explain_refusal(int code) {
  switch (code) {
    case EPERM:
      return "refused: the agent lacks a capability (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN or root), or this kernel's "
             "policy "
             "forbids it";
    case ESRCH:
      return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF) or lacks the hook";
    case ENOENT:
      return "this kernel lacks the hook";
    case EACCES:
    case EINVAL:
    case ENOTSUP:
      return "this kernel's verifier refuses it, or lacks a feature that it uses";
    case ENOMEM:
      return "no memory: the limit on locked memory may be too low (LimitMEMLOCK=infinity)";
    default:
      return std::strerror(code);  // NOLINT(concurrency-mt-unsafe)
  }
}

void BpfObject::choose_programs(const bpf_object* opened, const std::vector<Variant>& variants,
                                const std::string& refusal) {
  const auto chosen = first_usable(variants);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, opened) {
    if (!bpf_program__autoload(program)) continue;
    HookStatus hook{bpf_program__name(program), bpf_program__section_name(program), "not attached", ""};
    const auto variant = std::find_if(variants.begin(), variants.end(),
                                      [&](const Variant& some) { return some.programs.count(hook.program) != 0; });
    if (variant != variants.end()) hook.variant = variant->name;
    if (variant != variants.end() && variant != chosen) {
      hook.problem = variant->refusal.empty() ? "not needed beside variant " + chosen->name : variant->refusal;
    } else if (is_optional(hook.program) && !refusal.empty()) {
      hook.problem = refusal;
    } else if (is_optional(hook.program) && !hook_exists(hook.hook)) {
      hook.problem = explain_refusal(ENOENT);
    } else {
      hooks_.push_back(hook);
      continue;
    }
    bpf_program__set_autoload(program, false);
    hooks_.push_back(hook);
  }
}

Result<BpfObject> BpfObject::load_once(const Opener& open, const SharedMaps& shared,
                                       const std::vector<std::string>& optional, const std::vector<Variant>& variants,
                                       const std::string& refusal) {
  LibbpfMessages messages;
  auto opened = open();
  if (!opened) return opened.error();
  BpfObject object;
  object.optional_ = optional;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, opened->object) {
    const auto found = shared.find(bpf_map__name(map));
    if (found == shared.end()) continue;
    if (const int error = bpf_map__reuse_fd(map, found->second); error != 0)
      return Error::from_errno("share map " + found->first, -error);
  }
  object.choose_programs(opened->object, variants, refusal);
  if (const int error = bpf_object__load(opened->object); error != 0) {
    const std::string name = refused_program(messages.text());
    return Error(explain_refusal(-error), -error).context(name.empty() ? "load" : "load program " + name);
  }
  auto loaded = LoadedObject::take(opened->object);
  if (!loaded) return loaded.error().context("load");
  object.loaded_ = std::move(*loaded);
  return object;
}

Result<BpfObject> BpfObject::load(const Opener& open, const SharedMaps& shared,
                                  const std::vector<std::string>& optional, std::vector<Variant> variants) {
  for (;;) {
    auto object = load_once(open, shared, optional, variants, "");
    if (object) return object;
    // The refused program may be one of the variant's: then the next one is worth a try.
    const auto tried = std::find_if(variants.begin(), variants.end(), is_usable);
    if (tried != variants.end()) {
      tried->refusal = object.error().message();
      continue;
    }
    if (optional.empty()) return object;
    return load_once(open, shared, optional, variants, object.error().message());
  }
}

bool BpfObject::is_optional(const std::string& program) const {
  return std::find(optional_.begin(), optional_.end(), program) != optional_.end();
}

Status BpfObject::attach() {
  for (HookStatus& hook : hooks_) {
    const LoadedProgram* program = loaded_.program(hook.program);
    if (program == nullptr || !program->fd || !program->attaches) continue;
    if (starts_with(program->section, kIterator)) {  // attached for each run
      hook.problem.clear();
      continue;
    }
    auto link = attach_program(*program);
    hook.problem = link ? "" : link.error().message();
    if (link) {
      links_.push_back(std::move(*link));
    } else if (!is_optional(hook.program)) {
      detach();
      return link.error().context("attach " + hook.hook);
    }
  }
  return {};
}

Status BpfObject::attach_by(std::string_view program, const std::function<Status(int)>& how) {
  for (HookStatus& hook : hooks_) {
    if (hook.program != program) continue;
    const Status attached = how(program_fd(program));
    hook.problem = attached ? "" : attached.error().message();
    return attached;
  }
  return Error("no program " + std::string(program));
}

bool BpfObject::is_attached(std::string_view program) const {
  return std::any_of(hooks_.begin(), hooks_.end(),
                     [&](const HookStatus& hook) { return hook.program == program && hook.problem.empty(); });
}

Result<std::string> BpfObject::run_over_map(const char* program, const char* map) {
  bpf_iter_link_info over{};
  over.map.map_fd = static_cast<std::uint32_t>(map_fd(map));
  auto written = run(program, &over);
  return written ? written : written.error().context(program);
}

Result<std::string> BpfObject::run_iterator(const char* program) {
  auto written = run(program, nullptr);
  return written ? written : written.error().context(program);
}

Result<std::string> BpfObject::run(const char* iterator, bpf_iter_link_info* over) {
  const int program = program_fd(iterator);
  if (program < 0) return std::string();  // its hook says why
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.iter_info = over;
  options.iter_info_len = over == nullptr ? 0 : sizeof(*over);
  const UniqueFd link(bpf_link_create(program, 0, BPF_TRACE_ITER, &options));
  if (!link) return Error::from_errno("attach", errno);
  const UniqueFd run(bpf_iter_create(link.get()));
  if (!run) return Error::from_errno("create", errno);
  // The program runs as the descriptor is read to its end.
  std::string written;
  std::array<char, 4096> part{};
  ssize_t length = 0;
  while ((length = ::read(run.get(), part.data(), part.size())) > 0 || (length < 0 && errno == EINTR)) {
    if (length > 0) written.append(part.data(), static_cast<std::size_t>(length));
  }
  if (length != 0) return Error::from_errno("read", errno);
  return written;
}

int BpfObject::program_fd(std::string_view name) const {
  const LoadedProgram* program = loaded_.program(name);
  return program == nullptr ? -1 : program->fd.get();
}

int BpfObject::map_fd(const char* name) const {
  const LoadedMap* map = loaded_.map(name);
  return map == nullptr ? -1 : map->fd.get();
}

std::uint64_t BpfObject::max_entries(const char* name) const {
  const LoadedMap* map = loaded_.map(name);
  return map == nullptr ? 0 : map->max_entries;
}

SharedMaps BpfObject::maps() const {
  SharedMaps shared;
  for (const auto& [name, map] : loaded_.maps) shared[name] = map.fd.get();
  return shared;
}

std::vector<ProgramStats> BpfObject::program_stats() const {
  std::vector<ProgramStats> stats;
  for (const LoadedProgram& program : loaded_.programs) {
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (!program.fd || bpf_obj_get_info_by_fd(program.fd.get(), &info, &size) != 0) continue;
    stats.push_back({program.name, info.run_time_ns, info.run_cnt, info.recursion_misses});
  }
  return stats;
}

std::vector<LostEvents> BpfObject::lost() const {
  std::vector<LostEvents> lost;
  const int ledger = map_fd("ledger");
  for (std::uint32_t cause = 0; ledger >= 0 && cause < kLossCauseNames.size(); ++cause)
    lost.push_back({std::string(kLossCauseNames[cause]), read_counter(ledger, cause).value_or(0)});
  return lost;
}

}  // namespace connscope::probe
