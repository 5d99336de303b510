// SPDX-License-Identifier: Apache-2.0
//
// What tcp_actor does with connections that it has, as a list of steps: "send:1000,half,eof,close". A step is done on
// all connections before the next one begins. What a step cannot do ends the program with status 2: a step that meets
// an error where the test awaits none is a failure of the test.
//
//   send:N read:N      exactly N bytes
//   exchange:N         sends N bytes and reads as many back, by and by
//   echo               sends back what comes in until the peer's end
//   eof                reads until the peer's end
//   acked              until the peer has acknowledged all that was sent
//   readable:N         until N bytes wait to be read
//   hangup             until the peer has ended, without reading
//   fill               sends until the peer's window has been closed for good; prints "filled BYTES"
//   error              until the connection has failed; prints the error's name
//   half               shutdown(SHUT_WR)
//   close              close()
//   reset              close() that sends an RST, by SO_LINGER 0
//   keepalive          probes after 1 s, each second, at most two
//   user-timeout:MS    TCP_USER_TIMEOUT
//   say:WORD           prints "WORD 0"
//   line               until a line comes in on standard input
//   end                until standard input ends
//   fork               a child does the rest, while its parent gives the connections up
//   pass:PATH          as fork, but the one connection goes to a program that PATH names, by SCM_RIGHTS
#pragma once

#include <string>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope::actor {

/// Connections whose descriptors a step may close.
using Connections = std::vector<UniqueFd>;

void run_steps(Connections& connections, const std::vector<std::string>& steps);

/// The program that `pass` starts: takes a connection from the descriptor `channel` and goes on with `steps`.
int run_received(int channel, const std::vector<std::string>& steps);

}  // namespace connscope::actor
