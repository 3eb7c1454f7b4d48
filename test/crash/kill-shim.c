/*
 * Stands between a process and libc, preloaded, and knows nothing of the package: counts the calls
 * that touch files below one directory, and at one of them kills the process (before it, half way
 * through a write, or after it) or makes it fail (an errno, a short count), once, some times or
 * from then on.
 *
 * PAWL_SHIM_ROOT  the directory; PAWL_SHIM_KILL  the point to die at, counted from 1: each call that
 * changes the disk has one before it and one after it, a write one more in its middle;
 * PAWL_SHIM_LOG   a file that gets a line for each call.
 *
 * A test drives failures from inside the process, through names nobody has: open(2) of
 * "/pawl-shim/fail:KIND:N:ERRNO:TIMES:ROOT" arms one (ERRNO 0: a short count; above 1000: so much
 * less, and the call is done all the same; above 2000: first a short count, then so much less), of
 * "/pawl-shim/off" ends it, and readlink(2) of "/pawl-shim/fired" tells how often it struck.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONTROL "/pawl-shim/"
#define DONE_ALL_THE_SAME 1000
#define FIRST_SHORT 2000

enum kind { OPEN, CREATE, WRITE, SYNC, RENAME, LINK, UNLINK, MKDIR, TRUNCATE, CLOSE, READ, KINDS };
static const char *const NAMES[KINDS] = {"open",   "create", "write",    "sync",  "rename", "link",
                                         "unlink", "mkdir",  "truncate", "close", "read"};

static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static long kill_at;
static long points;
/* The armed failure. Set while no call is under way. */
static int fail_kind = -1, fail_errno;
static long fail_from, fail_times, fail_seen, fail_fired;

/* What is to become of one call. */
struct fate {
  enum kind kind;
  int counts; /* lies in the directory */
  int fails;  /* -1: short, otherwise the errno; 0: passes */
  int lies;   /* the errno when it is done all the same */
  long half, after;
};

#define REAL(result, name, parameters)                                                             \
  static result(*real_##name) parameters;                                                          \
  static result(*get_##name(void)) parameters {                                                    \
    if (real_##name == NULL) *(void **)&real_##name = dlsym(RTLD_NEXT, #name);                     \
    return real_##name;                                                                            \
  }

REAL(int, open64, (const char *, int, ...))
REAL(int, openat64, (int, const char *, int, ...))
REAL(ssize_t, write, (int, const void *, size_t))
REAL(ssize_t, pwrite64, (int, const void *, size_t, off64_t))
REAL(ssize_t, writev, (int, const struct iovec *, int))
REAL(ssize_t, pwritev64, (int, const struct iovec *, int, off64_t))
REAL(ssize_t, read, (int, void *, size_t))
REAL(ssize_t, pread64, (int, void *, size_t, off64_t))
REAL(int, fsync, (int))
REAL(int, fdatasync, (int))
REAL(int, rename, (const char *, const char *))
REAL(int, renameat, (int, const char *, int, const char *))
REAL(int, link, (const char *, const char *))
REAL(int, unlink, (const char *))
REAL(int, unlinkat, (int, const char *, int))
REAL(int, mkdir, (const char *, mode_t))
REAL(int, ftruncate64, (int, off64_t))
REAL(int, fallocate64, (int, int, off64_t, off64_t))
REAL(int, close, (int))
REAL(ssize_t, readlink, (const char *, char *, size_t))

static void set_root(const char *path) {
  snprintf(root, sizeof root, "%s", path);
  root_length = strlen(root);
}

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("PAWL_SHIM_ROOT");
  const char *at = getenv("PAWL_SHIM_KILL");
  const char *log_path = getenv("PAWL_SHIM_LOG");
  if (directory != NULL) set_root(directory);
  if (at != NULL) kill_at = atol(at);
  if (log_path != NULL)
    log_fd = get_open64()(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int is_inside(const char *path) {
  if (root_length == 0 || strncmp(path, root, root_length) != 0) return 0;
  return path[root_length] == '/' || path[root_length] == '\0';
}

static const char *path_of(int fd, char *into) {
  char link_path[64];
  snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlink, link_path, into, PATH_MAX - 1);
  into[length < 0 ? 0 : length] = '\0';
  return into;
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static void note(long point, enum kind kind, const char *path) {
  if (log_fd < 0) return;
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%ld %s %s\n", point, NAMES[kind], path + root_length);
  if (length > 0) (void)!get_write()(log_fd, line, (size_t)length);
}

/* `changes`: the call is one to die at. */
static struct fate decide(enum kind kind, const char *path, int changes) {
  struct fate fate = {kind, is_inside(path), 0, 0, 0, 0};
  if (!fate.counts) return fate;
  if (changes) {
    long before = 1 + __atomic_fetch_add(&points, kind == WRITE ? 3 : 2, __ATOMIC_SEQ_CST);
    note(before, kind, path);
    if (before == kill_at) die();
    fate.half = kind == WRITE ? before + 1 : -1;
    fate.after = before + (kind == WRITE ? 2 : 1);
  }
  if ((int)kind == fail_kind) {
    long seen = __atomic_add_fetch(&fail_seen, 1, __ATOMIC_SEQ_CST);
    if (seen >= fail_from && (fail_times == 0 || seen < fail_from + fail_times)) {
      __atomic_add_fetch(&fail_fired, 1, __ATOMIC_SEQ_CST);
      if (fail_errno > FIRST_SHORT) fate.fails = seen == fail_from ? -1 : fail_errno - FIRST_SHORT;
      else if (fail_errno > DONE_ALL_THE_SAME) fate.lies = fail_errno - DONE_ALL_THE_SAME;
      else fate.fails = fail_errno == 0 ? -1 : fail_errno;
    }
  }
  return fate;
}

static struct fate decide_fd(enum kind kind, int fd, int changes) {
  char path[PATH_MAX];
  if (root_length == 0 || fd < 0) return (struct fate){kind, 0, 0, 0, 0, 0};
  return decide(kind, path_of(fd, path), changes);
}

static ssize_t ended(struct fate fate, ssize_t result) {
  if (fate.counts && kill_at > 0 && fate.after == kill_at) die();
  if (fate.lies == 0 || result < 0) return result;
  if (fate.kind == OPEN || fate.kind == CREATE) get_close()((int)result);
  errno = fate.lies;
  return -1;
}

static int failed(struct fate fate) {
  errno = fate.fails;
  return -1;
}

static size_t shortened(struct fate fate, size_t count) {
  if (fate.fails >= 0 || count < 2) return count;
  return count / 2;
}

static int is_half(struct fate fate) {
  return fate.counts && kill_at > 0 && fate.half == kill_at;
}

static int control(const char *text) {
  char name[16];
  int at = 0;
  fail_kind = -1;
  fail_seen = 0;
  if (sscanf(text, "fail:%15[a-z]:%ld:%d:%ld:%n", name, &fail_from, &fail_errno, &fail_times, &at) == 4 &&
      at > 0) {
    fail_fired = 0;
    set_root(text + at);
    for (int kind = 0; kind < KINDS; kind++)
      if (strcmp(name, NAMES[kind]) == 0) fail_kind = kind;
  }
  errno = fail_kind < 0 && strcmp(text, "off") != 0 ? EINVAL : ENOENT;
  return -1;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  if (strncmp(path, CONTROL, sizeof CONTROL - 1) == 0) return control(path + sizeof CONTROL - 1);
  int changes = (flags & (O_CREAT | O_RDWR | O_WRONLY)) != 0;
  struct fate fate = decide((flags & O_CREAT) != 0 ? CREATE : OPEN, path, changes);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_openat64()(at, path, flags, mode));
}

#define MODE_OF(flags)                                                                             \
  mode_t mode = 0;                                                                                 \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                         \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    mode = va_arg(rest, mode_t);                                                                   \
    va_end(rest);                                                                                  \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(AT_FDCWD, path, flags, mode);
}
int openat(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return opened(at, path, flags, mode);
}
int creat(const char *path, mode_t mode) {
  return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) {
  return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

ssize_t write(int fd, const void *from, size_t count) {
  struct fate fate = decide_fd(WRITE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  if (is_half(fate)) {
    (void)!get_write()(fd, from, count / 2);
    die();
  }
  return ended(fate, get_write()(fd, from, shortened(fate, count)));
}

ssize_t pwrite64(int fd, const void *from, size_t count, off64_t position) {
  struct fate fate = decide_fd(WRITE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  if (is_half(fate)) {
    (void)!get_pwrite64()(fd, from, count / 2, position);
    die();
  }
  return ended(fate, get_pwrite64()(fd, from, shortened(fate, count), position));
}
ssize_t pwrite(int fd, const void *from, size_t count, off_t position) {
  return pwrite64(fd, from, count, position);
}

/* Half of a vectored write, and a short one, is half of its buffers or of its only one. */
static ssize_t half_of(int fd, const struct iovec *parts, int count, off64_t position) {
  struct iovec first = parts[0];
  if (count == 1) first.iov_len /= 2;
  int some = count == 1 ? 1 : count / 2;
  const struct iovec *from = count == 1 ? &first : parts;
  return position < 0 ? get_writev()(fd, from, some) : get_pwritev64()(fd, from, some, position);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  struct fate fate = decide_fd(WRITE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  if (is_half(fate)) {
    half_of(fd, parts, count, -1);
    die();
  }
  if (fate.fails < 0) return ended(fate, half_of(fd, parts, count, -1));
  return ended(fate, get_writev()(fd, parts, count));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t position) {
  struct fate fate = decide_fd(WRITE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  if (is_half(fate)) {
    half_of(fd, parts, count, position);
    die();
  }
  if (fate.fails < 0) return ended(fate, half_of(fd, parts, count, position));
  return ended(fate, get_pwritev64()(fd, parts, count, position));
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t position) {
  return pwritev64(fd, parts, count, position);
}

ssize_t read(int fd, void *into, size_t count) {
  struct fate fate = decide_fd(READ, fd, 0);
  if (fate.fails > 0) return failed(fate);
  return get_read()(fd, into, shortened(fate, count));
}
ssize_t pread64(int fd, void *into, size_t count, off64_t position) {
  struct fate fate = decide_fd(READ, fd, 0);
  if (fate.fails > 0) return failed(fate);
  return get_pread64()(fd, into, shortened(fate, count), position);
}
ssize_t pread(int fd, void *into, size_t count, off_t position) {
  return pread64(fd, into, count, position);
}

int fsync(int fd) {
  struct fate fate = decide_fd(SYNC, fd, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_fsync()(fd));
}
int fdatasync(int fd) {
  struct fate fate = decide_fd(SYNC, fd, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_fdatasync()(fd));
}

int rename(const char *from, const char *to) {
  struct fate fate = decide(RENAME, to, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_rename()(from, to));
}
int renameat(int from_at, const char *from, int to_at, const char *to) {
  struct fate fate = decide(RENAME, to, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_renameat()(from_at, from, to_at, to));
}
int link(const char *from, const char *to) {
  struct fate fate = decide(LINK, to, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_link()(from, to));
}
int unlink(const char *path) {
  struct fate fate = decide(UNLINK, path, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_unlink()(path));
}
int unlinkat(int at, const char *path, int flags) {
  struct fate fate = decide(UNLINK, path, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_unlinkat()(at, path, flags));
}
int mkdir(const char *path, mode_t mode) {
  struct fate fate = decide(MKDIR, path, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_mkdir()(path, mode));
}

int ftruncate64(int fd, off64_t length) {
  struct fate fate = decide_fd(TRUNCATE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_ftruncate64()(fd, length));
}
int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}
int fallocate64(int fd, int mode, off64_t start, off64_t length) {
  struct fate fate = decide_fd(TRUNCATE, fd, 1);
  if (fate.fails > 0) return failed(fate);
  return (int)ended(fate, get_fallocate64()(fd, mode, start, length));
}
int fallocate(int fd, int mode, off_t start, off_t length) {
  return fallocate64(fd, mode, start, length);
}

/* The descriptor is gone whatever the answer: so it is with Linux. */
int close(int fd) {
  struct fate fate = decide_fd(CLOSE, fd, 0);
  int result = get_close()(fd);
  return fate.fails > 0 ? failed(fate) : result;
}

ssize_t readlink(const char *path, char *into, size_t size) {
  if (strcmp(path, CONTROL "fired") != 0) return get_readlink()(path, into, size);
  char text[24];
  int length = snprintf(text, sizeof text, "%ld", fail_fired);
  memcpy(into, text, (size_t)length < size ? (size_t)length : size);
  return (size_t)length < size ? length : (ssize_t)size;
}
