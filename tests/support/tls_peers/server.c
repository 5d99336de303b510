// SPDX-License-Identifier: Apache-2.0
//
// A TLS server on a free port of 127.0.0.1, for one client after the other. It serves, or breaks the handshake off in a
// way and at a place that it is told. It prints "port N", and "heard" at each client's first bytes.
//
// The parts: server_options (the command line), server_context (the library's settings), server_break (what it breaks
// off).
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/tls_peers/server_break.h"
#include "tests/support/tls_peers/server_context.h"
#include "tests/support/tls_peers/server_options.h"

enum { kBacklog = 128, kPatienceMs = 10000 };

static int listen_somewhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(address);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, size) || listen(listener, kBacklog) ||
      getsockname(listener, (struct sockaddr*)&address, &size)) {
    err(1, "listening");
  }
  printf("port %d\n", ntohs(address.sin_port));
  return listener;
}

// A client whose answer does not come must not hold a test, nor an answer that waits for an acknowledgement hold a
// client.
static void prepare(int socket) {
  const int at_once = 1;
  const struct timeval limit = {.tv_sec = kPatienceMs / 1000};
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void drain(int socket) {
  char bytes[4096];
  while (read(socket, bytes, sizeof(bytes)) > 0) {
  }
}

// Answers before it is asked, so that every client is content with it. What the client says is read to its end, since
// bytes that nobody has read would make a reset of the close.
static void serve(SSL_CTX* context, int socket) {
  static const char kAnswer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
  SSL* session = SSL_new(context);
  if (!session || !SSL_set_fd(session, socket)) errx(1, "no session");
  if (SSL_accept(session) != 1) {
    ERR_print_errors_fp(stderr);
  } else if (SSL_write(session, kAnswer, sizeof(kAnswer) - 1) > 0) {
    SSL_shutdown(session);
  }
  shutdown(socket, SHUT_WR);
  drain(socket);
  SSL_free(session);
}

static void answer_in_plain_text(int socket) {
  static const char kGreeting[] = "220 mail.server.test ESMTP\r\n";
  if (write(socket, kGreeting, sizeof(kGreeting) - 1) < 0) return;
  shutdown(socket, SHUT_WR);
  drain(socket);
}

// SMTP up to where TLS begins (RFC 3207), with a client that says what it should.
static void offer_tls(int socket) {
  static const char* const kWords[] = {"220 mail.server.test ESMTP\r\n", "250-mail.server.test\r\n250 STARTTLS\r\n"};
  static const char kBegin[] = "220 go on\r\n";
  char said[512];
  for (size_t at = 0; at < sizeof(kWords) / sizeof(*kWords); at++)
    if (write(socket, kWords[at], strlen(kWords[at])) < 0 || read(socket, said, sizeof(said)) <= 0) return;
  if (write(socket, kBegin, sizeof(kBegin) - 1) < 0) warn("no word of TLS");
}

static void take(SSL_CTX* context, int socket, const struct server_options* options) {
  struct pollfd waiting = {.fd = socket, .events = POLLIN};
  prepare(socket);
  if (options->play == PLAY_STARTTLS) offer_tls(socket);
  if (poll(&waiting, 1, kPatienceMs) == 1) {
    puts("heard");
    switch (options->play) {
      case PLAY_SERVE:
      case PLAY_STARTTLS:
        serve(context, socket);
        break;
      case PLAY_PLAIN:
        drain_some(socket);
        answer_in_plain_text(socket);
        break;
      default:
        break_off(context, socket, options);
        break;
    }
  }
  close(socket);
}

int main(int count, char** words) {
  const struct server_options options = read_server_options(count, words);
  SSL_CTX* context = make_server_context(&options);
  signal(SIGPIPE, SIG_IGN);
  setlinebuf(stdout);
  const int listener = listen_somewhere();
  for (int taken = 0; options.times == 0 || taken < options.times; taken++) {
    const int socket = accept(listener, NULL, NULL);
    if (socket < 0) err(1, "accept");
    take(context, socket, &options);
  }
  SSL_CTX_free(context);
  return 0;
}
