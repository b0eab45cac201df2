/* receive_part.c - a file that is not whole yet.  Until it is, it has another name in the same directory
 * (NAME.skt-part), under a lock; its final name it gets when all of it is on the disk. */
#include "transfer.h"
#include "units.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SUFFIX ".skt-part"

static int fail(char *why, size_t len, const char *name, const char *sentence)
{
    snprintf(why, len, "%s: %s", name, sentence);
    return -1;
}

static int fail_errno(char *why, size_t len, const char *name)
{
    return fail(why, len, name, strerror(errno));
}

static void close_file(struct receive_part *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* ---- The part ---- */

/* Whether the name still means what fd is, and that is a file of ours alone: who held the lock before us may have given
 * it its final name, and in a directory that is not only ours others may have made it. */
static bool still_named(const struct receive_part *p)
{
    struct stat ours, named;
    return fstat(p->fd, &ours) == 0 && fstatat(p->target->dirfd, p->part, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino && S_ISREG(ours.st_mode) && ours.st_nlink == 1 &&
           ours.st_uid == geteuid();
}

static int open_part(struct receive_part *p, char *why, size_t len)
{
    p->fd = openat(p->target->dirfd, p->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (p->fd < 0)
        return fail_errno(why, len, p->part);
    bool locked_by_another = flock(p->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK; /* or there are no locks */
    if (!locked_by_another && still_named(p))
        return 0;
    fail(why, len, p->part, locked_by_another ? "another skt is receiving it" : "it is no plain file of ours");
    close_file(p);
    return -1;
}

/* What a signal is to say, and whether it is to remove the part. */
static void prepare_for_signal(const struct receive_part *p)
{
    char say[600];
    if (p->resumable)
        snprintf(say, sizeof say, "interrupted; what has come is in %s, to be resumed", p->part);
    else
        snprintf(say, sizeof say, "interrupted; nothing of %s is kept", p->name);
    transfer_at_signal(say, p->target->dirfd, p->resumable ? NULL : p->part);
}

static int has_room(const struct receive_part *p, int64_t size, char *why, size_t len)
{
    struct statvfs disk;
    char wanted[CMD_UNITS_TEXT], there[CMD_UNITS_TEXT];
    if (size < 0 || fstatvfs(p->fd, &disk) < 0 || disk.f_blocks == 0)
        return 0;
    double more = (double)(size - p->have), room = (double)disk.f_bavail * (double)disk.f_frsize;
    if (more <= room)
        return 0;
    snprintf(why, len, "%s: %s are to come, and the disk has room for %s", p->name, cmd_size_text(more, wanted),
             cmd_size_text(room, there));
    return -1;
}

static int begin_part(struct receive_part *p, int64_t size, char *why, size_t len)
{
    struct stat st;
    if (open_part(p, why, len) < 0)
        return -1;
    p->resumable = size >= 0;
    prepare_for_signal(p);
    p->have = p->resumable && fstat(p->fd, &st) == 0 && st.st_size <= size ? st.st_size : 0;
    if (ftruncate(p->fd, p->have) < 0 || lseek(p->fd, p->have, SEEK_SET) < 0)
        return fail_errno(why, len, p->part);
    return has_room(p, size, why, len);
}

/* ---- What is there already ---- */

static bool exists(const struct receive_part *p)
{
    struct stat st;
    return fstatat(p->target->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file of this name and size may be the same: it was, if all had come and only our answer was lost. */
static bool open_whole(struct receive_part *p, int64_t size)
{
    struct stat st;
    p->fd = openat(p->target->dirfd, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    p->whole = p->fd >= 0 && fstat(p->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size;
    if (p->whole)
        p->have = size;
    else
        close_file(p);
    return p->whole;
}

/* In a directory the names are the peer's. */
static bool may_replace(const struct receive_part *p)
{
    return !p->target->directory || p->target->settings->replace;
}

static int begin_new(struct receive_part *p, int64_t size, char *why, size_t len)
{
    if (!may_replace(p) && exists(p))
        return fail(why, len, p->name, "it exists and is another; --replace would replace it");
    return begin_part(p, size, why, len);
}

/* ---- The calls ---- */

static int choose_name(struct receive_part *p, const struct transfer_file *file, char *why, size_t len)
{
    const char *name = p->target->directory ? file->name : p->target->name;
    size_t n = strlen(name), suffix = strlen(SUFFIX);
    if (p->target->directory && !*name)
        return fail(why, len, "a pipe", "it has no name; receive it with a FILE or -");
    if (p->target->directory && *name == '.')
        return fail(why, len, name, "a name that begins with a point is only taken with a FILE");
    if (p->target->directory && n >= suffix && !strcmp(name + n - suffix, SUFFIX))
        return fail(why, len, name, "the ending " SUFFIX " is for what is not whole");
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->part, sizeof p->part, "%s" SUFFIX, p->name);
    return 0;
}

int receive_part_begin(struct receive_part *p, const struct receive_target *t, const struct transfer_file *file,
                       char *why, size_t len)
{
    *p = (struct receive_part){ .target = t, .fd = -1 };
    if (t->out >= 0) {
        p->fd = t->out;
        snprintf(p->name, sizeof p->name, "%s", t->shown);
        return 0;
    }
    if (choose_name(p, file, why, len) < 0)
        return -1;
    if (file->size >= 0 && open_whole(p, file->size))
        return 0;
    return begin_new(p, file->size, why, len);
}

int receive_part_restart(struct receive_part *p, int64_t size, char *why, size_t len)
{
    if (p->target->out >= 0)
        return 0;
    if (p->whole) {
        close_file(p);
        p->whole = false;
        if (begin_new(p, size, why, len) < 0)
            return -1;
    }
    p->have = 0;
    if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
        return fail_errno(why, len, p->part);
    return has_room(p, size, why, len);
}

int receive_part_write(struct receive_part *p, const char *data, size_t n, char *why, size_t len)
{
    struct pollfd out = { .fd = p->fd, .events = POLLOUT };
    while (n > 0) {
        ssize_t written = write(p->fd, data, n);
        if (written < 0 && errno == EAGAIN)
            poll(&out, 1, -1);
        else if (written < 0 && errno != EINTR)
            return fail_errno(why, len, p->target->out >= 0 ? p->name : p->part);
        if (written > 0) {
            data += written;
            n -= (size_t)written;
        }
    }
    return 0;
}

/* Gives it its final name.  Where a file must not be replaced, not even one that has come meanwhile. */
static int rename_part(const struct receive_part *p)
{
    int dir = p->target->dirfd;
    if (may_replace(p))
        return renameat(dir, p->part, dir, p->name);
    int result = renameat2(dir, p->part, dir, p->name, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS)) /* a file system that cannot */
        return result;
    return exists(p) ? (errno = EEXIST, -1) : renameat(dir, p->part, dir, p->name);
}

static void set_attributes(int fd, const struct transfer_file *file)
{
    mode_t mask = umask(0);
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, file->mtime };
    umask(mask);
    fchmod(fd, file->mode & 0777 & ~mask); /* both fail only where the file system knows neither */
    if (file->has_mtime)
        futimens(fd, times);
}

int receive_part_finish(struct receive_part *p, const struct transfer_file *file, char *why, size_t len)
{
    if (p->target->out >= 0 || p->whole)
        return 0;
    set_attributes(p->fd, file);
    if (fsync(p->fd) < 0)
        return fail_errno(why, len, p->part);
    if (!still_named(p))
        return fail(why, len, p->part, "it was moved or removed meanwhile");
    transfer_at_signal("interrupted", -1, NULL);
    if (rename_part(p) < 0)
        return fail_errno(why, len, p->name);
    fsync(p->target->dirfd); /* the name; some file systems cannot, and need not */
    close_file(p);
    return 0;
}

void receive_part_leave(struct receive_part *p, bool keep)
{
    struct stat st;
    if (p->fd < 0 || p->target->out >= 0)
        return;
    bool empty = fstat(p->fd, &st) == 0 && st.st_size == 0;
    if (!p->whole && (!keep || !p->resumable || empty) && still_named(p))
        unlinkat(p->target->dirfd, p->part, 0);
    close_file(p);
    transfer_at_signal("interrupted", -1, NULL);
}
