/* trace_file.c - the files that skt trace writes: none stays that was not written whole. */
#include "trace.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the first failure to write each was: at the end errno tells of something else. */
static struct {
    const FILE *file;
    int error;
} failed[2];

void trace_note_file(FILE *file)
{
    for (size_t i = 0; ferror(file) && i < COUNT(failed); i++) {
        if (failed[i].file == file)
            return;
        if (!failed[i].file) {
            failed[i].file = file;
            failed[i].error = errno;
            return;
        }
    }
}

static int noted_error(const FILE *file)
{
    for (size_t i = 0; i < COUNT(failed); i++)
        if (failed[i].file == file)
            return failed[i].error;
    return 0;
}

FILE *trace_open_file(const char *path, FILE *otherwise)
{
    if (otherwise == stderr && !path)
        setvbuf(stderr, NULL, _IOLBF, 4096); /* what else is said there is not to come in the middle of a line */
    if (!path)
        return otherwise;
    if (!strcmp(path, "-"))
        return stdout;
    FILE *file = fopen(path, "we");
    if (!file)
        cmd_say("%s: %m", path);
    return file;
}

/* A device is no file of ours. */
static void remove_file(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
        unlink(path);
}

int trace_close_file(FILE *file, const char *path)
{
    if (!file)
        return 0;
    bool standard = file == stdout || file == stderr;
    int noted = noted_error(file), result = standard ? fflush(file) : fclose(file);
    if (!noted && result == 0)
        return 0;
    if (noted)
        errno = noted;
    cmd_say("%s: %m", path ? path : "the diagram");
    if (path && !standard)
        remove_file(path);
    return STATUS_FAILED;
}
