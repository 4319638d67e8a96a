/*
 * A disk that loses what was not synced, under a real program (LD_PRELOAD).
 *
 * Below the directory POWERCUT_DIR, but for what POWERCUT_SKIP begins with, it remembers of every
 * write what was there before, and of every name how it was, until the file or its directory is
 * synced. When the power is cut, it puts all of that back, or a part of it, and the process ends
 * at once. kill -9 does not do that: the page cache survives it.
 *
 *   POWERCUT_AT=N       cut the power in place of the N-th fdatasync (1, 2 ...) of files whose names
 *                       end in POWERCUT_FILE, without it in ".seg"
 *   POWERCUT_RENAME=X   cut the power after a file whose name ends in X got another name, and
 *                       before the directory is synced
 *   POWERCUT_FAIL=N     that fdatasync fails with EIO; what it was to write stays unsynced for
 *                       good, as on Linux; the power is cut when the process ends
 *   POWERCUT_KEEP=SEED  keep some of what was not synced: single sectors of 512 bytes, and the
 *                       oldest changes of names; without it nothing is kept
 *   POWERCUT_LIE=1      syncs say that all is well and do nothing: the test of the test
 *   POWERCUT_SIDE=DIR   a directory of the same file system, for files that lost their names
 *
 * It knows the calls that Rust's standard library makes for files: open, pwrite, write, ftruncate,
 * rename, unlink, fsync, fdatasync. Not mmap, not io_uring, no other process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR 512
#define DESCRIPTORS 4096
#define CUT_STATUS 86

/* A change of a file's bytes or length since its last sync. */
struct change {
    off_t at, length; /* what was written */
    off_t size;       /* of the file before */
    unsigned char *old;
    off_t old_length; /* bytes of `old`: less where the file ended */
    int stuck;        /* a sync of it failed: none will help */
    struct change *before;
};

struct file {
    dev_t dev;
    ino_t ino;
    int fd; /* our own */
    struct change *newest;
    struct file *next;
};

/* A change of a name since the last sync of its directory. */
struct name {
    enum { CREATED, RENAMED, REMOVED } kind;
    char from[PATH_MAX], to[PATH_MAX];
    char saved[PATH_MAX + 64]; /* what had the name before; "" if nothing had it */
    dev_t dev;
    ino_t ino; /* of the directory */
    struct name *before;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX], skip[PATH_MAX], side[PATH_MAX];
static const char *counted = ".seg", *renamed;
static struct file *files, *by_fd[DESCRIPTORS];
static struct name *names;
static long cut_at, fail_at, syncs, saved_count;
static uint64_t keep_seed;
static int lies, failed, gone;

static void complain(const char *what)
{
    dprintf(2, "powercut: %s: %s\n", what, strerror(errno));
    _exit(97);
}

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("POWERCUT_DIR"), *value;
    if (!dir || !realpath(dir, root))
        return;
    if ((value = getenv("POWERCUT_SKIP")))
        snprintf(skip, sizeof skip, "%s", value);
    if ((value = getenv("POWERCUT_SIDE")))
        snprintf(side, sizeof side, "%s", value);
    if ((value = getenv("POWERCUT_AT")))
        cut_at = atol(value);
    if ((value = getenv("POWERCUT_FAIL")))
        fail_at = atol(value);
    if ((value = getenv("POWERCUT_KEEP")))
        keep_seed = strtoull(value, NULL, 10) + 1;
    if ((value = getenv("POWERCUT_FILE")))
        counted = value;
    renamed = getenv("POWERCUT_RENAME");
    lies = getenv("POWERCUT_LIE") != NULL;
}

/* The absolute path of a name, where it is one of ours. */
static int ours(const char *path, char out[PATH_MAX])
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!*root || !slash || slash == path)
        return 0;
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    char real[PATH_MAX];
    if (!realpath(dir, real))
        return 0;
    if (snprintf(out, PATH_MAX, "%s%s", real, slash) >= PATH_MAX)
        return 0;
    size_t length = strlen(root);
    if (strncmp(out, root, length) || out[length] != '/')
        return 0;
    return !*skip || strncmp(out + length + 1, skip, strlen(skip));
}

static struct file *of(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? by_fd[fd] : NULL;
}

/* Our own view of an open file; all descriptors of one file share it. */
static struct file *track(int fd)
{
    struct stat st;
    char self[64];
    if (fd < 0 || fd >= DESCRIPTORS || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return NULL;
    struct file *f = files;
    while (f && (f->dev != st.st_dev || f->ino != st.st_ino))
        f = f->next;
    if (!f) {
        f = calloc(1, sizeof *f);
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        f->fd = syscall(SYS_openat, AT_FDCWD, self, O_RDWR | O_CLOEXEC, 0);
        if (f->fd < 0)
            complain("opening a file of its own");
        f->dev = st.st_dev;
        f->ino = st.st_ino;
        f->next = files;
        files = f;
    }
    return by_fd[fd] = f;
}

static off_t size_of(struct file *f)
{
    struct stat st;
    if (fstat(f->fd, &st))
        complain("looking at a file");
    return st.st_size;
}

/* Before bytes change: remembers them. */
static void remember(struct file *f, off_t at, off_t length)
{
    struct change *c = calloc(1, sizeof *c);
    c->at = at;
    c->length = length;
    c->size = size_of(f);
    off_t there = c->size > at ? c->size - at : 0;
    c->old_length = there < length ? there : length;
    c->old = malloc((size_t)c->old_length + 1);
    for (off_t done = 0; done < c->old_length;) {
        ssize_t n = syscall(SYS_pread64, f->fd, c->old + done, c->old_length - done, at + done);
        if (n <= 0)
            complain("reading what is to change");
        done += n;
    }
    c->before = f->newest;
    f->newest = c;
}

/* A sync worked: what it wrote is there for good. */
static void forget(struct file *f)
{
    struct change **c = &f->newest;
    while (*c) {
        struct change *this = *c;
        if (this->stuck) {
            c = &this->before;
            continue;
        }
        *c = this->before;
        free(this->old);
        free(this);
    }
}

static void remember_name(int kind, const char *from, const char *to)
{
    struct stat st;
    struct name *n = calloc(1, sizeof *n);
    char dir[PATH_MAX];
    n->kind = kind;
    snprintf(n->from, sizeof n->from, "%s", from);
    snprintf(n->to, sizeof n->to, "%s", to);
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(to, '/') - to), to);
    if (stat(dir, &st))
        complain("looking at a directory");
    n->dev = st.st_dev;
    n->ino = st.st_ino;
    if (kind != CREATED && !lstat(to, &st)) {
        /* Another name keeps the file that is about to lose this one. */
        snprintf(n->saved, sizeof n->saved, "%s/%d-%ld", side, (int)getpid(), saved_count++);
        if (link(to, n->saved))
            complain("keeping a file that loses its name");
    }
    n->before = names;
    names = n;
}

static void forget_last_name(void)
{
    struct name *n = names;
    names = n->before;
    if (*n->saved)
        syscall(SYS_unlinkat, AT_FDCWD, n->saved, 0);
    free(n);
}

static void forget_names(dev_t dev, ino_t ino)
{
    struct name **n = &names;
    while (*n) {
        struct name *this = *n;
        if (this->dev != dev || this->ino != ino) {
            n = &this->before;
            continue;
        }
        *n = this->before;
        if (*this->saved)
            syscall(SYS_unlinkat, AT_FDCWD, this->saved, 0);
        free(this);
    }
}

/* ---- the cut ---- */

static uint64_t mixed(uint64_t a, uint64_t b)
{
    uint64_t z = keep_seed * 0x9e3779b97f4a7c15u + a * 0xbf58476d1ce4e5b9u + b;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The same answer for the same sector, however often it was written. */
static int keeps(struct file *f, uint64_t sector)
{
    return keep_seed && mixed(f->ino, sector) % 2;
}

static void put_back(struct file *f, struct change *c)
{
    static const unsigned char zeros[SECTOR];
    off_t end = c->at + c->length;
    for (off_t at = c->at; at < end;) {
        off_t next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        off_t from = at - c->at, there = c->old_length - from;
        if (!keeps(f, at / SECTOR)) {
            if (there > next - at)
                there = next - at;
            if (there > 0)
                syscall(SYS_pwrite64, f->fd, c->old + from, there, at);
            if (there < next - at) {
                off_t had = there > 0 ? there : 0;
                syscall(SYS_pwrite64, f->fd, zeros, next - at - had, at + had);
            }
        }
        at = next;
    }
    if (!keeps(f, UINT64_MAX) && syscall(SYS_ftruncate, f->fd, c->size))
        complain("putting a length back");
}

static void put_back_name(struct name *n)
{
    if (n->kind == CREATED)
        syscall(SYS_unlinkat, AT_FDCWD, n->to, 0);
    if (n->kind == RENAMED)
        syscall(SYS_renameat2, AT_FDCWD, n->to, AT_FDCWD, n->from, 0);
    if (*n->saved)
        syscall(SYS_renameat2, AT_FDCWD, n->saved, AT_FDCWD, n->to, 0);
}

static void cut(void)
{
    long changes = 0, lost = 0, count = 0, kept = 0;
    for (struct file *f = files; f; f = f->next)
        for (struct change *c = f->newest; c; c = c->before, changes++)
            put_back(f, c);
    for (struct name *n = names; n; n = n->before)
        count++;
    if (keep_seed)
        kept = mixed(1, 1) % (count + 1);
    for (struct name *n = names; n && count - lost > kept; n = n->before, lost++)
        put_back_name(n);
    dprintf(2, "powercut: put back %ld changes and %ld of %ld names\n", changes, lost, count);
}

static int ends_in(const char *path, const char *suffix)
{
    size_t length = strlen(path), wanted = strlen(suffix);
    return length >= wanted && !strcmp(path + length - wanted, suffix);
}

static int is_counted(int fd)
{
    char self[64], path[PATH_MAX];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(self, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return ends_in(path, counted);
}

static int sync_file(int fd, long call)
{
    struct stat st;
    pthread_mutex_lock(&lock);
    struct file *f = of(fd);
    if (f && call == SYS_fdatasync && is_counted(fd)) {
        syncs++;
        if (cut_at && syncs == cut_at) {
            cut();
            _exit(CUT_STATUS); /* and nobody else gets the lock any more */
        }
        if (fail_at && syncs == fail_at) {
            failed = 1;
            for (struct change *c = f->newest; c; c = c->before)
                c->stuck = 1;
            pthread_mutex_unlock(&lock);
            errno = EIO;
            return -1;
        }
    }
    int out = lies ? 0 : syscall(call, fd);
    if (!out && !lies) {
        if (f)
            forget(f);
        else if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
            forget_names(st.st_dev, st.st_ino);
    }
    pthread_mutex_unlock(&lock);
    return out;
}

__attribute__((destructor)) static void end(void)
{
    pthread_mutex_lock(&lock);
    if (failed && !gone) {
        gone = 1;
        cut();
    }
    pthread_mutex_unlock(&lock);
}

/* ---- the calls ---- */

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

static int open_file(int at, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    struct stat st;
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    if (at != AT_FDCWD || !writes || !ours(path, full))
        return syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int is_new = stat(full, &st) != 0;
    /* What O_TRUNC would take is taken below, once it is remembered. */
    int fd = syscall(SYS_openat, at, path, flags & ~O_TRUNC, mode);
    struct file *f = track(fd);
    if (f && is_new)
        remember_name(CREATED, full, full);
    if (f && !is_new && flags & O_TRUNC) {
        remember(f, 0, size_of(f));
        if (syscall(SYS_ftruncate, fd, 0))
            complain("emptying a file");
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_OF(flags, mode)                       \
    do {                                           \
        if (flags & (O_CREAT | O_TMPFILE)) {       \
            va_list more;                          \
            va_start(more, flags);                 \
            mode = va_arg(more, mode_t);           \
            va_end(more);                          \
        }                                          \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_file(AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
    pthread_mutex_lock(&lock);
    if (of(fd))
        by_fd[fd] = NULL;
    int out = syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return out;
}

static ssize_t write_file(int fd, const void *bytes, size_t length, off_t at)
{
    pthread_mutex_lock(&lock);
    struct file *f = of(fd);
    if (f)
        remember(f, at, length);
    ssize_t out = syscall(SYS_pwrite64, fd, bytes, length, at);
    pthread_mutex_unlock(&lock);
    return out;
}

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return write_file(fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return write_file(fd, b, n, at); }

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (!of(fd))
        return syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    struct file *f = of(fd);
    int appends = fcntl(fd, F_GETFL) & O_APPEND;
    if (f)
        remember(f, appends ? size_of(f) : lseek(fd, 0, SEEK_CUR), length);
    ssize_t out = syscall(SYS_write, fd, bytes, length);
    pthread_mutex_unlock(&lock);
    return out;
}

static int set_length(int fd, off_t length)
{
    pthread_mutex_lock(&lock);
    struct file *f = of(fd);
    if (f) {
        off_t size = size_of(f), shorter = length < size ? length : size;
        remember(f, shorter, size - shorter);
    }
    int out = syscall(SYS_ftruncate, fd, length);
    pthread_mutex_unlock(&lock);
    return out;
}

int ftruncate(int fd, off_t length) { return set_length(fd, length); }
int ftruncate64(int fd, off64_t length) { return set_length(fd, length); }

int rename(const char *from, const char *to)
{
    char full_from[PATH_MAX], full_to[PATH_MAX];
    int tracked = ours(from, full_from) && ours(to, full_to);
    pthread_mutex_lock(&lock);
    if (tracked)
        remember_name(RENAMED, full_from, full_to);
    int out = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (tracked && !out && renamed && ends_in(full_from, renamed)) {
        cut();
        _exit(CUT_STATUS);
    }
    if (tracked && out) {
        int why = errno;
        forget_last_name();
        errno = why;
    }
    pthread_mutex_unlock(&lock);
    return out;
}

int unlink(const char *path)
{
    char full[PATH_MAX];
    struct stat st;
    pthread_mutex_lock(&lock);
    int tracked = ours(path, full) && !lstat(full, &st) && S_ISREG(st.st_mode);
    if (tracked)
        remember_name(REMOVED, full, full);
    int out = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (tracked && out) {
        int why = errno;
        forget_last_name();
        errno = why;
    }
    pthread_mutex_unlock(&lock);
    return out;
}
