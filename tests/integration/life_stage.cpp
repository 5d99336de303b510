// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/life_stage.h"

#include <algorithm>

#include "tests/integration/lab.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(20);
// What both ends print when they have the connection.
constexpr char kReady[] = "ready";

std::vector<std::string> told(std::vector<std::string> words, const Part& part) {
  words.insert(words.end(), part.flags.begin(), part.flags.end());
  words.insert(words.end(), {"--do", std::string("say:") + kReady + ",line," + part.steps});
  return words;
}

}  // namespace

Result<Stage> Stage::open(const World& world, const Actor& client_actor, const Actor& server_actor,
                          const std::string& address, const Part& client, const Part& server) {
  auto listener = Listener::serve(server_actor, told({"0", "--count", "1"}, server), world.server().fd());
  if (!listener) return listener.error();
  const auto begun = std::chrono::steady_clock::now();
  auto child = client_actor.start(told({"talk", address, listener->port}, client), world.client().fd());
  if (!child) return child.error();
  Stage stage(world, std::move(*listener), std::move(*child), begun);
  for (ChildProcess* end : {&stage.client(), &stage.server()}) {
    if (!end->await_output(kReady, kLimit)) return Error("no connection: " + end->standard_error());
  }
  stage.established_ = std::chrono::steady_clock::now();
  return stage;
}

void Stage::go(ChildProcess& end) { must(end.write_input("go\n")); }

void Stage::go_both() {
  go(client());
  go(server());
}

void Stage::await(ChildProcess& end, const std::string& word) {
  if (!end.await_output("\n" + word + " ", kLimit)) {
    throw std::runtime_error("no " + word + ": " + end.standard_output() + end.standard_error());
  }
}

void Stage::await_end(ChildProcess& end) {
  end.close_input();
  const int status = must(end.wait(kLimit));
  if (!ended_well(status)) throw std::runtime_error("an actor failed: " + end.standard_error());
}

/// The rules of the two come after each other, and a busy machine may take seconds for that: `first` is spared what the
/// other still says when it has given up meanwhile.
void Stage::drop(const ChildProcess& first, const std::string& condition) {
  const auto rules = [&](const char* direction) {
    return "table inet cut_" + port() + " {\n chain input {\n type filter hook input priority -1\n tcp " + direction +
           " " + port() + condition + " drop\n }\n}\n";
  };
  const bool is_client = &first == &client_;
  if (is_client) must(world_->client().nft(rules("sport")));
  must(world_->server().nft(rules("dport")));
  if (!is_client) must(world_->client().nft(rules("sport")));
}

void Stage::cut(const ChildProcess& first) { drop(first, ""); }

void Stage::cut_ends() { drop(server(), " tcp flags fin"); }

void Stage::mend() {
  must(world_->client().nft("delete table inet cut_" + port() + "\n"));
  must(world_->server().nft("delete table inet cut_" + port() + "\n"));
}

std::string Stage::ss(const ChildProcess& end, std::vector<std::string> words) const {
  const bool is_client = &end == &client_;
  SpawnOptions options;
  options.argv = {"ss", "--no-header", "--tcp", "--numeric"};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.argv.push_back((is_client ? "dport = :" : "sport = :") + port());
  options.network_namespace = is_client ? world_->client().fd() : world_->server().fd();
  return must(run_program(options));
}

void Stage::destroy(const ChildProcess& end) {
  // It lists what it has destroyed.
  if (ss(end, {"--kill", "state", "connected"}).empty()) throw std::runtime_error("ss destroyed nothing");
}

void Stage::await_retransmission(const ChildProcess& end) {
  // "… retrans:1/2 …": those that are on their way, and all.
  if (!eventually(kLimit, [&] { return ss(end, {"--info"}).find(" retrans:") != std::string::npos; })) {
    throw std::runtime_error("nothing is sent again");
  }
}

void Stage::await_gone(const ChildProcess& end) {
  if (!eventually(kLimit, [&] { return ss(end, {"state", "connected"}).empty(); })) {
    throw std::runtime_error("the connection stays");
  }
}

std::vector<std::string> Stage::said(const ChildProcess& end) {
  std::vector<std::string> words = words_of(parse_said(end.standard_output()));
  const auto ready = std::find(words.begin(), words.end(), kReady);
  if (ready != words.end()) words.erase(words.begin(), ready + 1);
  return words;
}

}  // namespace connscope::testing
