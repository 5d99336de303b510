// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/life_scenario.h"

#include <csignal>

#include "tests/integration/lab.h"

namespace connscope::testing {
namespace {

using Flags = std::vector<std::string>;

/// Both go on by themselves.
void play_out(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.go_both();
  Stage::await_end(self);
  Stage::await_end(peer);
}

/// Nothing arrives any more once `self` has said `word`; `peer` only sees it when all is over.
LifeScenario::Play cut_after(const std::string& word, bool goes_on) {
  return [word, goes_on](Stage& stage, ChildProcess& self, ChildProcess& peer) {
    stage.go_both();
    Stage::await(self, word);
    stage.cut(peer);
    if (goes_on) Stage::go(self);
    Stage::await_end(self);
    stage.await_gone(self);
    stage.mend();
    Stage::await_end(peer);
  };
}

/// `peer` says that its bytes have arrived, before `self` goes on.
void play_after_arrival(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.go_both();
  Stage::await(peer, "acked");
  Stage::go(self);
  Stage::await_end(self);
  Stage::await_end(peer);
}

/// The path fails for a moment.
void play_interrupted(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.go_both();
  Stage::await(self, "acked");
  stage.cut(peer);
  Stage::go(self);
  stage.await_retransmission(self);
  stage.mend();
  Stage::await_end(self);
  Stage::await_end(peer);
}

void play_destroyed(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.go_both();
  Stage::await(self, "acked");
  stage.destroy(self);
  Stage::await_end(self);
  Stage::await_end(peer);
}

void play_killed(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.go_both();
  Stage::await(self, "acked");
  must(self.send_signal(SIGKILL));
  must(self.wait(std::chrono::seconds(5)));
  Stage::await_end(peer);
}

/// Both FINs are on their way before either arrives: what is sent again arrives at an end that has sent its own.
void play_simultaneous(Stage& stage, ChildProcess& self, ChildProcess& peer) {
  stage.cut_ends();
  stage.go_both();
  Stage::await_end(self);
  Stage::await_end(peer);
  stage.mend();
}

LifeScenario scenario(const std::string& name, Part self, Part peer, End self_end, End peer_end,
                      LifeScenario::Play play = play_out) {
  return {name, std::move(self), std::move(peer), std::move(self_end), std::move(peer_end), std::move(play)};
}

void add_for_both_roles(std::vector<LifeScenario>& list, LifeScenario added) {
  const std::string name = added.name;
  for (const bool self_is_client : {true, false}) {
    added.self_is_client = self_is_client;
    added.name = name + (self_is_client ? "_client" : "_server");
    list.push_back(added);
  }
}

void add_endings(std::vector<LifeScenario>& list) {
  add_for_both_roles(
      list, scenario("fin", {"send:1000,close"}, {"eof,close"}, {"local_fin", 1000, 0}, {"remote_fin", 0, 1000}));
  add_for_both_roles(list, scenario("echo", {"exchange:100000,close"}, {"echo,close"}, {"local_fin", 100000, 100000},
                                    {"remote_fin", 100000, 100000}));
  add_for_both_roles(list, scenario("silent", {"close"}, {"eof,close"}, {"local_fin"}, {"remote_fin"}));
  add_for_both_roles(list, scenario("killed", {"send:1000,acked,say:acked,end"}, {"eof,close"},
                                    {"local_fin", 1000, 0, "", {"acked"}}, {"remote_fin", 0, 1000}, play_killed));
  add_for_both_roles(list, scenario("half_close", {"send:1000,half,eof,close"}, {"eof,send:500,close"},
                                    {"local_fin", 1000, 500}, {"remote_fin", 500, 1000}));
  End resent{"local_fin", 3000, 0, "", {"acked"}};
  resent.retransmits = 1;
  add_for_both_roles(list, scenario("interrupted", {"send:1000,acked,say:acked,line,send:2000,acked,close"},
                                    {"eof,close"}, resent, {"remote_fin", 0, 3000}, play_interrupted));
  // What has come is read, else the end would be a reset.
  LifeScenario simultaneous =
      scenario("simultaneous", {"send:1000,acked,read:500,close"}, {"read:1000,send:500,acked,close"},
               {"local_fin", 1000, 500}, {"local_fin", 500, 1000}, play_simultaneous);
  // Which of the two sends its FIN again first is open, and the other may have its own acknowledged by that.
  simultaneous.self_end.retransmits = kAny;
  simultaneous.peer_end.retransmits = kAny;
  add_for_both_roles(list, simultaneous);
}

void add_resets(std::vector<LifeScenario>& list) {
  const End reset{"remote_reset", 0, 1000, "reset_established", {"ECONNRESET"}, 1, 0};
  add_for_both_roles(list, scenario("reset", {"send:1000,acked,reset"}, {"read:1000,error"},
                                    {"local_reset", 1000, 0, "", {}, 0, 1}, reset));
  add_for_both_roles(list, scenario("unread", {"readable:1000,line,close"}, {"send:1000,acked,say:acked,error"},
                                    {"local_reset", 0, 1000, "", {}, 0, 1},
                                    {"remote_reset", 1000, 0, "reset_established", {"acked", "ECONNRESET"}, 1, 0},
                                    play_after_arrival));
  add_for_both_roles(list, scenario("half_reset", {"send:1000,half,error"}, {"eof,reset"},
                                    {"remote_reset", 1000, 0, "reset_established", {"ECONNRESET"}, 1, 0},
                                    {"remote_fin", 0, 1000, "", {}, 0, 1}));
  // The peer has closed; what is sent to it comes back as a reset, which its kernel sends for no socket of a program.
  add_for_both_roles(list, scenario("written_on", {"eof,send:1000,error"}, {"close"},
                                    {"remote_reset", kAny, 0, "reset_established", {"EPIPE"}, 1, 0},
                                    {"local_fin", 0, kAny, "", {}, 0, kAny}));
  // The reset comes when the program of `self` has no socket any more: nobody is told of it, and it is no failure.
  add_for_both_roles(list, scenario("reset_after_both", {"send:1000,close"}, {"readable:1000,hangup,close"},
                                    {"local_fin", 1000, 0, "", {}, kAny, 0}, {"remote_fin", 0, 1000, "", {}, 0, 1}));
  add_for_both_roles(
      list, scenario("destroyed", {"send:1000,acked,say:acked,error"}, {"read:1000,error"},
                     {"local_reset", 1000, 0, "destroyed", {"acked", "ECONNABORTED"}, 0, 1}, reset, play_destroyed));
}

void add_protocols(std::vector<LifeScenario>& list) {
  LifeScenario plain =
      scenario("v6", {"send:1000,close"}, {"eof,close"}, {"local_fin", 1000, 0}, {"remote_fin", 0, 1000});
  plain.address = "fd77::2";
  plain.ip_family = "ipv6";
  add_for_both_roles(list, plain);

  LifeScenario mapped =
      scenario("v4mapped", {"send:1000,close"}, {"eof,close"}, {"local_fin", 1000, 0}, {"remote_fin", 0, 1000});
  mapped.address = "::ffff:10.77.0.2";
  add_for_both_roles(list, mapped);

  // The subflow's FINs follow the exchange of DATA_FINs, by whichever kernel is done with that first.
  const Flags mptcp = {"--mptcp"};
  add_for_both_roles(list, scenario("mptcp", {"exchange:100000,close", mptcp}, {"echo,close", mptcp},
                                    {"any", 100000, 100000}, {"any", 100000, 100000}));
  // The peer speaks plain TCP.
  LifeScenario fallback = scenario("mptcp_fallback", {"send:1000,close", mptcp}, {"eof,close"}, {"local_fin", 1000, 0},
                                   {"remote_fin", 0, 1000});
  list.push_back(fallback);

  // Five of the bytes are in the SYN.
  const Flags fast_open = {"--tfo"};
  list.push_back(scenario("tfo_client", {"send:1000,close", fast_open}, {"eof,close", fast_open},
                          {"local_fin", 1005, 0}, {"remote_fin", 0, 1005}));
  LifeScenario answered = scenario("tfo_server", {"read:5,send:1000,close", fast_open}, {"eof,close", fast_open},
                                   {"local_fin", 1000, 5}, {"remote_fin", 5, 1000});
  answered.self_is_client = false;
  list.push_back(answered);
}

/// Another process has the connection at its end, and its counts stay with the one that began it.
void add_handovers(std::vector<LifeScenario>& list) {
  add_for_both_roles(list, scenario("forked", {"fork,exchange:1000,close"}, {"echo,close"}, {"local_fin", 1000, 1000},
                                    {"remote_fin", 1000, 1000}));
  add_for_both_roles(list, scenario("passed", {std::string("pass:") + kOtherProgram + ",exchange:1000,close"},
                                    {"echo,close"}, {"local_fin", 1000, 1000}, {"remote_fin", 1000, 1000}));
}

/// The end that does not notice ends by a reset when all is over.
void add_timeouts(std::vector<LifeScenario>& list) {
  const Part unaware = {"read:1000,end,reset"};
  const End unaware_end = {"local_reset", 0, 1000, "", {}, 0, 1};
  // A second of silence, and two probes a second apart. The kernel sends an RST with the last.
  End silent = {"timeout", 1000, 0, "keepalive_timeout", {"set", "ETIMEDOUT"}, 0, 1};
  silent.min_seconds = 2.5;
  add_for_both_roles(list, scenario("keepalive", {"send:1000,acked,keepalive,say:set,error"}, unaware, silent,
                                    unaware_end, cut_after("set", false)));
  // The error ends what the program had closed half, and still holds. The peer's reset ends what `self` closed first.
  silent.said = {"acked", "ETIMEDOUT"};
  End told = unaware_end;
  told.close = "remote_fin";
  add_for_both_roles(list, scenario("half_keepalive", {"send:1000,half,acked,say:acked,line,keepalive,error"}, unaware,
                                    silent, told, cut_after("acked", true)));
  // Sent again after 0.2, 0.4 and 0.8 seconds, and given up 1.6 seconds after that.
  End unanswered = {"timeout", kAny, 0, "retransmit_timeout", {"acked", "ETIMEDOUT"}, 0, 0};
  unanswered.retransmits = 2;
  unanswered.min_seconds = 2.5;
  add_for_both_roles(list, scenario("retransmit", {"send:1000,acked,say:acked,line,send:1000,error"}, unaware,
                                    unanswered, unaware_end, cut_after("acked", true)));
  unanswered.failure = "user_timeout";
  unanswered.retransmits = 1;
  unanswered.min_seconds = 0.9;
  add_for_both_roles(
      list, scenario("user_timeout", {"user-timeout:1000,send:1000,acked,say:acked,line,send:1000,error"}, unaware,
                     unanswered, unaware_end, cut_after("acked", true)));
  // Nothing is outstanding; the keep-alive timer finds at its second look that the user's limit has passed, and sends
  // an RST as it does at its own.
  End silent_for_user = silent;
  silent_for_user.failure = "user_timeout";
  silent_for_user.said = {"set", "ETIMEDOUT"};
  silent_for_user.min_seconds = 1.5;
  add_for_both_roles(list, scenario("user_keepalive", {"send:1000,acked,user-timeout:1500,keepalive,say:set,error"},
                                    unaware, silent_for_user, unaware_end, cut_after("set", false)));
  // The window has been closed by a peer that does not read, and then it does not even say so any more.
  End shut = {"timeout", kAny, 0, "zero_window_timeout", {"filled", "ETIMEDOUT"}, 0, 0};
  shut.retransmits = kAny;
  shut.min_seconds = 0.5;
  add_for_both_roles(
      list, scenario("zero_window", {"fill,error", {"--sndbuf", "65536"}}, {"end,reset", {"--rcvbuf", "8192"}}, shut,
                     {"local_reset", 0, kAny, "", {}, 0, 1}, cut_after("filled", false)));
  // Nobody holds it any more when the kernel gives up: the program's own end is what it was closed by.
  End orphan = {"local_fin", 1000, 0, "", {"acked"}, kAny, kAny};
  orphan.retransmits = 1;
  orphan.min_seconds = 1;
  add_for_both_roles(list, scenario("orphan", {"send:1000,acked,say:acked,line,close"}, unaware, orphan, unaware_end,
                                    cut_after("acked", true)));
}

}  // namespace

std::vector<LifeScenario> life_scenarios() {
  std::vector<LifeScenario> list;
  add_endings(list);
  add_resets(list);
  add_protocols(list);
  add_handovers(list);
  return list;
}

std::vector<LifeScenario> timeout_scenarios() {
  std::vector<LifeScenario> list;
  add_timeouts(list);
  return list;
}

}  // namespace connscope::testing
