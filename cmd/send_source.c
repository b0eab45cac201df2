/* send_source.c - a file that is to be sent: a regular one has a size and can be read again, all others are read
 * once. */
#include "transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, char *why, size_t len, const char *sentence)
{
    snprintf(why, len, "%s: %s", path, sentence);
    transfer_printable(why);
    return -1;
}

/* Files of /proc say that they are empty. */
static bool has_size(int fd, const struct stat *st)
{
    char byte;
    return S_ISREG(st->st_mode) && (st->st_size > 0 || pread(fd, &byte, 1, 0) == 0);
}

static int describe(struct send_source *s, char *why, size_t len)
{
    struct stat st;
    const char *slash = strrchr(s->path, '/'), *name = slash ? slash + 1 : s->path;
    if (fstat(s->fd, &st) < 0)
        return fail(s->path, why, len, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fail(s->path, why, len, "is a directory; send its files, or what tar makes of it");
    if (!transfer_is_name(name))
        return fail(s->path, why, len, "a name with control characters cannot be sent");
    s->streams = !has_size(s->fd, &st);
    s->file = (struct transfer_file){ .size = s->streams ? -1 : st.st_size,
                                      .mode = S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0666,
                                      .has_mtime = S_ISREG(st.st_mode),
                                      .mtime = st.st_mtim };
    if (S_ISREG(st.st_mode))
        snprintf(s->file.name, sizeof s->file.name, "%s", name);
    return 0;
}

int send_source_open(struct send_source *s, const char *path, char *why, size_t len)
{
    bool input = strcmp(path, "-") == 0;
    *s = (struct send_source){ .path = input ? "standard input" : path, .fd = -1 };
    s->fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (s->fd < 0)
        return fail(s->path, why, len, strerror(errno));
    if (describe(s, why, len) < 0) {
        send_source_close(s);
        return -1;
    }
    if (input && !s->streams && lseek(s->fd, 0, SEEK_CUR) != 0)
        s->streams = true, s->file.size = -1; /* the part that is left */
    if (input)
        s->file.name[0] = '\0';
    return 0;
}

void send_source_close(struct send_source *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

bool send_source_is_unchanged(const struct send_source *s)
{
    struct stat st;
    return s->streams || (fstat(s->fd, &st) == 0 && st.st_size == s->file.size &&
                          st.st_mtim.tv_sec == s->file.mtime.tv_sec && st.st_mtim.tv_nsec == s->file.mtime.tv_nsec);
}
