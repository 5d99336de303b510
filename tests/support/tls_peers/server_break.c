// SPDX-License-Identifier: Apache-2.0
//
// The library works on memory here, so that any part of what it says can be held back.
#include "tests/support/tls_peers/server_break.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kRoom = 32768, kRecordHeader = 5 };

static void send_all(int socket, const uint8_t* bytes, size_t size) {
  if (write(socket, bytes, size) != (ssize_t)size) err(1, "write");
}

static size_t first_record(const uint8_t* bytes, size_t size) {
  if (size < kRecordHeader) errx(1, "the library said nothing");
  return kRecordHeader + ((size_t)bytes[3] << 8) + bytes[4];
}

// The answer to the client's hello, which comes in one read or in several. 0: the library has refused it, or it never
// came whole.
static size_t make_flight(SSL* session, int socket, uint8_t* flight) {
  uint8_t heard[kRoom];
  for (;;) {
    const ssize_t size = read(socket, heard, sizeof(heard));
    if (size <= 0 || BIO_write(SSL_get_rbio(session), heard, (int)size) != size) return 0;
    const int result = SSL_accept(session);
    if (SSL_get_error(session, result) != SSL_ERROR_WANT_READ) return 0;
    const int made = BIO_read(SSL_get_wbio(session), flight, kRoom);
    if (made > 0) return (size_t)made;
  }
}

// Whether the client has sent a record that belongs to its part of the handshake. A change_cipher_spec of TLS 1.3 says
// nothing.
static bool has_answer(const uint8_t* bytes, size_t size) {
  enum { kChangeCipherSpec = 20 };
  for (size_t at = 0; at + kRecordHeader <= size;) {
    const size_t end = at + first_record(bytes + at, size - at);
    if (bytes[at] != kChangeCipherSpec) return end <= size;
    at = end;
  }
  return false;
}

static void await_answer(int socket) {
  uint8_t heard[kRoom];
  size_t size = 0;
  while (!has_answer(heard, size)) {
    const ssize_t more = read(socket, heard + size, sizeof(heard) - size);
    if (more <= 0) errx(1, "the client does not answer");
    size += (size_t)more;
  }
}

static void go_as_far(SSL* session, int socket, enum stage stage) {
  uint8_t flight[kRoom];
  if (stage == STAGE_BEFORE) {
    drain_some(socket);
    return;
  }
  const size_t size = make_flight(session, socket, flight);
  if (size == 0) errx(1, "no flight");
  send_all(socket, flight, stage == STAGE_HELLO ? first_record(flight, size) : size);
  if (stage == STAGE_FLIGHT) await_answer(socket);
}

void drain_some(int socket) {
  uint8_t heard[kRoom];
  if (read(socket, heard, sizeof(heard)) < 0) err(1, "read");
}

static void await_close(int socket) {
  uint8_t heard[kRoom];
  while (read(socket, heard, sizeof(heard)) > 0) {
  }
}

static void part(int socket, enum play play) {
  const struct linger at_once = {.l_onoff = 1};
  switch (play) {
    case PLAY_RESET:
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      return;
    case PLAY_FIN:
      shutdown(socket, SHUT_WR);
      break;
    default:
      break;
  }
  await_close(socket);
}

void break_off(SSL_CTX* context, int socket, const struct server_options* options) {
  SSL* session = SSL_new(context);
  if (!session) errx(1, "no session");
  SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  go_as_far(session, socket, options->stage);
  part(socket, options->play);
  SSL_free(session);
}
