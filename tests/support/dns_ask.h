// SPDX-License-Identifier: Apache-2.0
//
// The client that dns_actor can be, as a list of steps: "udp,ask:ok.test,read:1,close". It has one socket at a time,
// and remembers what it asked and has no answer to. An answer is printed as its rcode ("noerror", "nxdomain") with the
// time since its query was first sent; one with TC=1 as "tc", after which the query is still without an answer. What
// cannot belong to a query is passed over. What a step cannot do ends the program with status 2.
//
//   udp                an unconnected UDP socket, in place of the one before
//   connected          a UDP socket connected to the server
//   tcp                a TCP connection to the server
//   fast-open          one that the first query opens: it goes with the SYN, or at once after it
//   via:METHOD         how messages are sent from now on: sendto (or send, where connected), write, sendmsg, sendmmsg,
//                      uring, uring-worker
//   edns:SIZE          queries from now on have an OPT record with it; 0: none
//   mixed              names from now on are sent with letters of both cases
//   ask:NAME[/TYPE]    a query of type A, or TYPE
//   again              all queries without an answer once more, with the ids they have
//   hold               queries wait from now on …
//   flush              … until here: over TCP in one segment, by sendmmsg in one call
//   flush:N            over TCP, in segments of N bytes
//   same-id            the next query has the id of the last one
//   noise:N            a message of N bytes that is no query
//   read:N             until N answers have come
//   error              until the socket has an error; prints its name
//   gone               until the server has ended the TCP connection
//   wait:MS
//   forget             what has no answer will not be sent again or read
//   close
//   say:WORD line end  as in actor_steps.h
#pragma once

#include <string>
#include <vector>

#include "tests/support/actor_socket.h"

namespace connscope::actor {

/// The program's exit status.
int run_dns_client(const Address& server, const std::vector<std::string>& steps);

}  // namespace connscope::actor
