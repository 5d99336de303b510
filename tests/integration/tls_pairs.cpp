// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tls_pairs.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kStartLimit{10};
constexpr std::chrono::seconds kRunLimit{20};
constexpr std::chrono::seconds kSettleLimit{10};
// What a library has to say is waited for as long as this; a second count would have come by then.
constexpr std::chrono::milliseconds kNothingMore{2500};
/// So many pairs meet at a time: their programs mostly wait.
constexpr std::size_t kLanes = 4;
constexpr char kFamilies[] = "name[]=conn_tls_*&name[]=conn_failures_total";

/// The outcome of one of `runs` that were all alike; as it is when they were not.
TlsOutcome of_one(TlsOutcome all, int runs) {
  for (double* each : {&all.ok, &all.failed, &all.in_flight}) *each /= runs;
  for (auto& [reason, count] : all.failures) count /= runs;
  return all;
}

std::vector<std::string> with_port(std::vector<std::string> arguments, const std::string& port) {
  static constexpr std::string_view kPlace = "PORT";
  for (std::string& each : arguments)
    if (const auto at = each.find(kPlace); at != std::string::npos) each.replace(at, kPlace.size(), port);
  return arguments;
}

double runs_of(const AgentProcess& agent, const std::string& probe) {
  double runs = 0;
  const Exposition shown = must(agent.scrape("name[]=connscope_bpf_runs_total"));
  for (const ExposedSample& sample : shown.samples()) {
    if (sample.name != "connscope_bpf_runs_total") continue;
    const std::string& program = sample.labels.at("program");
    if (program.substr(0, probe.size() + 1) == probe + "/") runs += sample.value;
  }
  return runs;
}

}  // namespace

Words operator+(Words first, const Words& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

std::string port_of(ChildProcess& server) {
  static constexpr std::string_view kBefore = "port ";
  server.await_output("\n", kStartLimit);
  const std::string said = server.standard_output();
  if (said.substr(0, kBefore.size()) != kBefore) throw std::runtime_error("no port: " + server.standard_error());
  return said.substr(kBefore.size(), said.find('\n') - kBefore.size());
}

void run_pair(const Actor& server, const Actor& client, const TlsPair& pair) {
  ChildProcess listening = must(server.start(pair.server));
  const std::vector<std::string> arguments = with_port(pair.client, port_of(listening));
  ChildProcess connecting = must(client.start(arguments));
  connecting.close_input();
  must(connecting.wait(kRunLimit));
  must(listening.wait(kRunLimit));
}

double runs_during(const AgentProcess& agent, const std::string& probe, const std::function<void()>& what) {
  const UniqueFd counting(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!counting) throw std::runtime_error("the kernel counts no runs of BPF programs");
  const double before = runs_of(agent, probe);
  what();
  return runs_of(agent, probe) - before;
}

double runs_of_pair(const AgentProcess& agent, const std::string& probe, const std::string& program,
                    const TlsPair& pair) {
  const Actor server = must(Actor::create("measured_s", program));
  const Actor client = must(Actor::create("measured_c", program));
  return runs_during(agent, probe, [&] { run_pair(server, client, pair); });
}

TlsPairs::TlsPairs(const std::string& name, const TlsPairPrograms& programs, std::vector<TlsPair> pairs)
    : pairs_(std::move(pairs)) {
  for (std::size_t at = 0; at < pairs_.size(); ++at) {
    servers_.push_back(must(Actor::create(name + "_s" + std::to_string(at), programs.server)));
    clients_.push_back(must(Actor::create(name + "_c" + std::to_string(at), programs.client)));
  }
}

void TlsPairs::run_lane(std::size_t lane) const {
  for (std::size_t at = lane; at < pairs_.size(); at += kLanes)
    for (int run_number = 0; run_number < kPairRuns; ++run_number) run_pair(servers_[at], clients_[at], pairs_[at]);
}

void TlsPairs::meet(const AgentProcess& agent) {
  std::vector<std::future<void>> lanes;
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    lanes.push_back(std::async(std::launch::async, [this, lane] { run_lane(lane); }));
  for (std::future<void>& lane : lanes) lane.get();
  const auto look = [&] {
    outcomes_ = read_tls_outcomes(must(agent.scrape(kFamilies)));
    return differences().empty();
  };
  eventually(kSettleLimit, look);
  std::this_thread::sleep_for(kNothingMore);
  look();
}

std::vector<std::string> TlsPairs::differences() const {
  std::vector<std::string> found;
  const auto compare = [&](const TlsPair& pair, const char* side, const Actor& actor, const std::string& expected) {
    const std::string told = word(actor);
    if (!expected.empty() && told != expected)
      found.push_back(pair.name + ": the " + side + " has " + told + " and not " + expected);
  };
  for (std::size_t at = 0; at < pairs_.size(); ++at) {
    compare(pairs_[at], "server", servers_[at], pairs_[at].server_word);
    compare(pairs_[at], "client", clients_[at], pairs_[at].client_word);
  }
  return found;
}

std::string TlsPairs::word(const Actor& actor) const {
  const auto found = outcomes_.find(actor.name());
  if (found == outcomes_.end()) return TlsOutcome().word();
  // A failure of which there is no handshake has no word there.
  const TlsOutcome one = of_one(found->second, kPairRuns);
  const bool has_handshake = one.ok + one.failed + one.in_flight > 0;
  if (!has_handshake && one.failures.size() == 1 && one.failures.begin()->second == 1)
    return "no handshake, " + one.failures.begin()->first;
  return one.word();
}

void expect_no_differences(const TlsPairs& pairs) {
  for (const std::string& difference : pairs.differences()) ADD_FAILURE() << difference;
}

void await_library(const AgentProcess& agent, const std::string& probe) {
  const bool found = eventually(kStartLimit, [&] {
    return must(agent.scrape("name[]=connscope_bpf_map_*"))
               .sum("connscope_bpf_map_entries", {{"map", probe + "/libraries"}}) > 0;
  });
  if (!found) throw std::runtime_error("the probe " + probe + " hangs in no library");
}

}  // namespace connscope::testing
