// SPDX-License-Identifier: Apache-2.0
//
// What the programs that shake hands for tests have in common, whatever their library: the command line
//
//   PROGRAM client PORT [OPTION...]
//   PROGRAM server [OPTION...]         prints "port N" first
//
// and plain TCP sockets on 127.0.0.1. Whatever goes wrong ends the program, with a message.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_actor_side {
  bool is_server;
  const char* port;  // of the server, for a client
};

// One of the three is where the value goes; a flag has none.
struct tls_actor_option {
  const char* name;
  const char** text;
  long* number;
  bool* flag;
};

// `words` is argv behind the program's name; `source` says what the options mean.
struct tls_actor_side parse_words(char** words, const struct tls_actor_option* known, size_t count, const char* source);

int listen_somewhere(void);
int connect_to(const char* port);
// Reads until the peer is done, so that what it has sent does not make a reset of the close.
void drain(int peer);
