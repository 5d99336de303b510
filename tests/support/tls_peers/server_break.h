// SPDX-License-Identifier: Apache-2.0
//
// Handshakes that the server does not bring to an end.
#ifndef CONNSCOPE_TESTS_TLS_SERVER_BREAK_H
#define CONNSCOPE_TESTS_TLS_SERVER_BREAK_H

#include <openssl/ssl.h>

#include "tests/support/tls_peers/server_options.h"

// Goes as far as options->stage, and there does options->play. The caller closes the socket.
void break_off(SSL_CTX* context, int socket, const struct server_options* options);
// Takes what the client has sent so far.
void drain_some(int socket);

#endif
