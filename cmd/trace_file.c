/* trace_file.c - the files that skt trace writes: none stays that was not written whole. */
#include "trace.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *trace_open_file(const char *path, FILE *otherwise)
{
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
    bool failed = standard ? fflush(file) != 0 : ferror(file) | (fclose(file) != 0);
    if (!failed)
        return 0;
    cmd_say("%s: %m", path ? path : "the diagram");
    if (path && !standard)
        remove_file(path);
    return STATUS_FAILED;
}
