// SPDX-License-Identifier: Apache-2.0
//
// Looks names up as a test tells it, and says how each look-up ended and how long it took. In C, so that it can be
// built for musl too.
//
//   lookup_actor [OPTION...] FUNCTION NAME
//   lookup_actor --etc DIR --contain DIR [OPTION...] FUNCTION NAME
//
// FUNCTION is a function of <netdb.h>; NAME an IPv4 address for those that take one. Each look-up is a line of output,
// its result as a label of the agent's and its microseconds: "eai_noname 1234".
//   --times N         look-ups of each thread         --threads N   threads, all at once
//   --service TEXT    of getaddrinfo                  --family N    of getaddrinfo
//   --flags N         of getnameinfo                  --buffer N    bytes that the functions with _r begin with
//   --descriptors N   may be open at most             --wait        says "ready" and waits for a line of input
//   --abandon NAME    is looked up first, and jumped out of after a moment
//   --etc DIR         is /etc, in a mount namespace of its own
//   --contain DIR     runs in a root directory there, a tmpfs with its own copies of the program and its libraries
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/lookup_container.h"

struct Options {
  const char *function, *name, *service, *abandon, *etc, *contain;
  long times, threads, family, flags, buffer, descriptors;
  bool wait;
};

static struct Options options = {.times = 1, .threads = 1, .buffer = 64, .descriptors = -1};

static _Noreturn void fail(const char* what) {
  perror(what);
  exit(1);
}

/* --- results, by the agent's names -----------------------------------------------------------------------------------
 */

static const char* name_of_eai(int code) {
  switch (code) {
    case 0:
      return "ok";
    case EAI_BADFLAGS:
      return "eai_badflags";
    case EAI_NONAME:
      return "eai_noname";
    case EAI_AGAIN:
      return "eai_again";
    case EAI_FAIL:
      return "eai_fail";
    case -5:  // EAI_NODATA, which musl's header keeps to itself
      return "eai_nodata";
    case EAI_FAMILY:
      return "eai_family";
    case EAI_SOCKTYPE:
      return "eai_socktype";
    case EAI_SERVICE:
      return "eai_service";
    case EAI_MEMORY:
      return "eai_memory";
    case EAI_SYSTEM:
      return "eai_system";
    case EAI_OVERFLOW:
      return "eai_overflow";
    default:
      return "other";
  }
}

static const char* name_of_entry(const struct hostent* entry, int error) {
  if (entry) return "ok";
  switch (error) {
    case HOST_NOT_FOUND:
      return "eai_noname";
    case TRY_AGAIN:
      return "eai_again";
    case NO_RECOVERY:
      return "eai_fail";
    case NO_DATA:
      return "eai_nodata";
    default:
      return "eai_system";
  }
}

/* --- the functions ---------------------------------------------------------------------------------------------------
 */

static struct in_addr address(void) {
  struct in_addr parsed;

  if (inet_pton(AF_INET, options.name, &parsed) != 1) {
    fprintf(stderr, "%s is no IPv4 address\n", options.name);
    exit(1);
  }
  return parsed;
}

static const char* call_getaddrinfo(void) {
  struct addrinfo hints = {.ai_family = (int)options.family, .ai_socktype = SOCK_STREAM}, *found = NULL;
  int code = getaddrinfo(options.name, options.service, &hints, &found);

  if (!code) freeaddrinfo(found);
  return name_of_eai(code);
}

static const char* call_getnameinfo(void) {
  struct sockaddr_in asked = {.sin_family = AF_INET, .sin_addr = address()};
  char host[1025];

  return name_of_eai(
      getnameinfo((struct sockaddr*)&asked, sizeof(asked), host, sizeof(host), NULL, 0, (int)options.flags));
}

static const char* call_gethostbyname(void) {
  const struct hostent* entry = gethostbyname(options.name);

  return name_of_entry(entry, h_errno);
}

static const char* call_gethostbyname2(void) {
  const struct hostent* entry = gethostbyname2(options.name, AF_INET);

  return name_of_entry(entry, h_errno);
}

static const char* call_gethostbyaddr(void) {
  struct in_addr asked = address();
  const struct hostent* entry = gethostbyaddr(&asked, sizeof(asked), AF_INET);

  return name_of_entry(entry, h_errno);
}

/* What those with _r have in common: a buffer that grows until it is large enough. */
typedef int (*Reentrant)(struct hostent* entry, char* buffer, size_t bytes, struct hostent** result, int* error);

static const char* call_with_buffer(Reentrant call) {
  struct hostent entry, *result = NULL;
  size_t bytes = (size_t)options.buffer;
  char* buffer = NULL;
  int code, error = 0;

  do {
    buffer = realloc(buffer, bytes);
    code = call(&entry, buffer, bytes, &result, &error);
    bytes *= 2;
  } while (code == ERANGE);
  free(buffer);
  return name_of_entry(result, error);
}

static int by_name_r(struct hostent* entry, char* buffer, size_t bytes, struct hostent** result, int* error) {
  return gethostbyname_r(options.name, entry, buffer, bytes, result, error);
}

static int by_name2_r(struct hostent* entry, char* buffer, size_t bytes, struct hostent** result, int* error) {
  return gethostbyname2_r(options.name, AF_INET, entry, buffer, bytes, result, error);
}

static int by_addr_r(struct hostent* entry, char* buffer, size_t bytes, struct hostent** result, int* error) {
  static struct in_addr asked;

  asked = address();
  return gethostbyaddr_r(&asked, sizeof(asked), AF_INET, entry, buffer, bytes, result, error);
}

static const char* call_gethostbyname_r(void) { return call_with_buffer(by_name_r); }

static const char* call_gethostbyname2_r(void) { return call_with_buffer(by_name2_r); }

static const char* call_gethostbyaddr_r(void) { return call_with_buffer(by_addr_r); }

static const struct {
  const char* name;
  const char* (*call)(void);
} functions[] = {
    {"getaddrinfo", call_getaddrinfo},           {"getnameinfo", call_getnameinfo},
    {"gethostbyname", call_gethostbyname},       {"gethostbyname2", call_gethostbyname2},
    {"gethostbyaddr", call_gethostbyaddr},       {"gethostbyname_r", call_gethostbyname_r},
    {"gethostbyname2_r", call_gethostbyname2_r}, {"gethostbyaddr_r", call_gethostbyaddr_r},
};

/* --- the work --------------------------------------------------------------------------------------------------------
 */

static long long now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static sigjmp_buf before;

static void jump_back(int signal) {
  (void)signal;
  siglongjmp(before, 1);
}

// As programs did that had no other way to give a look-up a time limit.
static void abandon(const char* (*call)(void)) {
  const char* name = options.name;

  signal(SIGALRM, jump_back);
  options.name = options.abandon;
  if (!sigsetjmp(before, 1)) {
    ualarm(100000, 0);
    call();
  }
  options.name = name;
}

static void* look_up(void* call_pointer) {
  const char* (*call)(void) = *(const char* (**)(void))call_pointer;

  if (options.abandon) abandon(call);
  for (long i = 0; i < options.times; ++i) {
    long long begin = now_ns();
    const char* word = call();
    long long end = now_ns();

    printf("%s %lld\n", word, (end - begin) / 1000);
  }
  return NULL;
}

static void run_threads(const char* (*call)(void)) {
  pthread_t threads[64];

  for (long i = 0; i < options.threads; ++i)
    if (pthread_create(&threads[i], NULL, look_up, &call)) fail("pthread_create");
  for (long i = 0; i < options.threads; ++i) pthread_join(threads[i], NULL);
}

static void wait_for_line(void) {
  char line[16];

  puts("ready");
  fflush(stdout);
  if (!fgets(line, sizeof(line), stdin)) exit(1);
}

static void limit_descriptors(void) {
  struct rlimit limit = {(rlim_t)options.descriptors, (rlim_t)options.descriptors};

  if (setrlimit(RLIMIT_NOFILE, &limit)) fail("setrlimit");
}

static void mount_etc(void) {
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount namespace");
  if (mount(options.etc, "/etc", NULL, MS_BIND, NULL)) fail("mount on /etc");
}

static void parse(int argc, char** argv) {
  const struct {
    const char* name;
    const char** text;
    long* number;
  } known[] = {
      {"--times", NULL, &options.times},     {"--threads", NULL, &options.threads},
      {"--service", &options.service, NULL}, {"--family", NULL, &options.family},
      {"--flags", NULL, &options.flags},     {"--buffer", NULL, &options.buffer},
      {"--etc", &options.etc, NULL},         {"--descriptors", NULL, &options.descriptors},
      {"--contain", &options.contain, NULL}, {"--abandon", &options.abandon, NULL},
  };
  int at = 1;

  for (; at < argc && argv[at][0] == '-'; ++at) {
    bool found = false;

    if (!strcmp(argv[at], "--wait")) {
      options.wait = true;
      continue;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && at + 1 < argc && !found; ++i) {
      found = !strcmp(argv[at], known[i].name);
      if (found && known[i].text)
        *known[i].text = argv[++at];
      else if (found)
        *known[i].number = atol(argv[++at]);
    }
    if (!found) break;
  }
  if (argc - at != 2 || options.threads < 1 || options.threads > 64) {
    fprintf(stderr, "usage: see lookup_actor.c\n");
    exit(2);
  }
  options.function = argv[at];
  options.name = argv[at + 1];
}

// The same again, inside.
static _Noreturn void run_contained(int argc, char** argv) {
  int kept = 1;

  if (enter_container(options.contain, options.etc)) fail("container");
  for (int i = 1; i < argc; ++i) {
    if (!strcmp(argv[i], "--contain") || !strcmp(argv[i], "--etc")) {
      ++i;
    } else {
      argv[kept++] = argv[i];
    }
  }
  argv[kept] = NULL;
  execv(argv[0], argv);
  fail(argv[0]);
}

int main(int argc, char** argv) {
  parse(argc, argv);
  if (options.contain) run_contained(argc, argv);
  if (options.etc) mount_etc();
  if (options.wait) wait_for_line();
  if (options.descriptors >= 0) limit_descriptors();
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
    if (strcmp(options.function, functions[i].name)) continue;
    if (options.threads == 1)
      look_up((void*)&functions[i].call);
    else
      run_threads(functions[i].call);
    return 0;
  }
  fprintf(stderr, "no function %s\n", options.function);
  return 2;
}
