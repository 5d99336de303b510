// SPDX-License-Identifier: Apache-2.0
//
// The settings of the library that the server's options ask for.
#ifndef CONNSCOPE_TESTS_TLS_SERVER_CONTEXT_H
#define CONNSCOPE_TESTS_TLS_SERVER_CONTEXT_H

#include <openssl/ssl.h>

#include "tests/support/tls_peers/server_options.h"

// Ends the program with a message when the library refuses them. `options` must stay.
SSL_CTX* make_server_context(const struct server_options* options);

#endif
