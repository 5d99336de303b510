// SPDX-License-Identifier: Apache-2.0
//
// Queries as fast as they are answered, over connected UDP sockets.
#pragma once

#include "tests/support/actor_socket.h"

namespace connscope::actor {

struct DnsFlood {
  Address server;
  long count = 0;
  long sockets = 1;
  /// Queries that wait for their answer at the same time, on each socket.
  long window = 16;
  /// Each so many-th query is one that gets no answer, and is not waited for; 0: none.
  long silent_every = 0;
  /// The sockets stay open until standard input ends.
  bool hold = false;
};

/// Prints the sums as "noerror N" and "silent N", and how long it took as "took MICROSECONDS". The program's exit
/// status: a failure when an answer is missing.
int run_dns_flood(const DnsFlood& flood);

}  // namespace connscope::actor
