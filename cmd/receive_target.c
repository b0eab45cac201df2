/* receive_target.c - where received files go: a directory, one file, or a stream. */
#include "transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path)
{
    cmd_say("%s: %s", path, strerror(errno));
    return STATUS_FAILED;
}

/* A pipe or a device: there is no name to be given. */
static int open_stream(struct receive_target *t, const char *path)
{
    t->shown = path;
    t->out = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return t->out < 0 ? fail(path) : STATUS_OK;
}

static int open_directory(struct receive_target *t, const char *path, const char *shown)
{
    t->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->dirfd < 0 || faccessat(t->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return fail(shown);
    return STATUS_OK;
}

/* The file that a symbolic link means is replaced, not the link. */
static int open_file(struct receive_target *t, const char *path)
{
    char directory[PATH_MAX], real[PATH_MAX];
    if (strlen(path) >= sizeof real)
        return errno = ENAMETOOLONG, fail(path);
    if (!realpath(path, real) && errno != ENOENT)
        return fail(path);
    if (access(path, F_OK) < 0)
        snprintf(real, sizeof real, "%s", path); /* realpath may have left a part of it there */
    char *slash = strrchr(real, '/'), *name = slash ? slash + 1 : real;
    if (!*name || strlen(name) >= sizeof t->name)
        return errno = *name ? ENAMETOOLONG : ENOENT, fail(path);
    memcpy(t->name, name, strlen(name) + 1);
    *name = '\0';
    snprintf(directory, sizeof directory, "%s", *real ? real : ".");
    return open_directory(t, directory, directory);
}

int receive_target_open(struct receive_target *t, const char *path, const struct cmd_settings *settings)
{
    struct stat st;
    *t = (struct receive_target){ .settings = settings, .out = -1, .dirfd = -1 };
    if (!strcmp(path, "-")) {
        t->out = STDOUT_FILENO;
        t->shown = "standard output";
        return STATUS_OK;
    }
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        t->directory = true;
        return open_directory(t, path, path);
    }
    return there && !S_ISREG(st.st_mode) ? open_stream(t, path) : open_file(t, path);
}

void receive_target_close(struct receive_target *t)
{
    if (t->out >= 0 && t->out != STDOUT_FILENO)
        close(t->out);
    if (t->dirfd >= 0)
        close(t->dirfd);
}
