// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/dns_scenario.h"

#include <utility>

namespace connscope::testing {
namespace {

using Words = std::vector<std::string>;
using Scenarios = std::vector<DnsScenario>;

constexpr char kServer6[] = "fd77::2";

/// One query that ends well.
DnsCounts answered(const std::string& kind = "udp A") {
  DnsCounts counts;
  counts.queries = counts.ok = {{kind, 1}};
  counts.responses = {{"NOERROR" + kind.substr(kind.find(' ')), 1}};
  return counts;
}

/// One query of each type, both of which end well.
DnsCounts both_answered(const std::string& transport) {
  DnsCounts counts;
  counts.queries = counts.ok = {{transport + " A", 1}, {transport + " AAAA", 1}};
  counts.responses = {{"NOERROR A", 1}, {"NOERROR AAAA", 1}};
  return counts;
}

/// One query that ends badly; `rcode` is empty where no answer ended it.
DnsCounts failed(const std::string& reason, const std::string& rcode = {}, const std::string& kind = "udp A") {
  DnsCounts counts;
  counts.queries = counts.failed = {{kind, 1}};
  counts.failures = {{reason, 1}};
  if (!rcode.empty()) counts.responses = {{rcode + kind.substr(kind.find(' ')), 1}};
  return counts;
}

DnsCounts with_stray(DnsCounts counts, const std::string& reason) {
  counts.strays = {{reason, 1}};
  return counts;
}

DnsCounts with_truncated(DnsCounts counts, int truncated) {
  counts.truncated = truncated;
  return counts;
}

DnsCounts with_retries(DnsCounts counts, int retries) {
  counts.retries = retries;
  return counts;
}

/// Of a client that gets an answer to each of its queries.
DnsScenario answers(const std::string& name, const std::string& steps, DnsCounts client, Counts served,
                    Words said = {"noerror"}) {
  return {name, steps, std::move(said), std::move(client), std::move(served)};
}

DnsScenario at(DnsScenario scenario, const std::string& address) {
  scenario.address = address;
  return scenario;
}

void add_ways_to_send(Scenarios& list) {
  const Counts served = {{"NOERROR", 1}};
  for (const char* method : {"sendto", "sendmsg", "sendmmsg", "uring", "uring-worker"}) {
    std::string name = method;
    if (name == "uring-worker") name = "uring_worker";
    const std::string asks = std::string(",via:") + method + ",ask:ok.way.test,read:1";
    list.push_back(answers("unconnected_" + name, "udp" + asks, answered(), served));
    list.push_back(at(answers("unconnected6_" + name, "udp" + asks, answered(), served), kServer6));
    list.push_back(answers("connected_" + name, "connected" + asks, answered(), served));
  }
  list.push_back(answers("connected_write", "connected,via:write,ask:ok.way.test,read:1", answered(), served));
  list.push_back(
      at(answers("connected6_write", "connected,via:write,ask:ok.way.test,read:1", answered(), served), kServer6));
  list.push_back(at(answers("mapped", "udp,ask:ok.way.test,read:1", answered(), served), "::ffff:10.77.0.2"));
  list.push_back(at(answers("loopback", "udp,ask:ok.way.test,read:1", answered(), served), "127.0.0.1"));
  list.push_back(at(answers("loopback6", "connected,ask:ok.way.test,read:1", answered(), served), "::1"));
  list.push_back(at(answers("loopback_stub", "connected,ask:ok.way.test,read:1", answered(), served), "127.0.0.53"));
  list.push_back(answers("edns", "udp,edns:1232,ask:ok.way.test,read:1", answered(), served));
  list.push_back(answers("mixed_case", "udp,mixed,ask:ok.way.test,read:1", answered(), served));
  list.push_back(answers("mixed_answered_lower", "udp,mixed,ask:lower.way.test,read:1", answered(), served));
  // More than a packet holds; the record that was asked for is far behind what the agent looks at.
  list.push_back(answers("big", "udp,edns:4096,ask:big-40.way.test,read:1", answered(), served));
  list.push_back(at(answers("big6", "udp,edns:4096,ask:big-40.way.test,read:1", answered(), served), kServer6));
}

void add_together(Scenarios& list) {
  const Counts served = {{"NOERROR", 2}};
  const Words said = {"noerror", "noerror"};
  const std::string asks = "ask:ok.pair.test,ask:ok.pair.test/AAAA";
  list.push_back(answers("pair", "connected," + asks + ",read:2", both_answered("udp"), served, said));
  list.push_back(answers("pair_sendmmsg", "connected,via:sendmmsg,hold," + asks + ",flush,read:2", both_answered("udp"),
                         served, said));
  list.push_back(
      at(answers("pair6", "udp,via:sendmmsg,hold," + asks + ",flush,read:2", both_answered("udp"), served, said),
         kServer6));
  // The same id for two questions on one socket, one after the other.
  list.push_back(answers("id_again", "connected,ask:ok.pair.test,read:1,same-id,ask:ok.pair.test/AAAA,read:1",
                         both_answered("udp"), served, said));
  DnsCounts fifty = answered();
  for (Counts* each : {&fifty.queries, &fifty.ok, &fifty.responses}) each->begin()->second = 50;
  std::string many = "connected,via:sendmmsg,hold";
  for (int i = 0; i < 50; ++i) many += ",ask:ok.n" + std::to_string(i) + ".test";
  list.push_back(answers("fifty", many + ",flush,read:50", fifty, {{"NOERROR", 50}}, Words(50, "noerror")));
}

void add_types(Scenarios& list) {
  for (const char* type : {"PTR", "MX", "TXT", "SRV", "HTTPS", "TYPE65400"}) {
    list.push_back(answers(std::string("type_") + type, std::string("udp,ask:ok.type.test/") + type + ",read:1",
                           answered(std::string("udp ") + type), {{"NOERROR", 1}}));
  }
  // Any record will do.
  list.push_back(answers("type_any", "udp,ask:ok.type.test/ANY,read:1", answered("udp ANY"), {{"NOERROR", 1}}));
}

void add_rcodes(Scenarios& list) {
  const auto with_rcode = [&list](const std::string& word, const std::string& reason, const std::string& rcode,
                                  const std::string& said) {
    std::string name = "rcode_" + word;
    for (char& c : name) c = c == '-' ? '_' : c;
    list.push_back(
        answers(name, "udp,ask:" + word + ".rcode.test,read:1", failed(reason, rcode), {{rcode, 1}}, {said}));
  };
  with_rcode("nxdomain", "nxdomain", "NXDOMAIN", "nxdomain");
  with_rcode("servfail", "servfail", "SERVFAIL", "servfail");
  with_rcode("refused", "refused", "REFUSED", "refused");
  with_rcode("formerr", "formerr", "FORMERR", "formerr");
  with_rcode("notimp", "notimp", "NOTIMP", "notimp");
  with_rcode("nodata", "nodata", "NOERROR", "noerror");
  with_rcode("cname-nodata", "nodata", "NOERROR", "noerror");
  with_rcode("rcode-9", "other_rcode", "NOTAUTH", "rcode9");
  with_rcode("rcode-13", "other_rcode", "RCODE13", "rcode13");
  // Its lower bits are in the header and say NOERROR, the upper ones are in the OPT record.
  with_rcode("badvers", "other_rcode", "BADVERS", "noerror");
  with_rcode("rcode-3000", "other_rcode", "RCODE3000", "rcode8");
  list.push_back(answers("tcp_nxdomain", "tcp,ask:nxdomain.rcode.test/AAAA,read:1",
                         failed("nxdomain", "NXDOMAIN", "tcp AAAA"), {{"NXDOMAIN", 1}}, {"nxdomain"}));
}

void add_delays(Scenarios& list) {
  for (const char* ms : {"20", "200"}) {
    const std::string asks = std::string("ask:delay-") + ms + ".delay.test,read:1";
    list.push_back(answers(std::string("delay_") + ms, "udp," + asks, answered(), {{"NOERROR", 1}}));
    list.push_back(answers(std::string("delay_tcp_") + ms, "tcp," + asks, answered("tcp A"), {{"NOERROR", 1}}));
  }
  for (std::size_t i = list.size() - 4; i < list.size(); ++i) list[i].is_delayed = true;
}

void add_streams(Scenarios& list) {
  const Counts one = {{"NOERROR", 1}};
  const Counts two = {{"NOERROR", 2}};
  const Words twice = {"noerror", "noerror"};
  const std::string both = "ask:ok.tcp.test,ask:ok.tcp.test/AAAA";
  list.push_back(answers("tcp", "tcp,ask:ok.tcp.test,read:1,close", answered("tcp A"), one));
  list.push_back(at(answers("tcp6", "tcp,ask:ok.tcp.test,read:1,close", answered("tcp A"), one), kServer6));
  list.push_back(answers("tcp_uring", "tcp,via:uring,ask:ok.tcp.test,read:1", answered("tcp A"), one));
  list.push_back(answers("tcp_one_segment", "tcp,hold," + both + ",flush,read:2", both_answered("tcp"), two, twice));
  list.push_back(answers("tcp_byte_by_byte", "tcp,hold," + both + ",flush:1,read:2", both_answered("tcp"), two, twice));
  // At first with the handshake's last ACK and the request for a cookie, and then, with the cookie, in the SYN: the
  // packet comes before its connection has a socket.
  list.push_back(answers("tcp_fast_open", "fast-open,ask:ok.tcp.test,read:1,close", answered("tcp A"), one));
  list.push_back(
      answers("tcp_fast_open_two", "fast-open,hold," + both + ",flush,read:2,close", both_answered("tcp"), two, twice));
  // The length alone; and segments in each of which one message ends and the next begins.
  list.push_back(answers("tcp_length_apart", "tcp,hold,ask:ok.tcp.test,flush:2,read:1", answered("tcp A"), one));
  list.push_back(answers("tcp_across", "tcp,hold," + both + ",flush:23,read:2", both_answered("tcp"), two, twice));
  list.push_back(answers("tcp_answer_in_pieces", "tcp,ask:pieces.tcp.test,read:1", answered("tcp A"), one));
  list.push_back(answers("tcp_one_after_the_other", "tcp,ask:ok.tcp.test,read:1,ask:ok.tcp.test/AAAA,read:1",
                         both_answered("tcp"), two, twice));
  // Answers come in another order than the queries went.
  list.push_back(answers("tcp_out_of_order", "tcp,hold,ask:delay-50.tcp.test/AAAA,ask:ok.tcp.test,flush,read:2",
                         both_answered("tcp"), two, twice));
  list.push_back(answers("tcp_big", "tcp,ask:big-200.tcp.test,read:1", answered("tcp A"), one));
  list.push_back(answers("tcp_big_then_small", "tcp,hold,ask:big-200.tcp.test,ask:ok.tcp.test/AAAA,flush,read:2",
                         both_answered("tcp"), two, twice));
  list.push_back(answers("tcp_wrongid_then_ok", "tcp,ask:wrongid-then-ok.tcp.test,read:1",
                         with_stray(answered("tcp A"), "id_mismatch"), one));
  // No duplicate: of a zone transfer there are many.
  list.push_back(answers("tcp_twice", "tcp,ask:twice.tcp.test,read:1,wait:50", answered("tcp A"), one));
}

void add_truncations(Scenarios& list) {
  list.push_back(answers("tc", "udp,ask:tc.tc.test,read:1,close,tcp,again,read:1", with_truncated(answered(), 1),
                         {{"NOERROR", 2}}, {"tc", "noerror"}));
  list.push_back(at(answers("tc6", "connected,ask:tc.tc.test,read:1,close,tcp,again,read:1",
                            with_truncated(answered(), 1), {{"NOERROR", 2}}, {"tc", "noerror"}),
                    kServer6));
  // As glibc does: it leaves the query that has no answer yet, and asks both anew.
  list.push_back(answers("tc_one_of_two",
                         "connected,hold,ask:tc-slow-aaaa.tc.test,ask:tc-slow-aaaa.tc.test/AAAA,flush,read:1,close,"
                         "tcp,hold,again,flush,read:2",
                         with_truncated(both_answered("udp"), 1), {{"NOERROR", 3}}, {"tc", "noerror", "noerror"}));
  list.push_back(answers("tc_both",
                         "connected,hold,ask:tc.tc.test,ask:tc.tc.test/AAAA,flush,read:2,close,tcp,hold,again,flush,"
                         "read:2",
                         with_truncated(both_answered("udp"), 2), {{"NOERROR", 4}},
                         {"tc", "tc", "noerror", "noerror"}));
}

void add_repetitions(Scenarios& list) {
  const Counts served = {{"NOERROR", 1}};
  list.push_back(answers("retry", "connected,ask:drop-first.again.test,wait:50,again,read:1",
                         with_retries(answered(), 1), served));
  DnsCounts thrice = with_retries(answered("udp AAAA"), 3);
  thrice.strays = {{"duplicate", 3}};
  list.push_back(
      answers("retry_thrice", "udp,ask:delay-50.again.test/AAAA,again,again,again,read:1,wait:100", thrice, {}));
  list.back().tells_served = false;
  list.push_back(
      answers("twice", "connected,ask:twice.again.test,read:1,wait:50", with_stray(answered(), "duplicate"), served));
}

void add_wrong_answers(Scenarios& list) {
  const auto then_ok = [&list](const std::string& word, const std::string& reason) {
    list.push_back(answers(word + "_then_ok", "udp,ask:" + word + "-then-ok.wrong.test,read:1",
                           with_stray(answered(), reason), {}));
    list.back().tells_served = false;
  };
  then_ok("wrongid", "id_mismatch");
  then_ok("wrongquestion", "question_mismatch");
  for (const char* word : {"garbage", "loop", "cut", "short"}) then_ok(word, "malformed");
}

/// Neither queries nor answers.
void add_unrelated(Scenarios& list) {
  list.push_back(answers("noise", "udp,noise:1,noise:11,noise:40,noise:600,wait:50", {}, {}, {}));
  list.push_back(answers("tcp_noise", "tcp,noise:40,wait:50", {}, {}, {}));
  DnsScenario other_port = answers("other_port", "udp,ask:ok.port.test,read:1", {}, {});
  other_port.port = "5353";
  list.push_back(other_port);
}

DnsScenario unanswered(const std::string& name, const std::string& steps, DnsCounts client, double min_seconds,
                       double max_seconds, ClientEnd end = ClientEnd::kByItself) {
  DnsScenario scenario{name, steps, {}, std::move(client)};
  scenario.end = end;
  scenario.min_seconds = min_seconds;
  scenario.max_seconds = max_seconds;
  return scenario;
}

void add_abortions(Scenarios& list) {
  list.push_back(unanswered("closed_soon", "udp,ask:silent.no.test,wait:100,close,say:asked,end", failed("aborted"),
                            0.09, 1, ClientEnd::kWhenCounted));
  list.push_back(unanswered("exited_soon", "connected,ask:silent.no.test,wait:100", failed("aborted"), 0.09, 1));
  list.push_back(
      unanswered("killed", "udp,ask:silent.no.test,say:asked,end", failed("aborted"), 0, 1, ClientEnd::kKilled));
  list.push_back(unanswered("tcp_killed", "tcp,ask:silent.no.test,say:asked,end", failed("aborted", "", "tcp A"), 0, 1,
                            ClientEnd::kKilled));
  list.push_back(unanswered("tcp_closed_soon", "tcp,ask:silent.no.test/AAAA,wait:100,close",
                            failed("aborted", "", "tcp AAAA"), 0.09, 1));
  list.push_back(unanswered("tcp_server_ends", "tcp,ask:eof.no.test,gone,close", failed("aborted", "", "tcp A"), 0, 1));
  DnsScenario reset =
      unanswered("tcp_server_resets", "tcp,ask:reset.no.test,error,close", failed("badsrv", "", "tcp A"), 0, 1);
  reset.said = {"ECONNRESET"};
  list.push_back(reset);
  list.push_back(unanswered("wrong_id_closed_soon", "udp,ask:wrongid.no.test,wait:100",
                            with_stray(failed("id_mismatch"), "id_mismatch"), 0.09, 1));
  list.back().tells_served = false;
}

void add_refusals(Scenarios& list) {
  DnsScenario refused = unanswered("icmp", "connected,ask:ok.no.test,error,say:asked,end", failed("badsrv"), 0, 1,
                                   ClientEnd::kWhenCounted);
  refused.has_server = false;
  refused.said = {"ECONNREFUSED"};
  list.push_back(refused);
  for (const auto& [name, address] : {std::pair("icmp_v6", kServer6), std::pair("icmp_loopback", "127.0.0.1")}) {
    refused.name = name;
    list.push_back(at(refused, address));
  }
}

void add_timeouts(Scenarios& list) {
  const std::string held = ",say:asked,end";
  const auto times_out = [&list, &held](const std::string& name, const std::string& steps, DnsCounts client) {
    list.push_back(unanswered(name, steps + held, std::move(client), 1, 3, ClientEnd::kWhenCounted));
  };
  times_out("silent", "udp,ask:silent.no.test", failed("timeout"));
  times_out("silent_connected", "connected,ask:silent.no.test/AAAA", failed("timeout", "", "udp AAAA"));
  times_out("silent_tcp", "tcp,ask:silent.no.test", failed("timeout", "", "tcp A"));
  times_out("silent_retried", "udp,ask:silent.no.test,wait:300,again,wait:300,again",
            with_retries(failed("timeout"), 2));
  list.back().min_seconds = 1.6;
  const std::size_t first_wrong = list.size();
  times_out("wrongid_only", "udp,ask:wrongid.no.test", with_stray(failed("id_mismatch"), "id_mismatch"));
  times_out("wrongquestion_only", "udp,ask:wrongquestion.no.test",
            with_stray(failed("id_mismatch"), "question_mismatch"));
  for (const char* word : {"garbage", "loop", "cut", "short"}) {
    times_out(std::string(word) + "_only", std::string("connected,ask:") + word + ".no.test",
              with_stray(failed("malformed"), "malformed"));
  }
  for (std::size_t i = first_wrong; i < list.size(); ++i) list[i].tells_served = false;
  list.push_back(unanswered("closed_late", "udp,ask:silent.no.test,wait:1200,close", failed("timeout"), 1, 1.5));
  // It comes when nobody but the program waits for it any more.
  DnsCounts late = failed("timeout");
  late.late = 1;
  list.push_back(
      unanswered("late", "connected,ask:delay-1800.no.test,read:1" + held, late, 1, 1.79, ClientEnd::kWhenCounted));
  list.back().said = {"noerror"};
  list.back().served = {{"NOERROR", 1}};
}

}  // namespace

std::vector<DnsScenario> dns_scenarios() {
  Scenarios list;
  add_ways_to_send(list);
  add_together(list);
  add_types(list);
  add_rcodes(list);
  add_delays(list);
  add_streams(list);
  add_truncations(list);
  add_repetitions(list);
  add_wrong_answers(list);
  add_unrelated(list);
  add_abortions(list);
  add_refusals(list);
  return list;
}

std::vector<DnsScenario> slow_dns_scenarios() {
  Scenarios list;
  add_timeouts(list);
  // Each has a server of its own.
  for (std::size_t i = 0; i < list.size(); ++i) list[i].address = "127.0.1." + std::to_string(i + 1);
  return list;
}

}  // namespace connscope::testing
