// SPDX-License-Identifier: Apache-2.0
//
// What the scripted server does with a query: the first label of its name says it, as words with "-then-" between them,
// done one after the other ("wrongid-then-ok").
//
//   ok                     a record of the asked type
//   nxdomain servfail refused notimp badvers rcode-N
//   formerr                without the question
//   nodata cname-nodata    no record at all, or a CNAME record alone
//   delay-N                ok after N ms
//   silent                 nothing
//   twice                  ok, and once more
//   lower                  ok, the question in lower case
//   big-N                  N CNAME records of 75 bytes in front of the asked one
//   tc                     TC=1 over UDP, ok over TCP
//   tc-slow-aaaa           the same, but an AAAA query gets nothing over UDP
//   drop-first             nothing at first, ok when the same is asked again
//   wrongid wrongquestion  an answer with another id, or to another question
//   garbage                the right id, and then bytes that are no question
//   loop                   a compression pointer that points to itself
//   cut                    an answer that ends in the middle of its record
//   short                  the id and nothing else
//   noise                  bytes that have nothing to do with DNS
//   pieces                 ok, over TCP each byte in a segment of its own
//   eof reset              over TCP the connection is closed or reset in place of an answer
#pragma once

#include <string>
#include <vector>

#include "tests/support/dns_wire.h"

namespace connscope::actor {

struct Reply {
  long after_ms = 0;
  Bytes message;
};

/// What becomes of the TCP connection that brought the query.
enum class Conduct { kAnswer, kAnswerInPieces, kEnd, kReset };

struct Reaction {
  std::vector<Reply> replies;
  Conduct conduct = Conduct::kAnswer;
};

/// `times_before`: how often the same client has asked the same already. An unknown word ends the program.
Reaction react(const Question& question, bool over_tcp, unsigned times_before);

}  // namespace connscope::actor
