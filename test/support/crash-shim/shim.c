/*
 * Preloaded into a process: ends it, as kill -9 does, at a write or a sync of one file, before or
 * after it happened or in the middle. Which one is read from a mapped file at every call, so that a
 * test arms it under running processes, which all share the one file.
 *
 * Environment: COUNTERSIGN_CRASH_CONTROL, the file of `struct control`, whose layout crash-shim.ts
 * repeats.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { idle, armed, struck };
enum { at_write = 1, at_sync = 2 };
enum { before = 0, after = 1, torn = 2 };

struct control {
  uint32_t state;
  uint32_t call;
  uint32_t moment;
  uint32_t countdown; /* calls that are let pass */
  char process[64];   /* part of the command line of who is to end */
  char file[64];      /* part of the path */
};

static struct control *control;
static char command[4096];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  const char *path = getenv("COUNTERSIGN_CRASH_CONTROL");
  int file = path == NULL ? -1 : open(path, O_RDWR);
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  int own = open("/proc/self/cmdline", O_RDONLY);
  ssize_t length = own < 0 ? -1 : read(own, command, sizeof command - 1);
  if (own >= 0) close(own);
  for (ssize_t at = 0; at < length; at += 1)
    if (command[at] == 0) command[at] = ' ';
  if (mapped != MAP_FAILED) control = mapped;
}

static uint32_t get(uint32_t *field) { return __atomic_load_n(field, __ATOMIC_SEQ_CST); }

/* Whether this call is the one. */
static int is_due(uint32_t call, int descriptor) {
  pthread_once(&once, load);
  if (control == NULL || get(&control->state) != armed || get(&control->call) != call) return 0;
  if (strstr(command, control->process) == NULL) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strstr(path, control->file) == NULL) return 0;
  uint32_t left = get(&control->countdown);
  while (left != 0) {
    if (__atomic_compare_exchange_n(&control->countdown, &left, left - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return 0;
  }
  uint32_t expected = armed;
  return __atomic_compare_exchange_n(&control->state, &expected, struck, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void strike(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (real == NULL) real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

#define WRITES(name, parameters, all, half)                   \
  __attribute__((visibility("default"))) ssize_t name parameters { \
    REAL(name);                                               \
    if (!is_due(at_write, descriptor)) return real all;       \
    if (control->moment == torn) half;                        \
    if (control->moment == after) real all;                   \
    strike();                                                 \
    return -1;                                                \
  }

/* The first half of what is there, and whatever comes before the last piece. */
#define HALF_OF_PIECES(write_them)                            \
  {                                                           \
    struct iovec pieces[64];                                  \
    int some = count > 64 ? 64 : count;                       \
    memcpy(pieces, of, sizeof(struct iovec) * (size_t)some);  \
    pieces[some - 1].iov_len /= 2;                            \
    write_them;                                               \
  }

WRITES(write, (int descriptor, const void *data, size_t bytes), (descriptor, data, bytes),
       real(descriptor, data, bytes / 2))
WRITES(pwrite64, (int descriptor, const void *data, size_t bytes, off64_t at),
       (descriptor, data, bytes, at), real(descriptor, data, bytes / 2, at))
WRITES(writev, (int descriptor, const struct iovec *of, int count), (descriptor, of, count),
       HALF_OF_PIECES(real(descriptor, pieces, some)))
WRITES(pwritev, (int descriptor, const struct iovec *of, int count, off_t at),
       (descriptor, of, count, at), HALF_OF_PIECES(real(descriptor, pieces, some, at)))
WRITES(pwritev64, (int descriptor, const struct iovec *of, int count, off64_t at),
       (descriptor, of, count, at), HALF_OF_PIECES(real(descriptor, pieces, some, at)))

#define SYNCS(name)                                           \
  __attribute__((visibility("default"))) int name(int descriptor) { \
    REAL(name);                                               \
    if (!is_due(at_sync, descriptor)) return real(descriptor); \
    if (control->moment == after) real(descriptor);           \
    strike();                                                 \
    return -1;                                                \
  }

SYNCS(fdatasync)
SYNCS(fsync)
