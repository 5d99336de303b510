// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/lab.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>

namespace connscope::testing {
namespace {

double total(const std::map<std::string, double>& counts) {
  double sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

}  // namespace

ConnectCounts ConnectCounts::of(const Exposition& exposition, const std::string& process) {
  static constexpr char kDurations[] = "conn_tcp_connect_duration_seconds";
  ConnectCounts counts;
  for (const char* family : {"ipv4", "ipv6"}) {
    const LabelMap labels = {{"process", process}, {"ip_family", family}};
    LabelMap ok = labels;
    ok["outcome"] = "ok";
    LabelMap fail = labels;
    fail["outcome"] = "fail";
    counts.attempts[family] = exposition.sum("conn_tcp_connects_total", labels);
    counts.ok[family] = exposition.sum(std::string(kDurations) + "_count", ok);
    counts.failed[family] = exposition.sum(std::string(kDurations) + "_count", fail);
  }
  for (const ExposedSample& sample : exposition.samples()) {
    if (sample.name != "conn_failures_total" || sample.labels.at("process") != process || sample.value == 0) continue;
    if (sample.labels.at("role") != "client") continue;
    EXPECT_EQ(sample.labels.at("stage"), "tcp");
    counts.failures[sample.labels.at("reason")] = sample.value;
  }
  counts.in_flight = exposition.sum("conn_tcp_connects_in_flight", {{"process", process}});
  counts.duration_seconds = exposition.sum(std::string(kDurations) + "_sum", {{"process", process}});
  return counts;
}

double ConnectCounts::all_attempts() const { return total(attempts); }

double ConnectCounts::all_ended() const { return total(ok) + total(failed); }

Result<RefusingPort> RefusingPort::take() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(local);
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&local), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    return Error::from_errno("a refusing port", errno);
  }
  return RefusingPort(std::move(fd), std::to_string(ntohs(local.sin_port)));
}

bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

}  // namespace connscope::testing
