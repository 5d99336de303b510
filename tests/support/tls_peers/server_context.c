// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_peers/server_context.h"

#include <err.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>

static void must(int is_done, const char* what) {
  if (is_done > 0) return;
  ERR_print_errors_fp(stderr);
  errx(1, "%s", what);
}

static void show_certificate(SSL_CTX* context, const char* certificate) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s.pem", certificate);
  must(SSL_CTX_use_certificate_chain_file(context, path), path);
  snprintf(path, sizeof(path), "%s.key", certificate);
  must(SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM), path);
}

static void demand_certificate(SSL_CTX* context, const char* authority) {
  must(SSL_CTX_load_verify_locations(context, authority, NULL), authority);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authority));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

SSL_CTX* make_server_context(const struct server_options* options) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  must(context != NULL, "SSL_CTX_new");
  must(SSL_CTX_set_min_proto_version(context, options->min_version), "--min");
  must(SSL_CTX_set_max_proto_version(context, options->max_version), "--max");
  if (options->ciphers) must(SSL_CTX_set_cipher_list(context, options->ciphers), "--ciphers");
  if (options->suites) must(SSL_CTX_set_ciphersuites(context, options->suites), "--suites");
  show_certificate(context, options->certificate);
  if (options->client_ca) demand_certificate(context, options->client_ca);
  return context;
}
