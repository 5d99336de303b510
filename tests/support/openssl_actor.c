// SPDX-License-Identifier: Apache-2.0
//
// Shakes hands by OpenSSL as a test tells it, as a client or as a server, and prints how each connection ended: "ok",
// or the number of the library's first error.
//
//   openssl_actor client PORT [OPTION...]
//   openssl_actor server [OPTION...]         prints "port N" first
//
//   --times N           so many connections, one after the other
//   --min V, --max V    versions: 1.2 or 1.3
//   --ciphers TEXT      of 1.2, in the library's words
//   --trust FILE        the authorities that a peer's certificate may come from
//   --revoked FILE      the same, with a list of revocations
//   --certificate FILE --key FILE
//   --require           a server: the client must have a certificate
//   --protocol NAME     of the application (ALPN), and no other
//   --verify HOW        in (the handshake, the default), none, waved (a callback that lets all pass), after (lets all
//   pass, and
//                       refuses when the handshake is over)
//   --by HOW            how the library is called: handshake (the default), read (never for a handshake: reads and
//   writes),
//                       non-blocking, memory (what it sends and receives is carried by hand)
//   --records N         the client says so much, a record each, and the server as much (default: 1)
//   --clear             one object for all connections
//   --give-up           a client: frees its session when its first words are sent
//   --mute              accepts, and says nothing
//   --plain, --web      speaks no TLS: greets, or asks for a page, and reads what comes
#include <err.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/tls_actor.h"

enum { kPatienceMs = 10000 };

static const char kServerName[] = "localhost";

static struct {
  struct tls_actor_side side;
  const char *min, *max, *ciphers, *trust, *revoked, *certificate, *key, *protocol, *verify, *by;
  long times, records;
  bool require, clear, give_up, mute, plain, web;
} options = {.verify = "in", .by = "handshake", .times = 1, .records = 1};

static bool is(const char* option, const char* word) { return option && strcmp(option, word) == 0; }

static void must(int is_done, const char* what) {
  if (is_done == 1) return;
  ERR_print_errors_fp(stderr);
  errx(1, "%s", what);
}

static void wait_for(int peer, short events) {
  struct pollfd waiting = {.fd = peer, .events = events};
  if (poll(&waiting, 1, kPatienceMs) != 1) errx(1, "the peer is silent");
}

// --- settings of the library -----------------------------------------------------------------------------------------

static int number_of(const char* version) { return is(version, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION; }

static int let_pass(int is_good, X509_STORE_CTX* context) {
  (void)is_good;
  (void)context;
  return 1;
}

static int choose_protocol(SSL* session, const unsigned char** chosen, unsigned char* length,
                           const unsigned char* offered, unsigned int offered_length, void* ours) {
  unsigned char* found = NULL;
  (void)session;
  if (SSL_select_next_proto(&found, length, ours, (unsigned int)strlen(ours), offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// A list of one, with the length before it.
static void name_protocol(SSL_CTX* context) {
  static char list[64];
  snprintf(list, sizeof(list), "%c%s", (int)strlen(options.protocol), options.protocol);
  if (options.side.is_server)
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, list);
  else
    SSL_CTX_set_alpn_protos(context, (const unsigned char*)list, (unsigned int)strlen(list));
}

static void trust(SSL_CTX* context) {
  const char* file = options.revoked ? options.revoked : options.trust;
  if (!file) return;
  must(SSL_CTX_load_verify_locations(context, file, NULL), file);
  if (options.revoked) X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_CRL_CHECK);
}

static int verify_mode(void) {
  if (is(options.verify, "none") || (options.side.is_server && !options.require)) return SSL_VERIFY_NONE;
  return SSL_VERIFY_PEER | (options.require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

static SSL_CTX* make_context(void) {
  SSL_CTX* context = SSL_CTX_new(options.side.is_server ? TLS_server_method() : TLS_client_method());
  const bool lets_pass = is(options.verify, "waved") || is(options.verify, "after");
  if (options.min) must((int)SSL_CTX_set_min_proto_version(context, number_of(options.min)), options.min);
  if (options.max) must((int)SSL_CTX_set_max_proto_version(context, number_of(options.max)), options.max);
  if (options.ciphers) must(SSL_CTX_set_cipher_list(context, options.ciphers), options.ciphers);
  if (options.certificate) {
    must(SSL_CTX_use_certificate_chain_file(context, options.certificate), options.certificate);
    must(SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM), options.key);
  }
  if (options.protocol) name_protocol(context);
  trust(context);
  SSL_CTX_set_verify(context, verify_mode(), lets_pass ? let_pass : NULL);
  SSL_CTX_set_session_id_context(context, (const unsigned char*)"test", 4);
  return context;
}

// --- one connection --------------------------------------------------------------------------------------------------

struct link {
  SSL* session;
  int peer;
};

static void connect_session(struct link* link) {
  if (is(options.by, "memory")) {
    SSL_set_bio(link->session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  } else {
    must(SSL_set_fd(link->session, link->peer), "socket");
  }
  if (options.side.is_server) {
    SSL_set_accept_state(link->session);
  } else {
    SSL_set_connect_state(link->session);
    must((int)SSL_set_tlsext_host_name(link->session, kServerName), "name");
    must(SSL_set1_host(link->session, kServerName), "name");
  }
}

static void carry_out(struct link* link) {
  char bytes[16384];
  int length;
  if (!is(options.by, "memory")) return;
  while ((length = BIO_read(SSL_get_wbio(link->session), bytes, sizeof(bytes))) > 0)
    if (write(link->peer, bytes, (size_t)length) != length) return;
}

static void carry_in(struct link* link) {
  char bytes[16384];
  const ssize_t length = read(link->peer, bytes, sizeof(bytes));
  if (length > 0)
    BIO_write(SSL_get_rbio(link->session), bytes, (int)length);
  else
    BIO_set_mem_eof_return(SSL_get_rbio(link->session), 0);
}

// Whether the call is to be made again, now that what it waited for is there.
static bool goes_on(struct link* link, int code) {
  const int want = code > 0 ? SSL_ERROR_NONE : SSL_get_error(link->session, code);
  carry_out(link);
  if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) return false;
  wait_for(link->peer, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
  if (is(options.by, "memory")) carry_in(link);
  return true;
}

static int shake_hands(struct link* link) {
  int code;
  if (is(options.by, "read")) return 1;
  do code = SSL_do_handshake(link->session);
  while (goes_on(link, code));
  return code;
}

static int give(struct link* link, const char* text) {
  int code;
  do code = SSL_write(link->session, text, (int)strlen(text));
  while (goes_on(link, code));
  return code;
}

static int take(struct link* link) {
  char bytes[4096];
  int code;
  do code = SSL_read(link->session, bytes, sizeof(bytes));
  while (goes_on(link, code));
  return code;
}

// The client asks, and the server answers.
static int talk(struct link* link) {
  int code = 1;
  for (long i = 0; i < options.records && code > 0; ++i) {
    code = options.side.is_server ? take(link) : give(link, "one");
    if (code > 0) code = options.side.is_server ? give(link, "another") : take(link);
  }
  return code;
}

static bool refuses(struct link* link) {
  return is(options.verify, "after") && SSL_get_verify_result(link->session) != X509_V_OK;
}

static int meet_by(struct link* link) {
  const int code = shake_hands(link);
  return code <= 0 || refuses(link) ? code : talk(link);
}

static void tell(int code) {
  if (code > 0)
    puts("ok");
  else
    printf("%d\n", ERR_GET_REASON(ERR_get_error()));
  ERR_clear_error();
}

static void give_up(struct link* link) {
  fcntl(link->peer, F_SETFL, O_NONBLOCK);
  SSL_do_handshake(link->session);
  puts("given up");
}

static void use(struct link* link) {
  connect_session(link);
  if (is(options.by, "non-blocking")) fcntl(link->peer, F_SETFL, O_NONBLOCK);
  if (options.give_up)
    give_up(link);
  else
    tell(meet_by(link));
}

static void speak_plainly(int peer) {
  const char* text = options.web ? "GET / HTTP/1.0\r\n\r\n" : "220 localhost is glad to see you\r\n";
  if (options.side.is_server) wait_for(peer, POLLIN);
  if (write(peer, text, strlen(text)) < 0) err(1, "write");
}

// With --clear the object of the connection before.
static SSL* take_session(SSL_CTX* context) {
  static SSL* kept;
  SSL* session = kept ? kept : SSL_new(context);
  if (!session) errx(1, "no session");
  if (kept) must(SSL_clear(kept), "clear");
  if (options.clear) kept = session;
  return session;
}

static void meet(SSL_CTX* context, int peer) {
  struct link link = {.peer = peer};
  if (options.plain || options.web) {
    speak_plainly(peer);
  } else if (!options.mute) {
    link.session = take_session(context);
    use(&link);
    if (!options.clear) SSL_free(link.session);
  }
  if (!options.mute) shutdown(peer, SHUT_WR);
  drain(peer);
  close(peer);
}

// --- the command line ------------------------------------------------------------------------------------------------

static const struct tls_actor_option kKnown[] = {
    {"--min", &options.min, NULL, NULL},         {"--max", &options.max, NULL, NULL},
    {"--ciphers", &options.ciphers, NULL, NULL}, {"--trust", &options.trust, NULL, NULL},
    {"--revoked", &options.revoked, NULL, NULL}, {"--certificate", &options.certificate, NULL, NULL},
    {"--key", &options.key, NULL, NULL},         {"--protocol", &options.protocol, NULL, NULL},
    {"--verify", &options.verify, NULL, NULL},   {"--by", &options.by, NULL, NULL},
    {"--times", NULL, &options.times, NULL},     {"--records", NULL, &options.records, NULL},
    {"--require", NULL, NULL, &options.require}, {"--clear", NULL, NULL, &options.clear},
    {"--give-up", NULL, NULL, &options.give_up}, {"--mute", NULL, NULL, &options.mute},
    {"--plain", NULL, NULL, &options.plain},     {"--web", NULL, NULL, &options.web},
};

int main(int argc, char** argv) {
  SSL_CTX* context;
  int listener = -1;
  (void)argc;
  options.side = parse_words(argv + 1, kKnown, sizeof(kKnown) / sizeof(kKnown[0]), "openssl_actor.c");
  signal(SIGPIPE, SIG_IGN);
  setlinebuf(stdout);
  context = make_context();
  if (options.side.is_server) listener = listen_somewhere();
  for (long i = 0; i < options.times; ++i) {
    const int peer = options.side.is_server ? accept(listener, NULL, NULL) : connect_to(options.side.port);
    if (peer < 0) err(1, "accept");
    meet(context, peer);
  }
  SSL_CTX_free(context);
  return 0;
}
