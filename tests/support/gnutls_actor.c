// SPDX-License-Identifier: Apache-2.0
//
// Shakes hands by GnuTLS as a test tells it, as a client or as a server, and prints how each handshake ended: "ok", or the
// name of the library's error, with "alert N" where the peer has sent one.
//
//   gnutls_actor client PORT [OPTION...]
//   gnutls_actor server [OPTION...]          prints "port N" first
//
//   --times N           so many connections, one after the other
//   --priority TEXT     versions and ciphers, in the library's words
//   --trust FILE        the authorities that a peer's certificate may come from
//   --revoked FILE      the revocations that are known
//   --certificate FILE --key FILE
//   --require           a server: the client must have a certificate
//   --protocol NAME     of the application (ALPN), and no other
//   --verify HOW        in (the handshake), callback (the program's own), waved (a callback that lets all pass), after
//                       (the handshake), ignored (after it, and goes on whatever comes of it)
//   --non-blocking      the socket; waits by poll() between the calls
//   --patience MS       a handshake takes no longer
//   --silent            no alert is sent when it fails
//   --talk BYTES        what the client sends, and gets back, after the handshake (default: 16)
//   --records N         in so many records
//   --plain             speaks no TLS: greets, and reads what comes
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/tls_actor.h"

static const char kServerName[] = "localhost";

static struct {
  struct tls_actor_side side;
  const char *priority, *trust, *revoked, *certificate, *key, *protocol, *verify;
  long times, patience, talk, records;
  bool require, non_blocking, silent, plain;
} options = {.priority = "NORMAL", .verify = "", .times = 1, .talk = 16, .records = 1};

static void must(int code, const char* what) {
  if (code < 0) errx(1, "%s: %s", what, gnutls_strerror(code));
}

/* --- sessions ---------------------------------------------------------------------------------------------------------
 */

static gnutls_certificate_credentials_t make_credentials(void) {
  gnutls_certificate_credentials_t made;

  must(gnutls_certificate_allocate_credentials(&made), "credentials");
  if (options.trust)
    must(gnutls_certificate_set_x509_trust_file(made, options.trust, GNUTLS_X509_FMT_PEM), options.trust);
  if (options.revoked)
    must(gnutls_certificate_set_x509_crl_file(made, options.revoked, GNUTLS_X509_FMT_PEM), options.revoked);
  if (options.certificate)
    must(gnutls_certificate_set_x509_key_file(made, options.certificate, options.key, GNUTLS_X509_FMT_PEM),
         options.certificate);
  return made;
}

static bool verifies(const char* how) { return strcmp(options.verify, how) == 0; }

static const char* peers_name(void) { return options.side.is_server ? NULL : kServerName; }

static bool peer_is_trusted(gnutls_session_t session) {
  unsigned int status = ~0U;

  return gnutls_certificate_verify_peers3(session, peers_name(), &status) >= 0 && status == 0;
}

static int judge(gnutls_session_t session) {
  return peer_is_trusted(session) || verifies("waved") ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void name_protocol(gnutls_session_t session) {
  gnutls_datum_t name = {(unsigned char*)options.protocol, (unsigned int)strlen(options.protocol)};

  must(gnutls_alpn_set_protocols(session, &name, 1, GNUTLS_ALPN_MANDATORY), "protocol");
}

static gnutls_session_t make_session(gnutls_certificate_credentials_t credentials, int peer) {
  unsigned int flags = options.side.is_server ? GNUTLS_SERVER : GNUTLS_CLIENT;
  gnutls_session_t session;

  must(gnutls_init(&session, flags | (options.non_blocking ? GNUTLS_NONBLOCK : 0)), "session");
  must(gnutls_priority_set_direct(session, options.priority, NULL), options.priority);
  must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), "credentials");
  if (!options.side.is_server)
    must(gnutls_server_name_set(session, GNUTLS_NAME_DNS, kServerName, strlen(kServerName)), "server name");
  if (options.require) gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  if (options.protocol) name_protocol(session);
  if (verifies("in")) gnutls_session_set_verify_cert(session, peers_name(), 0);
  if (verifies("callback") || verifies("waved")) gnutls_session_set_verify_function(session, judge);
  if (options.patience) gnutls_handshake_set_timeout(session, (unsigned int)options.patience);
  gnutls_transport_set_int(session, peer);
  return session;
}

/* --- one connection ---------------------------------------------------------------------------------------------------
 */

static void wait_for(gnutls_session_t session) {
  struct pollfd waiting = {.fd = gnutls_transport_get_int(session),
                           .events = gnutls_record_get_direction(session) ? POLLOUT : POLLIN};

  poll(&waiting, 1, options.patience ? (int)options.patience : 10000);
}

static int shake_hands(gnutls_session_t session) {
  int code;

  while ((code = gnutls_handshake(session)) < 0 && !gnutls_error_is_fatal(code)) wait_for(session);
  return code;
}

static ssize_t take(gnutls_session_t session, char* bytes, size_t size) {
  ssize_t got;

  while ((got = gnutls_record_recv(session, bytes, size)) < 0 && !gnutls_error_is_fatal((int)got)) wait_for(session);
  return got;
}

static ssize_t give(gnutls_session_t session, const char* bytes, size_t size) {
  ssize_t sent;

  while ((sent = gnutls_record_send(session, bytes, size)) < 0 && !gnutls_error_is_fatal((int)sent)) wait_for(session);
  return sent;
}

// What the client sends comes back. The first error, or 0.
static int talk(gnutls_session_t session) {
  static char bytes[16384];
  const long total = options.talk * options.records;
  ssize_t got = 1;

  if (!options.side.is_server)
    for (long i = 0; i < options.records; ++i)
      if ((got = give(session, bytes, (size_t)options.talk)) < 0) return (int)got;
  for (long left = total; left > 0 && got > 0; left -= got) {
    got = take(session, bytes, sizeof(bytes));
    if (options.side.is_server && got > 0) give(session, bytes, (size_t)got);
  }
  if (got <= 0) return (int)got;
  return gnutls_bye(session, GNUTLS_SHUT_WR);
}

static void tell(gnutls_session_t session, int code) {
  if (code == GNUTLS_E_SUCCESS)
    puts("ok");
  else if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
    printf("%s alert %d\n", gnutls_strerror_name(code), (int)gnutls_alert_get(session));
  else
    printf("%s\n", gnutls_strerror_name(code));
}

static int greet_by(gnutls_session_t session) {
  int code = shake_hands(session);

  if (code < 0) {
    if (!options.silent && code != GNUTLS_E_FATAL_ALERT_RECEIVED) gnutls_alert_send_appropriate(session, code);
    return code;
  }
  if (verifies("after") && !peer_is_trusted(session)) return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
  if (verifies("ignored")) peer_is_trusted(session);
  return talk(session);
}

static void speak_plainly(int peer) {
  static const char kGreeting[] = "220 localhost is glad to see you\r\n";
  struct pollfd heard = {.fd = peer, .events = POLLIN};

  if (options.side.is_server) poll(&heard, 1, 10000);
  if (write(peer, kGreeting, sizeof(kGreeting) - 1) < 0) err(1, "write");
}

static void meet(gnutls_certificate_credentials_t credentials, int peer) {
  gnutls_session_t session;

  if (options.plain) {
    speak_plainly(peer);
  } else {
    if (options.non_blocking && fcntl(peer, F_SETFL, O_NONBLOCK)) err(1, "fcntl");
    session = make_session(credentials, peer);
    tell(session, greet_by(session));
    gnutls_deinit(session);
  }
  shutdown(peer, SHUT_WR);
  drain(peer);
  close(peer);
}

/* --- the command line -------------------------------------------------------------------------------------------------
 */

static const struct tls_actor_option kKnown[] = {
    {"--times", NULL, &options.times, NULL},          {"--patience", NULL, &options.patience, NULL},
    {"--talk", NULL, &options.talk, NULL},            {"--records", NULL, &options.records, NULL},
    {"--priority", &options.priority, NULL, NULL},    {"--trust", &options.trust, NULL, NULL},
    {"--revoked", &options.revoked, NULL, NULL},      {"--certificate", &options.certificate, NULL, NULL},
    {"--key", &options.key, NULL, NULL},              {"--protocol", &options.protocol, NULL, NULL},
    {"--verify", &options.verify, NULL, NULL},        {"--require", NULL, NULL, &options.require},
    {"--non-blocking", NULL, NULL, &options.non_blocking}, {"--silent", NULL, NULL, &options.silent},
    {"--plain", NULL, NULL, &options.plain},
};

int main(int argc, char** argv) {
  gnutls_certificate_credentials_t credentials;
  int listener = -1;

  (void)argc;
  options.side = parse_words(argv + 1, kKnown, sizeof(kKnown) / sizeof(kKnown[0]), "gnutls_actor.c");
  signal(SIGPIPE, SIG_IGN);
  setlinebuf(stdout);
  credentials = make_credentials();
  if (options.side.is_server) listener = listen_somewhere();
  for (long i = 0; i < options.times; ++i) {
    int peer = options.side.is_server ? accept(listener, NULL, NULL) : connect_to(options.side.port);

    if (peer < 0) err(1, "accept");
    meet(credentials, peer);
  }
  gnutls_certificate_free_credentials(credentials);
  return 0;
}
