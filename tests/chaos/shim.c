/* Lets the N-th call of one kind on files of one folder, or on TCP sockets, fail, be slow, be torn, kill the process, or
   cut the power: all that was written and not synced is undone, then the process dies. Built and preloaded by
   tests/chaos/rig.py; does nothing until chaos_arm is called. */
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
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* in the order of CALLS in tests/chaos/faults.py */
enum { OPEN, READ, PREAD, WRITE, PWRITE, FSYNC, FDATASYNC, RENAME, UNLINK, TRUNCATE, MMAP, LOCK, SOCKET, CONNECT, SEND, RECV, KINDS };
enum { DIES = -1, TORN = -2, POWER = -3, REORDER = -4, SLOW = -5, SHORT = -6 };
enum { PASS, FAIL, HALF, PART };

#define REAL(name, type) static __typeof__(type) real; if (!real) real = (__typeof__(type))dlsym(RTLD_NEXT, name)

static char folder[PATH_MAX];
static size_t length;
static long *counts, at;
static int armed, kind, fault, lasting;

/* Counts in memory that is shared with forks of this process from now on: it reads them after a kill. */
void chaos_share(void) {
    counts = mmap(NULL, sizeof(long) * KINDS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void chaos_arm(const char *under, int what, long nth, int how, int for_ever) {
    strncpy(folder, under, sizeof folder - 1);
    length = strlen(folder);
    memset(counts, 0, sizeof(long) * KINDS);
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

static int of_tcp(int fd) {
    int domain, type;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_INET) return 0;
    return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

/* What was written and not yet synced, newest first. */
struct unsynced {
    struct unsynced *before;
    dev_t dev;
    ino_t ino;
    int fd;
    off64_t at, size;
    size_t n, kept;
    char old[];
};
static struct unsynced *newest;

static void remember(int fd, size_t n, off64_t where) {
    if (fault != POWER && fault != REORDER) return;
    REAL("pread64", ssize_t (*)(int, void *, size_t, off64_t));
    struct stat now;
    if (fstat(fd, &now) || !S_ISREG(now.st_mode)) return;
    int copy = -1;
    for (struct unsynced *u = newest; u && copy < 0; u = u->before)
        if (u->dev == now.st_dev && u->ino == now.st_ino) copy = u->fd;
    struct unsynced *u = malloc(sizeof *u + n);
    *u = (struct unsynced){newest, now.st_dev, now.st_ino, copy < 0 ? dup(fd) : copy, where < 0 ? now.st_size : where, now.st_size, n, 0};
    ssize_t kept = real(fd, u->old, n, u->at); /* -1 of a file that is open for writing only: it is only appended to */
    u->kept = kept > 0 ? (size_t)kept : 0;
    newest = u;
}

static void synced(int fd) {
    struct stat now;
    if (fstat(fd, &now)) return;
    for (struct unsynced **u = &newest; *u;)
        if ((*u)->dev == now.st_dev && (*u)->ino == now.st_ino) *u = (*u)->before; else u = &(*u)->before;
}

/* Undo every write that was not synced, or every other one: a disk is free to write them in any order. */
static void cut_power(int every) {
    REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t));
    static const char zeros[1 << 16];
    int number = 0;
    for (struct unsynced *u = newest; u; u = u->before) {
        if (number++ % every) continue;
        fcntl(u->fd, F_SETFL, 0); /* not O_APPEND: what is written goes where it is said to */
        if (u->kept) real(u->fd, u->old, u->kept, u->at);
        off64_t end = u->at + (off64_t)u->n;
        if (every == 1 && end > u->size) { if (ftruncate(u->fd, u->size)) continue; }
        else for (off64_t z = u->at + (off64_t)u->kept; z < end; z += sizeof zeros)
            real(u->fd, zeros, (size_t)(end - z) < sizeof zeros ? (size_t)(end - z) : sizeof zeros, z);
    }
}

static int strikes(int what) {
    long now = __atomic_add_fetch(&counts[what], 1, __ATOMIC_SEQ_CST);
    if (what != kind || at <= 0 || (lasting ? now < at : now != at)) return PASS;
    switch (fault) {
    case POWER: cut_power(1); kill(getpid(), SIGKILL);
    case REORDER: cut_power(2); kill(getpid(), SIGKILL);
    case DIES: kill(getpid(), SIGKILL);
    case TORN: return HALF;
    case SHORT: return PART;
    case SLOW: usleep(lasting ? 10000 : 300000); return PASS;
    }
    errno = fault;
    return FAIL;
}

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

/* n / 2 bytes of a call that is torn or short; the process dies after a torn one. */
#define WRITTEN(what, half) \
    int how = strikes(what); \
    if (how == FAIL) return -1; \
    if (how == PART) return half; \
    if (how == HALF) { ssize_t torn = half; (void)torn; kill(getpid(), SIGKILL); } /* a single byte is written whole */ \
    (void)0

ssize_t read(int fd, void *buf, size_t n) {
    REAL("read", ssize_t (*)(int, void *, size_t));
    int how = armed && of_folder(fd) ? strikes(READ) : PASS;
    if (how == FAIL) return -1;
    return real(fd, buf, how == PART && n > 1 ? n / 2 : n);
}

static ssize_t pread_at(int fd, void *buf, size_t n, off64_t where) {
    REAL("pread64", ssize_t (*)(int, void *, size_t, off64_t));
    return armed && of_folder(fd) && strikes(PREAD) ? -1 : real(fd, buf, n, where);
}

ssize_t pread(int fd, void *buf, size_t n, off_t where) { return pread_at(fd, buf, n, where); }
ssize_t pread64(int fd, void *buf, size_t n, off64_t where) { return pread_at(fd, buf, n, where); }

ssize_t write(int fd, const void *buf, size_t n) {
    REAL("write", ssize_t (*)(int, const void *, size_t));
    if (!armed || !of_folder(fd)) return real(fd, buf, n);
    WRITTEN(WRITE, real(fd, buf, n > 1 ? n / 2 : n));
    remember(fd, n, -1);
    return real(fd, buf, n);
}

static ssize_t pwritten(int fd, const void *buf, size_t n, off64_t where) {
    REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t));
    if (!armed || !of_folder(fd)) return real(fd, buf, n, where);
    WRITTEN(PWRITE, real(fd, buf, n > 1 ? n / 2 : n, where));
    remember(fd, n, where);
    return real(fd, buf, n, where);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t where) { return pwritten(fd, buf, n, where); }
ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t where) { return pwritten(fd, buf, n, where); }

int fsync(int fd) {
    REAL("fsync", int (*)(int));
    if (armed && of_folder(fd) && strikes(FSYNC)) return -1;
    int done = real(fd);
    if (armed && !done) synced(fd);
    return done;
}

int fdatasync(int fd) {
    REAL("fdatasync", int (*)(int));
    if (armed && of_folder(fd) && strikes(FDATASYNC)) return -1;
    int done = real(fd);
    if (armed && !done) synced(fd);
    return done;
}

int rename(const char *from, const char *to) {
    REAL("rename", int (*)(const char *, const char *));
    return armed && inside(to) && strikes(RENAME) ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL("unlink", int (*)(const char *));
    return armed && inside(path) && strikes(UNLINK) ? -1 : real(path);
}

static int shortened(int fd, off64_t size) {
    REAL("ftruncate64", int (*)(int, off64_t));
    return armed && of_folder(fd) && strikes(TRUNCATE) ? -1 : real(fd, size);
}

int ftruncate(int fd, off_t size) { return shortened(fd, size); }
int ftruncate64(int fd, off64_t size) { return shortened(fd, size); }

static void *mapped(void *addr, size_t n, int prot, int flags, int fd, off64_t where) {
    REAL("mmap64", void *(*)(void *, size_t, int, int, int, off64_t));
    return armed && fd >= 0 && of_folder(fd) && strikes(MMAP) ? MAP_FAILED : real(addr, n, prot, flags, fd, where);
}

void *mmap(void *addr, size_t n, int prot, int flags, int fd, off_t where) { return mapped(addr, n, prot, flags, fd, where); }
void *mmap64(void *addr, size_t n, int prot, int flags, int fd, off64_t where) { return mapped(addr, n, prot, flags, fd, where); }

static int controlled(int fd, int what, void *with) {
    REAL("fcntl64", int (*)(int, int, ...));
    int locks = what == F_SETLK || what == F_SETLKW || what == F_OFD_SETLK || what == F_OFD_SETLKW;
    return armed && locks && of_folder(fd) && strikes(LOCK) ? -1 : real(fd, what, with);
}

int fcntl(int fd, int what, ...) { va_list rest; va_start(rest, what); void *with = va_arg(rest, void *); va_end(rest); return controlled(fd, what, with); }
int fcntl64(int fd, int what, ...) { va_list rest; va_start(rest, what); void *with = va_arg(rest, void *); va_end(rest); return controlled(fd, what, with); }

int flock(int fd, int what) {
    REAL("flock", int (*)(int, int));
    return armed && of_folder(fd) && strikes(LOCK) ? -1 : real(fd, what);
}

int socket(int domain, int type, int protocol) {
    REAL("socket", int (*)(int, int, int));
    int tcp = domain == AF_INET && (type & 15) == SOCK_STREAM;
    return armed && tcp && strikes(SOCKET) ? -1 : real(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t size) {
    REAL("connect", int (*)(int, const struct sockaddr *, socklen_t));
    if (armed && of_tcp(fd) && strikes(CONNECT)) {
        if (fault == EINTR && real(fd, to, size) == 0) fault = 0; /* it goes on by itself, as connect(2) says */
        errno = fault ? fault : EINTR;
        return -1;
    }
    return real(fd, to, size);
}

ssize_t send(int fd, const void *buf, size_t n, int flags) {
    REAL("send", ssize_t (*)(int, const void *, size_t, int));
    if (!armed || !of_tcp(fd)) return real(fd, buf, n, flags);
    WRITTEN(SEND, real(fd, buf, n > 1 ? n / 2 : n, flags));
    return real(fd, buf, n, flags);
}

ssize_t recv(int fd, void *buf, size_t n, int flags) {
    REAL("recv", ssize_t (*)(int, void *, size_t, int));
    int how = armed && of_tcp(fd) ? strikes(RECV) : PASS;
    if (how == FAIL) return -1;
    return how == PART ? 0 : real(fd, buf, n, flags); /* the other side closed */
}
