/* Lets the N-th call of one kind on files of one folder fail, be torn, or kill the process. Built and preloaded by
   tests/chaos/rig.py; does nothing until chaos_arm is called. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN, WRITE, PWRITE, FSYNC, FDATASYNC, RENAME, KINDS };
enum { DIES = -1, TORN = -2 };

static char folder[PATH_MAX];
static size_t length;
static long counts[KINDS], at;
static int armed, kind, fault, lasting;

void chaos_arm(const char *under, int what, long nth, int how, int for_ever) {
    strncpy(folder, under, sizeof folder - 1);
    length = strlen(folder);
    memset(counts, 0, sizeof counts);
    kind = what, at = nth, fault = how, lasting = for_ever, armed = 1;
}

void chaos_disarm(void) { armed = 0; }

long chaos_count(int what) { return counts[what]; }

static int inside(const char *path) { return path[0] != '/' || strncmp(path, folder, length) == 0; }

static int of_folder(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return path[0] == '/' && strncmp(path, folder, length) == 0;
}

/* Returns 0 to go on, 1 to fail with errno set, 2 to write half and die. */
static int strikes(int what) {
    long now = __atomic_add_fetch(&counts[what], 1, __ATOMIC_SEQ_CST);
    if (what != kind || at <= 0 || (lasting ? now < at : now != at)) return 0;
    if (fault == DIES) kill(getpid(), SIGKILL);
    if (fault == TORN) return 2;
    errno = fault;
    return 1;
}

#define REAL(name, type) static __typeof__(type) real; if (!real) real = (__typeof__(type))dlsym(RTLD_NEXT, name)

static int opened(int dir, const char *path, int flags, mode_t mode) {
    REAL("openat64", int (*)(int, const char *, int, ...));
    if (armed && inside(path) && strikes(OPEN)) return -1;
    return real(dir, path, flags, mode);
}

#define MODE(last) va_list rest; va_start(rest, last); mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest)

int open(const char *path, int flags, ...) { MODE(flags); return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags); return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags); return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags); return opened(dir, path, flags, mode); }

ssize_t write(int fd, const void *buf, size_t n) {
    REAL("write", ssize_t (*)(int, const void *, size_t));
    int how = armed && of_folder(fd) ? strikes(WRITE) : 0;
    if (how == 1) return -1;
    if (how == 2) { real(fd, buf, n / 2); kill(getpid(), SIGKILL); }
    return real(fd, buf, n);
}

static ssize_t pwritten(int fd, const void *buf, size_t n, off64_t offset) {
    REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t));
    int how = armed && of_folder(fd) ? strikes(PWRITE) : 0;
    if (how == 1) return -1;
    if (how == 2) { real(fd, buf, n / 2, offset); kill(getpid(), SIGKILL); }
    return real(fd, buf, n, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset) { return pwritten(fd, buf, n, offset); }
ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset) { return pwritten(fd, buf, n, offset); }

int fsync(int fd) {
    REAL("fsync", int (*)(int));
    return armed && of_folder(fd) && strikes(FSYNC) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL("fdatasync", int (*)(int));
    return armed && of_folder(fd) && strikes(FDATASYNC) ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL("rename", int (*)(const char *, const char *));
    return armed && inside(to) && strikes(RENAME) ? -1 : real(from, to);
}
