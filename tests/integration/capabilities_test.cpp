// SPDX-License-Identifier: Apache-2.0
//
// The agent as the packaged unit runs it: a user of its own with six capabilities. With all of them it does what it
// does as root; without one it says what it does not see, and the rest works.
#include <gmock/gmock.h>
#include <linux/capability.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/file.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"

namespace connscope::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kOfTheUnit{"bpf",        "perfmon",         "net_admin",
                                          "sys_ptrace", "dac_read_search", "checkpoint_restore"};

std::vector<std::string> all_but(const std::string& one) {
  std::vector<std::string> rest;
  std::copy_if(kOfTheUnit.begin(), kOfTheUnit.end(), std::back_inserter(rest), [&](const auto& c) { return c != one; });
  return rest;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
  return text;
}

/// An agent with these capabilities and no other right, as the unit's are: ambient, and all that it can ever get. It
/// has a tracefs, as hosts with systemd do, in a mount namespace of its own.
AgentProcess start_with(const std::vector<std::string>& capabilities, const std::string& config = "") {
  std::string set = "-all";
  for (const std::string& one : capabilities) set += ",+" + one;
  const std::string mount = "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; ";
  const std::string become =
      "exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=" + set +
      " --inh-caps=" + set + " --ambient-caps=" + set + " \"$@\"";
  return must(AgentProcess::start({"unshare", "--mount", "sh", "-c", mount + become, "sh", CONNSCOPE_AGENT}, config));
}

std::set<std::string> probes_up(const Exposition& shown) {
  std::set<std::string> up;
  for (const ExposedSample& sample : shown.samples())
    if (sample.name == "connscope_probe_up" && sample.value == 1) up.insert(sample.labels.at("probe"));
  return up;
}

/// Hooks that are attached, by probe, kernel hook and variant.
std::set<LabelMap> hooks_of(const Exposition& shown, const std::string& probe) {
  std::set<LabelMap> hooks;
  for (const ExposedSample& sample : shown.samples())
    if (sample.name == "connscope_probe_info" && sample.labels.at("probe") == probe) hooks.insert(sample.labels);
  return hooks;
}

class CapabilitiesTest : public ::testing::Test {
 protected:
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }
};

TEST_F(CapabilitiesTest, WithThoseOfTheUnitItDoesWhatItDoesAsRoot) {
  std::set<std::string> as_root;
  std::set<LabelMap> hooks_as_root;
  {
    const AgentProcess root = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
    const Exposition shown = must(root.scrape());
    as_root = probes_up(shown);
    hooks_as_root = hooks_of(shown, "tcp");
  }
  const AgentProcess agent = start_with(kOfTheUnit);
  EXPECT_THAT(agent.log(), Not(HasSubstr("without CAP_")));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(probes_up(shown), as_root) << agent.log();
  EXPECT_EQ(hooks_of(shown, "tcp"), hooks_as_root) << agent.log();
}

TEST_F(CapabilitiesTest, AProcessOfAnotherUserIsCountedUnderItsName) {
  const NetNamespace apart = must(NetNamespace::create());
  const Actor actor = must(Actor::create("capable"));
  const AgentProcess agent = start_with(kOfTheUnit, kWithoutTls);
  must(actor.run({"connect", "127.0.0.1", "7000"}, apart.fd()));
  EXPECT_EQ(must(agent.scrape()).sum("conn_tcp_connects_total", {{"process", actor.name()}}), 1) << agent.log();
}

/// By thread: name and permitted capabilities.
std::vector<std::pair<std::string, std::uint64_t>> rights_of_threads(pid_t pid) {
  std::vector<std::pair<std::string, std::uint64_t>> rights;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const std::string status = must(read_file(thread.path() / "status"));
    const std::size_t name = status.find('\t') + 1;
    constexpr std::string_view kPermitted = "CapPrm:\t";
    const std::size_t permitted = status.find(kPermitted) + kPermitted.size();
    rights.emplace_back(status.substr(name, status.find('\n') - name),
                        std::stoull(status.substr(permitted), nullptr, 16));
  }
  return rights;
}

TEST_F(CapabilitiesTest, ThoseThatOnlyAStartNeedsAreGivenUp) {
  AgentProcess agent =
      start_with(kOfTheUnit, std::string(kWithoutTls) +
                                 "[[policy]]\nname = \"a\"\ninterval = \"1h\"\nreport = [\"*\"]\nto = [\"log\"]\n");
  must(agent.scrape());  // it is ready a moment after it says so
  std::size_t of_http = 0;
  for (const auto& [name, permitted] : rights_of_threads(agent.process().pid())) {
    EXPECT_EQ(permitted >> CAP_NET_ADMIN & 1U, 0U) << name;
    if (name.find("civetweb") == std::string::npos) continue;
    ++of_http;
    EXPECT_EQ(permitted, 0U) << name;
  }
  EXPECT_GT(of_http, 2U);
}

struct Loss {
  std::string capability;
  std::set<std::string> probes_that_stay;  // of identity, tcp and dns
};

class WithoutOneTest : public CapabilitiesTest, public ::testing::WithParamInterface<Loss> {};

TEST_P(WithoutOneTest, ItSaysWhatItMissesAndDoesTheRest) {
  const AgentProcess agent = start_with(all_but(GetParam().capability), kWithoutTls);
  EXPECT_THAT(agent.log(), HasSubstr("without CAP_" + upper(GetParam().capability) + ": "));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.count("connscope_build_info"), 1U);
  std::set<std::string> up = probes_up(shown);
  std::erase_if(up, [](const std::string& probe) { return probe != "identity" && probe != "tcp" && probe != "dns"; });
  EXPECT_EQ(up, GetParam().probes_that_stay) << agent.log();
}

INSTANTIATE_TEST_SUITE_P(Capabilities, WithoutOneTest,
                         ::testing::Values(Loss{"bpf", {}}, Loss{"perfmon", {}}, Loss{"net_admin", {"identity", "tcp"}},
                                           Loss{"sys_ptrace", {"identity", "tcp", "dns"}},
                                           Loss{"dac_read_search", {"identity", "tcp", "dns"}},
                                           Loss{"checkpoint_restore", {"identity", "tcp", "dns"}}),
                         [](const auto& loss) { return loss.param.capability; });

}  // namespace
}  // namespace connscope::testing
