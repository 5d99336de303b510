// SPDX-License-Identifier: Apache-2.0
//
// A DNS server for a test: it answers on 127.0.0.1:53 as the name that is asked for says, and prints "listening" first.
//
//   lookup_server
//
// The first letters of a name: "nx" there is none, "fail" SERVFAIL, "empty" no record of that type, "silent" no answer;
// after "d" and a number the answer comes that many milliseconds later. Everything else has an address or a name.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kTypeA = 1, kTypePtr = 12, kTypeAaaa = 28, kServfail = 2, kNxdomain = 3, kHeader = 12 };

struct Query {
  int socket;
  struct sockaddr_in from;
  size_t bytes, question_end;
  uint16_t type;
  unsigned char message[512];
};

// Finds the type that the one question asks for.
static bool parse(struct Query* query) {
  size_t at = kHeader;

  while (at < query->bytes && query->message[at]) at += query->message[at] + 1U;
  if (at + 5 > query->bytes) return false;
  query->type = (uint16_t)(query->message[at + 1] << 8 | query->message[at + 2]);
  query->question_end = at + 5;
  return true;
}

static bool begins(const struct Query* query, const char* start) {
  const char* name = (const char*)query->message + kHeader + 1;

  return !strncmp(name, start, strlen(start));
}

static size_t write_record(unsigned char* to, uint16_t type) {
  static const unsigned char a[] = {10, 9, 8, 7}, aaaa[16] = {0xfd, [15] = 1}, ptr[] = "\4back\4test";
  const unsigned char* data = type == kTypeA ? a : type == kTypeAaaa ? aaaa : ptr;
  uint16_t bytes = type == kTypeA ? sizeof(a) : type == kTypeAaaa ? sizeof(aaaa) : sizeof(ptr);
  const unsigned char head[] = {0xc0, kHeader, 0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, (unsigned char)bytes};

  memcpy(to, head, sizeof(head));
  memcpy(to + sizeof(head), data, bytes);
  return sizeof(head) + bytes;
}

static void answer(struct Query* query) {
  bool nx = begins(query, "nx"), broken = begins(query, "fail"), has_record = !nx && !broken && !begins(query, "empty");
  size_t bytes = query->question_end;

  query->message[2] |= 0x80;  // an answer
  query->message[3] = (unsigned char)(0x80 | (nx ? kNxdomain : broken ? kServfail : 0));
  memset(query->message + 6, 0, 6);
  if (has_record) {
    query->message[7] = 1;
    bytes += write_record(query->message + bytes, query->type);
  }
  sendto(query->socket, query->message, bytes, 0, (struct sockaddr*)&query->from, sizeof(query->from));
}

static void* answer_late(void* argument) {
  struct Query* query = argument;

  usleep((useconds_t)atoi((const char*)query->message + kHeader + 2) * 1000);
  answer(query);
  free(query);
  return NULL;
}

static void handle(struct Query* query) {
  pthread_t thread;

  if (!parse(query) || begins(query, "silent")) {
    free(query);
  } else if (begins(query, "d") && !pthread_create(&thread, NULL, answer_late, query)) {
    pthread_detach(thread);
  } else {
    answer(query);
    free(query);
  }
}

int main(void) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (server < 0 || bind(server, (struct sockaddr*)&own, sizeof(own))) {
    perror("127.0.0.1:53");
    return 1;
  }
  puts("listening");
  fflush(stdout);
  for (;;) {
    struct Query* query = calloc(1, sizeof(*query));
    socklen_t size = sizeof(query->from);
    // Room for a record is left behind the question.
    ssize_t bytes =
        recvfrom(server, query->message, sizeof(query->message) - 64, 0, (struct sockaddr*)&query->from, &size);

    if (bytes < kHeader) {
      free(query);
      continue;
    }
    query->socket = server;
    query->bytes = (size_t)bytes;
    handle(query);
  }
}
