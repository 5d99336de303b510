// SPDX-License-Identifier: Apache-2.0
//
// Uses a peer as a test tells it, step by step, and says how each step ended and how long it took, a line each:
// "connect:ok 1234", in microseconds. Linked to the C library of the build, as programs that look names up mostly are.
//
//   attempt_actor [--etc DIR] PORT STEP...
//
// STEP is one of
//   look_up:NAME        getaddrinfo                     aside:NAME       the same in a thread of its own
//   by_name:NAME        gethostbyname                   back:ADDRESS     getnameinfo
//   connect:ADDRESS     a connect that blocks           begin:ADDRESS    one that does not
//   settle:             waits until one that was begun has succeeded, and closes the others
//   talk:               sends some bytes on each connection, and waits for as many
//   pause:MS            waits                           close:           closes all
//   line:               says "ready" and waits for a line of input
// With --etc, DIR is /etc, in a mount namespace of its own.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMostSockets = 32, kBytes = 5 };

struct Sockets {
  struct pollfd polled[kMostSockets];
  nfds_t count;
};

static struct Sockets connected, begun;
static const char* port;

static _Noreturn void fail(const char* what) {
  perror(what);
  exit(1);
}

static long long now_us(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void keep(struct Sockets* sockets, int fd) {
  if (sockets->count == kMostSockets) fail("too many sockets");
  sockets->polled[sockets->count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

static void close_all(struct Sockets* sockets) {
  for (nfds_t i = 0; i < sockets->count; ++i) close(sockets->polled[i].fd);
  sockets->count = 0;
}

/* --- look-ups ---------------------------------------------------------------------------------------------------- */

static const char* look_up(const char* name) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int code = getaddrinfo(name, port, &hints, &found);

  if (!code) freeaddrinfo(found);
  return code ? "fail" : "ok";
}

static void* look_up_in_thread(void* name) { return (void*)look_up(name); }

static const char* look_up_aside(const char* name) {
  pthread_t thread;
  void* word;

  if (pthread_create(&thread, NULL, look_up_in_thread, (void*)name) || pthread_join(thread, &word)) fail("thread");
  return word;
}

static const char* look_up_by_name(const char* name) { return gethostbyname(name) ? "ok" : "fail"; }

/* --- connects ---------------------------------------------------------------------------------------------------- */

static const char* word_of_error(int error) {
  switch (error) {
    case 0:
      return "ok";
    case EINPROGRESS:
      return "begun";
    case ECONNREFUSED:
      return "refused";
    case ENETUNREACH:
      return "net_unreachable";
    case ETIMEDOUT:
      return "timeout";
    default:
      return strerror(error);
  }
}

static socklen_t parse(const char* address, struct sockaddr_storage* parsed) {
  struct sockaddr_in* ipv4 = (struct sockaddr_in*)parsed;
  struct sockaddr_in6* ipv6 = (struct sockaddr_in6*)parsed;

  memset(parsed, 0, sizeof(*parsed));
  if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons((uint16_t)atoi(port));
    return sizeof(*ipv4);
  }
  if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) != 1) fail(address);
  ipv6->sin6_family = AF_INET6;
  ipv6->sin6_port = htons((uint16_t)atoi(port));
  return sizeof(*ipv6);
}

static const char* connect_to(const char* address, int flags, struct Sockets* sockets) {
  struct sockaddr_storage peer;
  socklen_t bytes = parse(address, &peer);
  int fd = socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  int error = connect(fd, (struct sockaddr*)&peer, bytes) ? errno : 0;

  if (!error || error == EINPROGRESS)
    keep(sockets, fd);
  else
    close(fd);
  return word_of_error(error);
}

static const char* connect_at_once(const char* address) { return connect_to(address, 0, &connected); }

static const char* begin(const char* address) { return connect_to(address, SOCK_NONBLOCK, &begun); }

static int error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);

  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size)) fail("SO_ERROR");
  return error;
}

// The first that has succeeded, taken out of those that were begun; those that have failed are closed. -1: none yet.
static int take_winner(void) {
  for (nfds_t i = 0; i < begun.count; ++i) {
    struct pollfd* one = &begun.polled[i];
    int fd = one->fd;

    if (fd < 0 || !one->revents) continue;
    one->fd = -1;
    if (!error_of(fd)) return fd;
    close(fd);
  }
  return -1;
}

static const char* settle(const char* unused) {
  int winner = -1;

  (void)unused;
  while (winner < 0) {
    if (poll(begun.polled, begun.count, 10000) <= 0) return "fail";
    winner = take_winner();
  }
  close_all(&begun);
  fcntl(winner, F_SETFL, 0);
  keep(&connected, winner);
  return "ok";
}

/* --- what is left ------------------------------------------------------------------------------------------------ */

static const char* look_back(const char* address) {
  struct sockaddr_storage peer;
  socklen_t bytes = parse(address, &peer);
  char host[NI_MAXHOST];

  return getnameinfo((struct sockaddr*)&peer, bytes, host, sizeof(host), NULL, 0, NI_NAMEREQD) ? "fail" : "ok";
}

static const char* talk(const char* unused) {
  char bytes[kBytes] = "12345";

  (void)unused;
  for (nfds_t i = 0; i < connected.count; ++i)
    if (send(connected.polled[i].fd, bytes, kBytes, 0) != kBytes ||
        recv(connected.polled[i].fd, bytes, kBytes, MSG_WAITALL) != kBytes)
      return "fail";
  return "ok";
}

static const char* pause_for(const char* milliseconds) {
  usleep((useconds_t)atoi(milliseconds) * 1000);
  return "ok";
}

static const char* close_connections(const char* unused) {
  (void)unused;
  close_all(&connected);
  close_all(&begun);
  return "ok";
}

static const char* wait_for_line(const char* unused) {
  char line[16];

  (void)unused;
  puts("ready");
  fflush(stdout);
  return fgets(line, sizeof(line), stdin) ? "ok" : "fail";
}

static const struct {
  const char* name;
  const char* (*take)(const char* argument);
} steps[] = {
    {"look_up", look_up},         {"aside", look_up_aside}, {"by_name", look_up_by_name}, {"back", look_back},
    {"connect", connect_at_once}, {"begin", begin},         {"settle", settle},           {"talk", talk},
    {"pause", pause_for},         {"line", wait_for_line},  {"close", close_connections},
};

static void take(char* step) {
  char* argument = strchr(step, ':');

  if (!argument) fail(step);
  *argument++ = '\0';
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); ++i) {
    if (strcmp(step, steps[i].name)) continue;
    long long start = now_us();
    const char* word = steps[i].take(argument);

    printf("%s:%s %lld\n", step, word, now_us() - start);
    return;
  }
  fprintf(stderr, "no step %s\n", step);
  exit(2);
}

static void mount_etc(const char* etc) {
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount namespace");
  if (mount(etc, "/etc", NULL, MS_BIND, NULL)) fail("mount on /etc");
}

int main(int argc, char** argv) {
  int at = 1;

  signal(SIGPIPE, SIG_IGN);
  if (argc > 2 && !strcmp(argv[1], "--etc")) {
    mount_etc(argv[2]);
    at = 3;
  }
  if (at >= argc) {
    fprintf(stderr, "usage: see attempt_actor.c\n");
    return 2;
  }
  port = argv[at++];
  for (; at < argc; ++at) take(argv[at]);
  return 0;
}
