// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_actor.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBacklog = 128 };

static const struct tls_actor_option* find(const char* word, const struct tls_actor_option* known, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (strcmp(word, known[i].name) == 0) return &known[i];
  return NULL;
}

// The words that are left behind the option; NULL: it is none, or lacks its value.
static char** take_option(char** words, const struct tls_actor_option* option) {
  if (!option) return NULL;
  ++words;
  if (option->flag) {
    *option->flag = true;
    return words;
  }
  if (!*words) return NULL;
  if (option->number)
    *option->number = atol(*words);
  else
    *option->text = *words;
  return words + 1;
}

struct tls_actor_side parse_words(char** words, const struct tls_actor_option* known, size_t count,
                                  const char* source) {
  struct tls_actor_side side = {0};
  if (!*words) errx(2, "see %s", source);
  side.is_server = strcmp(*words++, "server") == 0;
  if (!side.is_server && *words) side.port = *words++;
  while (*words) {
    const char* word = *words;
    words = take_option(words, find(word, known, count));
    if (!words) errx(2, "%s: see %s", word, source);
  }
  return side;
}

static struct sockaddr_in address_of(const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int listen_somewhere(void) {
  struct sockaddr_in address = address_of("0");
  socklen_t size = sizeof(address);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, size) || listen(listener, kBacklog) ||
      getsockname(listener, (struct sockaddr*)&address, &size))
    err(1, "listen");
  printf("port %d\n", ntohs(address.sin_port));
  return listener;
}

int connect_to(const char* port) {
  struct sockaddr_in address = address_of(port);
  const int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (peer < 0 || connect(peer, (struct sockaddr*)&address, sizeof(address))) err(1, "connect");
  return peer;
}

void drain(int peer) {
  char bytes[4096];
  fcntl(peer, F_SETFL, 0);
  while (read(peer, bytes, sizeof(bytes)) > 0) {
  }
}
