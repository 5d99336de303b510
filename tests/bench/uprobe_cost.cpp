// SPDX-License-Identifier: Apache-2.0
//
// What one hit of a uprobe costs at the places where the OpenSSL probe hangs: at each function's entry, and where the
// kernel emulates the instruction; a line each, in nanoseconds beyond the bare call. The verdict's stub is where it
// hangs only when it cannot hang behind the stub's calls, which is as cheap as the other places. The program there does
// nothing. It calls OpenSSL's functions over and over within this process, which alone is probed. Needs root.
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <linux/perf_event.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/probe/elf_imports.h"
#include "agent/probe/trial_program.h"
#include "agent/probe/x86_code.h"

namespace {

using connscope::Result;
using connscope::UniqueFd;
namespace probe = connscope::probe;

constexpr int kCalls = 20'000;
constexpr int kRounds = 9;
constexpr char kVerdict[] = "X509_STORE_CTX_get_error@plt";

/// The library that this process has.
struct Library {
  std::string path;
  std::uintptr_t base = 0;

  static Library of(const void* function) {
    Dl_info info{};
    link_map* map = nullptr;
    ::dladdr1(function, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP);
    return {map->l_name, map->l_addr};
  }
};

/// A program at that place of the file, in this process, for as long as it lives.
UniqueFd hang(int program, const std::string& path, std::uint64_t offset, bool at_return) {
  unsigned type = 0;
  std::ifstream("/sys/bus/event_source/devices/uprobe/type") >> type;
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.config = at_return ? 1 : 0;
  attributes.uprobe_path = reinterpret_cast<std::uintptr_t>(path.c_str());
  attributes.probe_offset = offset;
  UniqueFd event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (event) ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program);
  return event;
}

/// The median of some rounds, as single ones are disturbed.
double ns_of(const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    rounds.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / kCalls);
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

class Bench {
 public:
  Bench()
      : library_(Library::of(reinterpret_cast<void*>(&SSL_free))),
        file_(::open(library_.path.c_str(), O_RDONLY | O_CLOEXEC)),
        program_(probe::trial_program(BPF_PROG_TYPE_KPROBE, static_cast<bpf_attach_type>(0))) {}

  [[nodiscard]] bool can_run() const { return file_ && program_; }
  [[nodiscard]] std::uint64_t offset_of(const std::string& name) const { return function(name).offset; }
  [[nodiscard]] std::uintptr_t address_of(const std::string& name) const { return library_.base + offset_of(name); }

  void show_entry(const std::string& name, const std::function<void()>& call) const {
    const probe::Function found = function(name);
    const auto code = probe::code_of(file_.get(), found);
    const std::uint64_t cheap = code ? probe::emulated_offset(*code, probe::CallingConvention::kSystemV) : 0;
    const double bare = ns_of(call);
    std::printf("%-30s entry %7.0f   emulated, +%llu %7.0f\n", name.c_str(), cost(found.offset, false, call) - bare,
                static_cast<unsigned long long>(cheap), cost(found.offset + cheap, false, call) - bare);
  }
  void show_return(const std::string& name, const std::function<void()>& call) const {
    const double bare = ns_of(call);
    std::printf("%-30s return %6.0f\n", name.c_str(), cost(offset_of(name), true, call) - bare);
  }

 private:
  [[nodiscard]] probe::Function function(const std::string& name) const {
    const auto found = probe::functions_and_stubs_in(file_.get(), {name});
    return found && !found->empty() ? found->at(name).front() : probe::Function{};
  }
  [[nodiscard]] double cost(std::uint64_t offset, bool at_return, const std::function<void()>& call) const {
    const UniqueFd hung = hang(program_.get(), library_.path, offset, at_return);
    return ns_of(call);
  }

  Library library_;
  UniqueFd file_;
  UniqueFd program_;
};

void run(const Bench& bench) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL* session = SSL_new(context);
  X509_STORE_CTX* verified = X509_STORE_CTX_new();
  const auto verdict = reinterpret_cast<int (*)(X509_STORE_CTX*)>(bench.address_of(kVerdict));
  bench.show_entry("SSL_set_connect_state", [&] { SSL_set_connect_state(session); });
  bench.show_entry("SSL_set_accept_state", [&] { SSL_set_accept_state(session); });
  bench.show_entry("SSL_clear", [&] { SSL_clear(session); });
  SSL_set_accept_state(session);
  SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  bench.show_entry("SSL_do_handshake", [&] { SSL_do_handshake(session); });
  bench.show_entry("SSL_free", [] { SSL_free(nullptr); });
  if (bench.offset_of(kVerdict) != 0) bench.show_return(kVerdict, [&] { verdict(verified); });
  X509_STORE_CTX_free(verified);
  SSL_free(session);
  SSL_CTX_free(context);
}

}  // namespace

int main() {
  const Bench bench;
  if (!bench.can_run()) {
    std::perror("uprobe_cost");
    return 1;
  }
  run(bench);
  return 0;
}
