// SPDX-License-Identifier: Apache-2.0
#include "tests/support/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "agent/base/file.h"

namespace connscope::testing {
namespace {

/// Namespaces belong to threads: the work is done in one of its own, and the test's stays where it is.
void in_own_thread(const std::function<void()>& work) { std::thread(work).join(); }

Status write_file(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return Error::from_errno(path, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error::from_errno(path, errno);
  }
  return {};
}

Status first_error(std::initializer_list<Status> steps) {
  for (const Status& step : steps) {
    if (!step) return step;
  }
  return {};
}

Status tune_client(const NetNamespace& client) {
  // Kernels from 6.5 on send further SYNs at one-second intervals before the doubling ones.
  if (client.read_sysctl("net/ipv4/tcp_syn_linear_timeouts")) {
    if (Status linear = client.set_sysctl("net/ipv4/tcp_syn_linear_timeouts", "0"); !linear) return linear;
  }
  return first_error({
      client.set_sysctl("net/ipv4/tcp_syn_retries", "1"),
      client.set_sysctl("net/ipv4/tcp_fastopen", "1"),
      client.set_sysctl("net/ipv4/neigh/veth0/mcast_solicit", "1"),
      client.set_sysctl("net/ipv4/neigh/veth0/retrans_time_ms", "200"),
      client.set_sysctl("net/ipv6/neigh/veth0/mcast_solicit", "1"),
      client.set_sysctl("net/ipv6/neigh/veth0/retrans_time_ms", "200"),
  });
}

}  // namespace

Result<NetNamespace> NetNamespace::create() {
  UniqueFd fd;
  int error = 0;
  in_own_thread([&] {
    if (::unshare(CLONE_NEWNET) == 0) fd.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    error = errno;
  });
  if (!fd) return Error::from_errno("new network namespace", error);
  NetNamespace made(std::move(fd));
  if (Status up = made.ip("link set lo up\n"); !up) return up.error();
  return made;
}

std::string NetNamespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
}

Status NetNamespace::ip(std::string_view commands) const {
  const auto output = run_program({{"ip", "-batch", "-"}, fd_.get(), {}}, commands);
  if (!output) return output.error();
  return {};
}

Status NetNamespace::nft(std::string_view rules) const {
  const auto output = run_program({{"nft", "-f", "-"}, fd_.get(), {}}, rules);
  if (!output) return output.error();
  return {};
}

Status NetNamespace::set_sysctl(const std::string& key, const std::string& value) const {
  Status done;
  in_own_thread([&] {
    done = ::setns(fd_.get(), CLONE_NEWNET) == 0 ? write_file("/proc/sys/" + key, value)
                                                 : Status(Error::from_errno("setns", errno));
  });
  return done;
}

Result<std::string> NetNamespace::read_sysctl(const std::string& key) const {
  Result<std::string> value;
  in_own_thread([&] {
    value = ::setns(fd_.get(), CLONE_NEWNET) == 0 ? read_file("/proc/sys/" + key)
                                                  : Result<std::string>(Error::from_errno("setns", errno));
  });
  return value;
}

Result<NamespacePair> NamespacePair::create() {
  auto client = NetNamespace::create();
  if (!client) return client.error();
  auto server = NetNamespace::create();
  if (!server) return server.error();
  const Status linked = client->ip("link add veth0 type veth peer name veth0 netns " + server->path() +
                                   "\n"
                                   "addr add 10.77.0.1/24 dev veth0\n"
                                   "addr add fd77::1/64 dev veth0 nodad\n"
                                   "link set veth0 up\n");
  if (!linked) return linked.error();
  const Status answered = server->ip(
      "addr add 10.77.0.2/24 dev veth0\n"
      "addr add fd77::2/64 dev veth0 nodad\n"
      "link set veth0 up\n");
  if (!answered) return answered.error();
  if (Status tuned = tune_client(*client); !tuned) return tuned.error();
  if (Status open = server->set_sysctl("net/ipv4/tcp_fastopen", "2"); !open) return open.error();
  return NamespacePair{std::move(*client), std::move(*server)};
}

}  // namespace connscope::testing
