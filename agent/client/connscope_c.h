/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of an application, by way of the connscope agent on the same host. C99 with GNU builtins and the GNU C
 * library's default declarations (-std=gnu99), Linux, this header alone (link with -pthread); connscope.h is the same
 * for C++20.
 *
 *   connscope_client *client = connscope_open(NULL);
 *   connscope_metric *requests = connscope_counter(client, "app.requests", "route:/x");
 *   connscope_add(requests, 1);
 *   connscope_close(client);
 *
 * What it promises: no call blocks (close may wait for 100 ms), fails or crashes for want of an agent or of memory (a
 * metric that could not be made is NULL, and NULL is taken everywhere). Updates allocate nothing. Counters are added up
 * here and sent by a thread of the client ten times a second, so that an increment is one atomic addition; none is lost
 * while the agent is away or slow. Observations wait in a buffer of one packet; those that find it full are lost,
 * counted, and told to the agent.
 *
 * Threads: every function from any thread; close when no other thread uses the client. After fork() parent and child
 * each go on with the same metrics; what waited is the parent's (the pages are wiped in the child, madvise(2)
 * MADV_WIPEONFORK). Units: times are seconds, sizes bytes.
 */
#ifndef CONNSCOPE_C_H
#define CONNSCOPE_C_H

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
extern "C" {
#endif

#define CONNSCOPE_DEFAULT_PATH "/run/connscope/ingest.sock"
#define CONNSCOPE_MAX_METRICS 4096
#define CONNSCOPE_PACKET_BYTES 8192

enum connscope_mode {
  CONNSCOPE_BATCHED,  /* a thread of the client sends what has gathered */
  CONNSCOPE_MANUAL,   /* connscope_flush() does, and a buffer that is full */
  CONNSCOPE_IMMEDIATE /* every update is sent by itself */
};

/* What connscope_record() means: a level, a number of events, any value, a size, a duration. */
enum connscope_kind { CONNSCOPE_AMOUNT, CONNSCOPE_RATE, CONNSCOPE_DISTRIBUTION, CONNSCOPE_SIZES, CONNSCOPE_TIMES };

typedef struct connscope_options {
  const char* path; /* of the agent's socket; NULL: CONNSCOPE_DEFAULT_PATH */
  enum connscope_mode mode;
  unsigned flush_interval_ms; /* 0: 100 */
} connscope_options;

/* One cache line, so that counters of different threads do not disturb each other. */
typedef struct connscope_cell {
  uint64_t pending; /* counters: not sent yet */
  double value;     /* gauges: the last one set, or what was added */
  uint32_t is_set;
  uint32_t is_new;
  uint64_t unused[5];
} connscope_cell;

/* All that must not be sent twice after a fork: zero in the child. */
typedef struct connscope_gathered {
  pthread_mutex_t lock; /* zero is PTHREAD_MUTEX_INITIALIZER on Linux */
  int running;          /* 0: look at connscope_start_; 1: the thread runs; 2: without a thread */
  uint64_t lost;        /* lines, not told yet */
  uint64_t lost_in_all;
  size_t used;
  char buffer[CONNSCOPE_PACKET_BYTES];
  connscope_cell cells[CONNSCOPE_MAX_METRICS];
} connscope_gathered;

typedef struct connscope_client {
  connscope_gathered* gathered;
  struct connscope_metric* metrics;
  size_t metric_count;
  enum connscope_mode mode;
  unsigned flush_interval_ms;
  struct sockaddr_un address;
  int socket;
  int connected;
  uint64_t tried_ns; /* when it was last tried to connect */
  int stop;          /* eventfd of this process's thread */
  pthread_t thread;
} connscope_client;

typedef struct connscope_metric {
  connscope_client* client;
  struct connscope_metric* next;
  connscope_cell* cell;
  enum connscope_kind kind;
  size_t head_bytes;
  size_t tail_bytes;
  char* head; /* "app.requests:" */
  char* tail; /* "|c|#route:/x\n" */
} connscope_metric;

/* NULL only when memory is out. `options` may be NULL. */
static inline connscope_client* connscope_open(const connscope_options* options);
/* Sends what has gathered, and frees the client and its metrics. Waits until the agent has read it, a tenth of a second
 * at most: rules know a process while it is there. So a child of fork() closes its copy too, rather than just _exit. */
static inline void connscope_close(connscope_client* client);

/* Metrics live as long as their client; make each once and keep it. `tags` as "key:value,key:value", or NULL.
 * Characters that mean something to the protocol become '_'. NULL beyond CONNSCOPE_MAX_METRICS. */
static inline connscope_metric* connscope_measure(connscope_client* client, enum connscope_kind kind, const char* name,
                                                  const char* tags);
static inline connscope_metric* connscope_counter(connscope_client* client, const char* name, const char* tags) {
  return connscope_measure(client, CONNSCOPE_RATE, name, tags);
}
static inline connscope_metric* connscope_gauge(connscope_client* client, const char* name, const char* tags) {
  return connscope_measure(client, CONNSCOPE_AMOUNT, name, tags);
}
static inline connscope_metric* connscope_histogram(connscope_client* client, const char* name, const char* tags) {
  return connscope_measure(client, CONNSCOPE_DISTRIBUTION, name, tags);
}
/* A histogram in seconds. */
static inline connscope_metric* connscope_timer(connscope_client* client, const char* name, const char* tags) {
  return connscope_measure(client, CONNSCOPE_TIMES, name, tags);
}

/* Counters alone. */
static inline void connscope_add(connscope_metric* counter, uint64_t count);
/* Gauges alone: to a value, by a step. */
static inline void connscope_set(connscope_metric* gauge, double value);
static inline void connscope_move(connscope_metric* gauge, double step);
/* Histograms; for a timer in seconds. */
static inline void connscope_observe(connscope_metric* histogram, double value);
/* Whichever of these the kind is for; a counter takes whole numbers that are not negative. */
static inline void connscope_record(connscope_metric* metric, double value);

/* A monotonic clock, for connscope_observe_since. */
static inline uint64_t connscope_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static inline void connscope_observe_since(connscope_metric* timer, uint64_t begin_ns) {
  connscope_observe(timer, (double)(connscope_now_ns() - begin_ns) / 1e9);
}

/* Sends what has gathered; 1 when nothing is left, 0 when the agent is away or slow. Does not block. */
static inline int connscope_flush(connscope_client* client);
/* Lines that were lost in this process so far. */
static inline uint64_t connscope_lost(connscope_client* client);

/* ---- What follows is not for callers. ---- */

static inline int connscope_try_connect_(connscope_client* client) {
  const uint64_t now = connscope_now_ns();
  if (client->connected) return 1;
  if (client->tried_ns != 0 && now - client->tried_ns < 100000000u) return 0;
  client->tried_ns = now;
  client->connected = connect(client->socket, (const struct sockaddr*)&client->address, sizeof(client->address)) == 0;
  return client->connected;
}

/* 1: sent; 0: not now; -1: never. */
static inline int connscope_send_(connscope_client* client, const char* bytes, size_t count) {
  if (send(client->socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 1;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return 0;
  if (errno == EMSGSIZE) return -1;
  client->connected = 0; /* the agent has gone */
  return 0;
}

static inline void connscope_count_lost_(connscope_gathered* gathered, uint64_t lines) {
  gathered->lost += lines;
  __atomic_fetch_add(&gathered->lost_in_all, lines, __ATOMIC_RELAXED);
}

/* With the lock: 1 when the buffer is empty now. */
static inline int connscope_send_buffer_(connscope_client* client) {
  connscope_gathered* gathered = client->gathered;
  int outcome = 0;
  if (gathered->used == 0) return 1;
  if (!connscope_try_connect_(client)) return 0;
  outcome = connscope_send_(client, gathered->buffer, gathered->used);
  if (outcome == 0) return 0;
  if (outcome < 0) {
    uint64_t lines = 0;
    for (size_t i = 0; i < gathered->used; ++i) lines += gathered->buffer[i] == '\n';
    connscope_count_lost_(gathered, lines);
  }
  gathered->used = 0;
  return 1;
}

static inline size_t connscope_put_whole_(char* text, uint64_t number) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  for (size_t i = 0; i < count; ++i) text[i] = digits[count - 1 - i];
  return count;
}

/* Not by printf where it can be helped: that is slow, and the decimal point is the locale's. */
static inline size_t connscope_put_number_(char* text, double value) {
  char digits[48];
  size_t at = 0;
  size_t end = 0;
  int printed = 0;
  const double size = value < 0 ? -value : value;
  if (size < 1e9 && (size >= 1e-3 || size == 0)) {
    const uint64_t billionths = (uint64_t)(size * 1e9 + 0.5);
    if (value < 0) text[at++] = '-';
    at += connscope_put_whole_(text + at, billionths / 1000000000u);
    if (billionths % 1000000000u == 0) return at;
    text[at++] = '.';
    /* The 1 in front keeps the zeros. */
    connscope_put_whole_(digits, 1000000000u + billionths % 1000000000u);
    for (end = 9; digits[end] == '0';) --end;
    memcpy(text + at, digits + 1, end);
    return at + end;
  }
  printed = snprintf(digits, sizeof(digits), "%.17g", value);
  for (int i = 0; i < printed; ++i) {
    const char c = digits[i];
    const int is_point = !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '+' || c == '-');
    if (!is_point)
      text[at++] = c;
    else if (at == 0 || text[at - 1] != '.')
      text[at++] = '.';
  }
  return at;
}

#define CONNSCOPE_LINE_BYTES_(metric) ((metric)->head_bytes + (metric)->tail_bytes + 48)

static inline size_t connscope_put_line_(char* text, const connscope_metric* metric, const char* value, size_t bytes) {
  memcpy(text, metric->head, metric->head_bytes);
  memcpy(text + metric->head_bytes, value, bytes);
  memcpy(text + metric->head_bytes + bytes, metric->tail, metric->tail_bytes);
  return metric->head_bytes + bytes + metric->tail_bytes;
}

/* With the lock: room for that many bytes in the buffer, after sending it if need be; NULL when there is none. */
static inline char* connscope_room_(connscope_client* client, size_t bytes) {
  connscope_gathered* gathered = client->gathered;
  if (gathered->used + bytes > CONNSCOPE_PACKET_BYTES && !connscope_send_buffer_(client)) return NULL;
  return gathered->buffer + gathered->used;
}

/* With the lock: 0 when there is no room. */
static inline int connscope_append_(connscope_metric* metric, const char* value, size_t bytes) {
  char* room = connscope_room_(metric->client, CONNSCOPE_LINE_BYTES_(metric));
  if (room == NULL) return 0;
  metric->client->gathered->used += connscope_put_line_(room, metric, value, bytes);
  return 1;
}

static inline int connscope_gather_counter_(connscope_metric* metric) {
  char value[24];
  const uint64_t count = __atomic_exchange_n(&metric->cell->pending, 0, __ATOMIC_RELAXED);
  if (count == 0 || connscope_append_(metric, value, connscope_put_whole_(value, count))) return 1;
  __atomic_fetch_add(&metric->cell->pending, count, __ATOMIC_RELAXED);
  return 0;
}

/* A sign means a step to StatsD, so that a negative value comes after a zero. */
static inline int connscope_gather_gauge_(connscope_metric* metric) {
  connscope_cell* cell = metric->cell;
  char value[52] = "+";
  size_t bytes = 0;
  if (!cell->is_new) return 1;
  if (cell->is_set && cell->value < 0 && !connscope_append_(metric, "0", 1)) return 0;
  bytes = !cell->is_set && !(cell->value < 0);
  bytes += connscope_put_number_(value + bytes, cell->value);
  if (!connscope_append_(metric, value, bytes)) return 0;
  memset(cell, 0, sizeof(*cell));
  return 1;
}

static inline void connscope_tell_lost_(connscope_client* client) {
  static const char head[] = "connscope.client.lost:";
  connscope_gathered* gathered = client->gathered;
  char* room = gathered->lost == 0 ? NULL : connscope_room_(client, sizeof(head) + 24);
  size_t bytes = sizeof(head) - 1;
  if (room == NULL) return;
  memcpy(room, head, bytes);
  bytes += connscope_put_whole_(room + bytes, gathered->lost);
  memcpy(room + bytes, "|c\n", 3);
  gathered->used += bytes + 3;
  gathered->lost = 0;
}

/* With the lock: what waits in its cell; 0 when there is no room for it. */
static inline int connscope_gather_(connscope_metric* metric) {
  if (metric->kind == CONNSCOPE_RATE) return connscope_gather_counter_(metric);
  return metric->kind == CONNSCOPE_AMOUNT ? connscope_gather_gauge_(metric) : 1;
}

static inline void connscope_send_now_(connscope_metric* metric) {
  connscope_client* client = metric->client;
  pthread_mutex_lock(&client->gathered->lock);
  if (connscope_gather_(metric)) connscope_send_buffer_(client);
  pthread_mutex_unlock(&client->gathered->lock);
}

/* With the lock. */
static inline int connscope_flush_(connscope_client* client) {
  int all = connscope_try_connect_(client);
  for (connscope_metric* metric = client->metrics; all && metric != NULL; metric = metric->next)
    all = connscope_gather_(metric);
  if (all) connscope_tell_lost_(client);
  return all && connscope_send_buffer_(client);
}

static inline int connscope_flush(connscope_client* client) {
  int all = 0;
  if (client == NULL) return 1;
  pthread_mutex_lock(&client->gathered->lock);
  all = connscope_flush_(client);
  pthread_mutex_unlock(&client->gathered->lock);
  return all;
}

static inline void* connscope_run_(void* argument) {
  connscope_client* client = (connscope_client*)argument;
  struct pollfd stop = {client->stop, POLLIN, 0};
  do {
    connscope_flush(client); /* the first at once: so the agent gets to know the process */
  } while (poll(&stop, 1, (int)client->flush_interval_ms) <= 0);
  return NULL;
}

/* With the lock, in a process that has no thread yet: the first one, or a child. */
static inline void connscope_start_thread_(connscope_client* client) {
  sigset_t all;
  sigset_t before;
  __atomic_store_n(&client->gathered->running, 2, __ATOMIC_RELAXED);
  if (client->mode != CONNSCOPE_BATCHED) return;
  if (client->stop >= 0) close(client->stop); /* the parent's */
  client->stop = eventfd(0, EFD_CLOEXEC);
  if (client->stop < 0) return;
  sigfillset(&all); /* signals are the application's */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&client->thread, NULL, connscope_run_, client) == 0)
    __atomic_store_n(&client->gathered->running, 1, __ATOMIC_RELAXED);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static inline void connscope_start_(connscope_client* client) {
  pthread_mutex_lock(&client->gathered->lock);
  if (client->gathered->running == 0) connscope_start_thread_(client);
  pthread_mutex_unlock(&client->gathered->lock);
}

static inline void connscope_keep_running_(connscope_client* client) {
  if (__builtin_expect(__atomic_load_n(&client->gathered->running, __ATOMIC_RELAXED) == 0, 0)) connscope_start_(client);
}

static inline void connscope_add(connscope_metric* counter, uint64_t count) {
  if (counter == NULL) return;
  __atomic_fetch_add(&counter->cell->pending, count, __ATOMIC_RELAXED);
  connscope_keep_running_(counter->client);
  if (counter->client->mode == CONNSCOPE_IMMEDIATE) connscope_send_now_(counter);
}

static inline void connscope_change_(connscope_metric* gauge, double value, int is_step) {
  connscope_cell* cell = NULL;
  if (gauge == NULL) return;
  cell = gauge->cell;
  connscope_keep_running_(gauge->client);
  pthread_mutex_lock(&gauge->client->gathered->lock);
  cell->value = is_step ? cell->value + value : value;
  cell->is_set |= !is_step;
  cell->is_new = 1;
  pthread_mutex_unlock(&gauge->client->gathered->lock);
  if (gauge->client->mode == CONNSCOPE_IMMEDIATE) connscope_send_now_(gauge);
}

static inline void connscope_set(connscope_metric* gauge, double value) { connscope_change_(gauge, value, 0); }
static inline void connscope_move(connscope_metric* gauge, double step) { connscope_change_(gauge, step, 1); }

static inline void connscope_observe(connscope_metric* histogram, double value) {
  char text[52];
  size_t bytes = 0;
  connscope_gathered* gathered = NULL;
  if (histogram == NULL) return;
  gathered = histogram->client->gathered;
  connscope_keep_running_(histogram->client);
  bytes = connscope_put_number_(text, histogram->kind == CONNSCOPE_TIMES ? value * 1e3 : value);
  pthread_mutex_lock(&gathered->lock);
  if (!connscope_append_(histogram, text, bytes)) connscope_count_lost_(gathered, 1);
  pthread_mutex_unlock(&gathered->lock);
  if (histogram->client->mode == CONNSCOPE_IMMEDIATE) connscope_send_now_(histogram);
}

static inline void connscope_record(connscope_metric* metric, double value) {
  if (metric == NULL) return;
  if (metric->kind == CONNSCOPE_RATE) {
    if (value >= 0 && value < 1.8e19) connscope_add(metric, (uint64_t)value);
  } else if (metric->kind == CONNSCOPE_AMOUNT) {
    connscope_set(metric, value);
  } else {
    connscope_observe(metric, value);
  }
}

static inline uint64_t connscope_lost(connscope_client* client) {
  return client == NULL ? 0 : __atomic_load_n(&client->gathered->lost_in_all, __ATOMIC_RELAXED);
}

static inline int connscope_ends_with_(const char* text, const char* end) {
  const size_t text_bytes = strlen(text);
  const size_t end_bytes = strlen(end);
  return text_bytes >= end_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

static inline char* connscope_legal_(char* text, const char* illegal) {
  for (char* at = text; *at != '\0'; ++at)
    if (strchr(illegal, *at) != NULL) *at = '_';
  return text;
}

static inline connscope_metric* connscope_make_(enum connscope_kind kind, const char* name, const char* tags) {
  static const char* const types[] = {"|g", "|c", "|h", "|h", "|ms"};
  const size_t head_room = strlen(name) + sizeof("_bytes:");
  const size_t tail_room = strlen(tags) + sizeof("|ms|#\n");
  connscope_metric* metric = (connscope_metric*)calloc(1, sizeof(connscope_metric) + head_room + tail_room);
  if (metric == NULL) return NULL;
  metric->kind = kind;
  metric->head = (char*)(metric + 1);
  strcpy(metric->head, name);
  if (kind == CONNSCOPE_SIZES && !connscope_ends_with_(name, "bytes")) strcat(metric->head, "_bytes");
  strcat(connscope_legal_(metric->head, ":|\n"), ":");
  metric->head_bytes = strlen(metric->head);
  metric->tail = metric->head + head_room;
  strcpy(metric->tail, types[kind]);
  if (tags[0] != '\0') {
    strcat(metric->tail, "|#");
    connscope_legal_(strcat(metric->tail, tags) + strlen(types[kind]) + 2, "|\n");
  }
  strcat(metric->tail, "\n");
  metric->tail_bytes = strlen(metric->tail);
  return metric;
}

static inline connscope_metric* connscope_measure(connscope_client* client, enum connscope_kind kind, const char* name,
                                                  const char* tags) {
  connscope_metric* metric = NULL;
  if (client == NULL) return NULL;
  metric = connscope_make_(kind, name, tags == NULL ? "" : tags);
  if (metric == NULL) return NULL;
  pthread_mutex_lock(&client->gathered->lock);
  if (client->metric_count < CONNSCOPE_MAX_METRICS && CONNSCOPE_LINE_BYTES_(metric) <= CONNSCOPE_PACKET_BYTES) {
    metric->client = client;
    metric->cell = &client->gathered->cells[client->metric_count++];
    metric->next = client->metrics;
    client->metrics = metric;
  } else {
    free(metric);
    metric = NULL;
  }
  pthread_mutex_unlock(&client->gathered->lock);
  return metric;
}

static inline connscope_gathered* connscope_map_(void) {
  void* pages = mmap(NULL, sizeof(connscope_gathered), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  if (madvise(pages, sizeof(connscope_gathered), MADV_WIPEONFORK) != 0) {
    munmap(pages, sizeof(connscope_gathered));
    return NULL;
  }
  return (connscope_gathered*)pages;
}

static inline connscope_client* connscope_open(const connscope_options* options) {
  const char* path = options != NULL && options->path != NULL ? options->path : CONNSCOPE_DEFAULT_PATH;
  connscope_client* client = (connscope_client*)calloc(1, sizeof(*client));
  if (client == NULL) return NULL;
  client->gathered = connscope_map_();
  client->stop = -1;
  client->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (client->gathered == NULL || client->socket < 0) {
    connscope_close(client);
    return NULL;
  }
  client->mode = options != NULL ? options->mode : CONNSCOPE_BATCHED;
  client->flush_interval_ms = options != NULL && options->flush_interval_ms != 0 ? options->flush_interval_ms : 100;
  client->address.sun_family = AF_UNIX;
  strncpy(client->address.sun_path, path, sizeof(client->address.sun_path) - 1);
  return client;
}

/* The last flush: again while the agent's queue is full, and until it has read all. */
static inline void connscope_send_rest_(connscope_client* client) {
  const struct timespec pause = {0, 1000000};
  for (int tries = 0; tries < 100; ++tries) {
    int queued = 0;
    int all = 0;
    int away = 0;
    pthread_mutex_lock(&client->gathered->lock);
    all = connscope_flush_(client);
    away = !client->connected;
    pthread_mutex_unlock(&client->gathered->lock);
    if (away) return;
    if (all && (ioctl(client->socket, SIOCOUTQ, &queued) != 0 || queued == 0)) return;
    nanosleep(&pause, NULL);
  }
}

static inline void connscope_close(connscope_client* client) {
  const uint64_t one = 1;
  if (client == NULL) return;
  if (client->gathered != NULL) {
    if (client->gathered->running == 1 && write(client->stop, &one, sizeof(one)) == sizeof(one))
      pthread_join(client->thread, NULL);
    connscope_send_rest_(client);
    munmap(client->gathered, sizeof(connscope_gathered));
  }
  while (client->metrics != NULL) {
    connscope_metric* next = client->metrics->next;
    free(client->metrics);
    client->metrics = next;
  }
  if (client->stop >= 0) close(client->stop);
  if (client->socket >= 0) close(client->socket);
  free(client);
}

#ifdef __cplusplus
}
#pragma GCC diagnostic pop
#endif

#endif
