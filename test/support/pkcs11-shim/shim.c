/*
 * A PKCS#11 module that stands before another one and does to it what hardware and networks do:
 * answers late, never, wrongly, or not at all. What it does is read from a mapped file at every
 * call, so that a test changes it under a running process; several processes share one file.
 *
 * Environment: COUNTERSIGN_SHIM_MODULE, the module behind; COUNTERSIGN_SHIM_CONTROL, the file of
 * `struct control`, whose layout control.ts repeats.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long ck;
typedef ck (*call)();

enum { functions = 68, hosts = 16, sessions_tracked = 512 };
enum {
  C_Initialize = 0,
  C_Finalize = 1,
  C_GetFunctionList_ = 3,
  C_GetSlotList = 4,
  C_GetSlotInfo = 5,
  C_GetTokenInfo = 6,
  C_OpenSession = 12,
  C_CloseSession = 13,
  C_CloseAllSessions = 14,
  C_GetSessionInfo = 15,
  C_Login = 18,
  C_Logout = 19,
  C_CreateObject = 20,
  C_DestroyObject = 22,
  C_GetAttributeValue = 24,
  C_FindObjectsInit = 26,
  C_FindObjects = 27,
  C_FindObjectsFinal = 28,
  C_SignInit = 42,
  C_Sign = 43,
  C_GenerateKeyPair = 59,
};
enum {
  CKR_OK = 0,
  CKR_DEVICE_REMOVED = 0x32,
  CKR_SESSION_COUNT = 0xb1,
  CKR_SESSION_HANDLE_INVALID = 0xb3,
  CKR_TOKEN_NOT_PRESENT = 0xe0,
};
static const uint32_t forever = 0xffffffffu;
/* In place of a return value: the call is not made, and answered as if it had been. */
static const ck pretended = 0xfffffffful;

struct fault {
  uint32_t delay_us;
  uint32_t error;       /* return value in place of the call */
  uint32_t error_count; /* for how many calls more; forever is no count */
  uint32_t hang;        /* for how many calls more: does not return until the next release */
  uint32_t lost_count;  /* calls that are made and whose success is answered with `error` */
  uint32_t calls;
  uint32_t failed;
  uint32_t hung;
};

struct host {
  uint32_t pid;
  uint32_t sessions;
};

struct control {
  uint32_t session_cap;  /* sessions of all processes; 0 is no cap */
  uint32_t idle_kill_ms; /* sessions not used for so long are gone; 0 is never */
  uint32_t renumber;     /* object handles are the module's own ones exclusive-or this */
  uint32_t flip_every;   /* a bit is wrong in every so-many-th signature; 0 is none */
  uint32_t removed;      /* the token is not in its slot */
  uint32_t token_flags;  /* shown in addition to the token's own flags */
  uint32_t flipped;
  uint32_t sessions_killed;
  uint32_t releases; /* raised: what hangs returns */
  uint32_t kill_call;   /* the call that ends this process's parent, plus one; 0 is none */
  uint32_t kill_after;  /* whether it is made first */
  uint32_t kill_countdown;
  uint32_t reserved[20];
  struct host hosts[hosts];
  struct fault faults[functions];
};

struct function_list {
  unsigned char major, minor;
  void *functions[functions];
};

static struct function_list list, *real;
static struct control *control;
static struct { ck session; uint64_t used_ms; } tracked[sessions_tracked];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t get(uint32_t *field) { return __atomic_load_n(field, __ATOMIC_SEQ_CST); }
static uint32_t add(uint32_t *field, uint32_t by) {
  return __atomic_add_fetch(field, by, __ATOMIC_SEQ_CST);
}

/* Whether one of the counted ones is left; takes it. */
static int take(uint32_t *count) {
  uint32_t seen = get(count);
  while (seen != 0 && seen != forever) {
    if (__atomic_compare_exchange_n(count, &seen, seen - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return 1;
  }
  return seen == forever;
}

static uint64_t now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

/* The kernel may add 50 us to each sleep of a thread; an answer from a network comes when it comes. */
static void sleep_us(uint32_t us) {
  static __thread int is_exact;
  if (!is_exact) is_exact = prctl(PR_SET_TIMERSLACK, 1) == 0;
  struct timespec left = {us / 1000000, (long)(us % 1000000) * 1000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static void end_parent(int function, uint32_t is_after) {
  if (get(&control->kill_call) != (uint32_t)function + 1) return;
  if (get(&control->kill_after) != is_after || take(&control->kill_countdown)) return;
  __atomic_store_n(&control->kill_call, 0, __ATOMIC_SEQ_CST);
  kill(getppid(), SIGKILL);
  for (;;) pause();
}

static ck said(ck met) { return met == pretended ? CKR_OK : met; }

/* What every call meets first. @returns CKR_OK when it is to be made. */
static ck meet(int function) {
  struct fault *fault = &control->faults[function];
  add(&fault->calls, 1);
  end_parent(function, 0);
  uint32_t delay = get(&fault->delay_us);
  if (delay != 0) sleep_us(delay);
  if (take(&fault->hang)) {
    uint32_t release = get(&control->releases);
    add(&fault->hung, 1);
    while (get(&control->releases) == release) sleep_us(5000);
  }
  if (get(&fault->lost_count) == 0 && take(&fault->error_count)) {
    add(&fault->failed, 1);
    return get(&fault->error);
  }
  return CKR_OK;
}

static ck answered(int function, ck result) {
  end_parent(function, 1);
  struct fault *fault = &control->faults[function];
  if (result == CKR_OK && take(&fault->lost_count)) {
    add(&fault->failed, 1);
    return get(&fault->error);
  }
  return result;
}

static struct host *own_host(void) {
  uint32_t pid = (uint32_t)getpid();
  for (int at = 0; at < hosts; at += 1)
    if (get(&control->hosts[at].pid) == pid) return &control->hosts[at];
  for (int at = 0; at < hosts; at += 1) {
    struct host *host = &control->hosts[at];
    uint32_t seen = get(&host->pid);
    if (seen != 0 && !(kill((pid_t)seen, 0) != 0 && errno == ESRCH)) continue;
    if (!__atomic_compare_exchange_n(&host->pid, &seen, pid, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      continue;
    __atomic_store_n(&host->sessions, 0, __ATOMIC_SEQ_CST);
    return host;
  }
  abort();
}

/* A killed process gives its sessions back, as a device notices sooner or later. */
static uint32_t open_sessions(void) {
  uint32_t count = 0;
  for (int at = 0; at < hosts; at += 1) {
    struct host *host = &control->hosts[at];
    uint32_t pid = get(&host->pid);
    if (pid != 0 && !(kill((pid_t)pid, 0) != 0 && errno == ESRCH)) count += get(&host->sessions);
  }
  return count;
}

static void forget(ck session) {
  pthread_mutex_lock(&lock);
  for (int at = 0; at < sessions_tracked; at += 1)
    if (tracked[at].session == session) tracked[at].session = 0;
  pthread_mutex_unlock(&lock);
}

static void track(ck session) {
  pthread_mutex_lock(&lock);
  for (int at = 0; at < sessions_tracked; at += 1) {
    if (tracked[at].session != 0) continue;
    tracked[at].session = session;
    tracked[at].used_ms = now_ms();
    break;
  }
  pthread_mutex_unlock(&lock);
}

/* Notes the use of a session. @returns whether it had been idle for too long. */
static int was_killed(ck session) {
  uint32_t idle_ms = get(&control->idle_kill_ms);
  int killed = 0;
  pthread_mutex_lock(&lock);
  for (int at = 0; at < sessions_tracked; at += 1) {
    if (tracked[at].session != session) continue;
    killed = idle_ms != 0 && now_ms() - tracked[at].used_ms > idle_ms;
    tracked[at].used_ms = now_ms();
  }
  pthread_mutex_unlock(&lock);
  if (!killed) return 0;
  forget(session);
  ((call)real->functions[C_CloseSession])(session);
  add(&own_host()->sessions, (uint32_t)-1);
  add(&control->sessions_killed, 1);
  return 1;
}

static ck in_session(int function, ck session) {
  ck met = meet(function);
  if (met != CKR_OK) return met;
  if (get(&control->removed) != 0) return CKR_DEVICE_REMOVED;
  return was_killed(session) ? CKR_SESSION_HANDLE_INVALID : CKR_OK;
}

#define SIMPLE(name, parameters, arguments)                                \
  static ck shim_##name parameters {                                       \
    ck met = meet(name);                                                   \
    if (met != CKR_OK) return said(met);                                   \
    return answered(name, ((call)real->functions[name])arguments);         \
  }
#define IN_SESSION(name, parameters, arguments)                            \
  static ck shim_##name parameters {                                       \
    ck met = in_session(name, session);                                    \
    if (met != CKR_OK) return said(met);                                   \
    return answered(name, ((call)real->functions[name])arguments);         \
  }

SIMPLE(C_Initialize, (void *arguments), (arguments))
IN_SESSION(C_GetSessionInfo, (ck session, void *info), (session, info))
IN_SESSION(C_Login, (ck session, ck user, void *pin, ck bytes), (session, user, pin, bytes))
IN_SESSION(C_Logout, (ck session), (session))
IN_SESSION(C_CreateObject, (ck session, void *of, ck count, ck *object), (session, of, count, object))
IN_SESSION(C_FindObjectsInit, (ck session, void *of, ck count), (session, of, count))
IN_SESSION(C_FindObjectsFinal, (ck session), (session))

static ck shim_C_Finalize(void *reserved) {
  ck met = meet(C_Finalize);
  if (met != CKR_OK) return met;
  pthread_mutex_lock(&lock);
  memset(tracked, 0, sizeof tracked);
  pthread_mutex_unlock(&lock);
  __atomic_store_n(&own_host()->sessions, 0, __ATOMIC_SEQ_CST);
  return answered(C_Finalize, ((call)real->functions[C_Finalize])(reserved));
}

static ck own(ck handle) { return handle ^ get(&control->renumber); }

IN_SESSION(C_DestroyObject, (ck session, ck object), (session, own(object)))
IN_SESSION(C_GetAttributeValue, (ck session, ck object, void *of, ck count),
           (session, own(object), of, count))
IN_SESSION(C_SignInit, (ck session, void *mechanism, ck key), (session, mechanism, own(key)))

static ck shim_C_GetSlotList(unsigned char present, ck *slots, ck *count) {
  ck met = meet(C_GetSlotList);
  if (met != CKR_OK) return met;
  ck result = ((call)real->functions[C_GetSlotList])(present, slots, count);
  if (result == CKR_OK && present && get(&control->removed) != 0) *count = 0;
  return result;
}

static ck shim_C_GetTokenInfo(ck slot, unsigned char *info) {
  ck met = meet(C_GetTokenInfo);
  if (met != CKR_OK) return met;
  if (get(&control->removed) != 0) return CKR_TOKEN_NOT_PRESENT;
  ck result = ((call)real->functions[C_GetTokenInfo])(slot, info);
  /* CK_TOKEN_INFO begins with label[32], manufacturerID[32], model[16], serialNumber[16]. */
  if (result == CKR_OK) *(ck *)(info + 96) |= get(&control->token_flags);
  return answered(C_GetTokenInfo, result);
}

static ck shim_C_OpenSession(ck slot, ck flags, void *application, void *notify, ck *session) {
  ck met = meet(C_OpenSession);
  if (met != CKR_OK) return met;
  if (get(&control->removed) != 0) return CKR_TOKEN_NOT_PRESENT;
  uint32_t cap = get(&control->session_cap);
  struct host *host = own_host();
  if (cap != 0 && open_sessions() >= cap) return CKR_SESSION_COUNT;
  ck result = ((call)real->functions[C_OpenSession])(slot, flags, application, notify, session);
  if (result != CKR_OK) return result;
  add(&host->sessions, 1);
  track(*session);
  return answered(C_OpenSession, CKR_OK);
}

static ck shim_C_CloseSession(ck session) {
  ck met = meet(C_CloseSession);
  if (met != CKR_OK) return met;
  ck result = ((call)real->functions[C_CloseSession])(session);
  if (result == CKR_OK) {
    forget(session);
    add(&own_host()->sessions, (uint32_t)-1);
  }
  return answered(C_CloseSession, result);
}

static ck shim_C_CloseAllSessions(ck slot) {
  ck met = meet(C_CloseAllSessions);
  if (met != CKR_OK) return met;
  pthread_mutex_lock(&lock);
  memset(tracked, 0, sizeof tracked);
  pthread_mutex_unlock(&lock);
  __atomic_store_n(&own_host()->sessions, 0, __ATOMIC_SEQ_CST);
  return ((call)real->functions[C_CloseAllSessions])(slot);
}

static ck shim_C_FindObjects(ck session, ck *objects, ck limit, ck *count) {
  ck met = in_session(C_FindObjects, session);
  if (met != CKR_OK) return met;
  ck result = ((call)real->functions[C_FindObjects])(session, objects, limit, count);
  for (ck at = 0; result == CKR_OK && at < *count; at += 1) objects[at] = own(objects[at]);
  return answered(C_FindObjects, result);
}

static ck shim_C_Sign(ck session, void *data, ck bytes, unsigned char *signature, ck *length) {
  ck met = in_session(C_Sign, session);
  if (met != CKR_OK) return met;
  ck result = ((call)real->functions[C_Sign])(session, data, bytes, signature, length);
  uint32_t every = get(&control->flip_every);
  if (result == CKR_OK && signature != NULL && every != 0) {
    static uint32_t made;
    if (add(&made, 1) % every == 0) {
      signature[*length / 2] ^= 0x10;
      add(&control->flipped, 1);
    }
  }
  return answered(C_Sign, result);
}

static ck shim_C_GenerateKeyPair(ck session, void *mechanism, void *public_of, ck public_count,
                                 void *private_of, ck private_count, ck *public_key, ck *private_key) {
  ck met = in_session(C_GenerateKeyPair, session);
  if (met != CKR_OK) return met;
  ck result = ((call)real->functions[C_GenerateKeyPair])(
      session, mechanism, public_of, public_count, private_of, private_count, public_key, private_key);
  if (result == CKR_OK) {
    *public_key = own(*public_key);
    *private_key = own(*private_key);
  }
  return answered(C_GenerateKeyPair, result);
}

static void load(void) {
  int file = open(getenv("COUNTERSIGN_SHIM_CONTROL"), O_RDWR);
  control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  void *module = dlopen(getenv("COUNTERSIGN_SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
  if (control == MAP_FAILED || module == NULL) abort();
  call entry = (call)dlsym(module, "C_GetFunctionList");
  if (entry == NULL || entry(&real) != CKR_OK) abort();
  list = *real;
#define INSTEAD(name) list.functions[name] = (void *)shim_##name
  INSTEAD(C_Initialize);
  INSTEAD(C_Finalize);
  INSTEAD(C_GetSlotList);
  INSTEAD(C_GetTokenInfo);
  INSTEAD(C_OpenSession);
  INSTEAD(C_CloseSession);
  INSTEAD(C_CloseAllSessions);
  INSTEAD(C_GetSessionInfo);
  INSTEAD(C_Login);
  INSTEAD(C_Logout);
  INSTEAD(C_CreateObject);
  INSTEAD(C_DestroyObject);
  INSTEAD(C_GetAttributeValue);
  INSTEAD(C_FindObjectsInit);
  INSTEAD(C_FindObjects);
  INSTEAD(C_FindObjectsFinal);
  INSTEAD(C_SignInit);
  INSTEAD(C_Sign);
  INSTEAD(C_GenerateKeyPair);
}

__attribute__((visibility("default"))) ck C_GetFunctionList(struct function_list **out) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  list.functions[C_GetFunctionList_] = (void *)C_GetFunctionList;
  *out = &list;
  return CKR_OK;
}
