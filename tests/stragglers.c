/* stragglers.c - waits for threads that end in their own time, and tells what they do if they do not.
 *
 * How long that takes is the machine's affair: there is no limit but the runner's.  But what the runner
 * shows when it has killed a program should say where the thread stood: in a lock, in a call,
 * or ready to run on a processor that it was not given. */
#include "check.h"
#include <dirent.h>
#include <stdio.h>
#include <time.h>

#define LONG 50000 /* looks: more than ten seconds */

/* Of a thread's files, each on one line. */
static void print_file(const char *tid, const char *name)
{
    char path[300];
    int c;
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", tid, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    fprintf(stderr, "#   %s: ", name);
    while ((c = fgetc(file)) != EOF)
        fputc(c == '\n' ? ' ' : c, stderr);
    fputc('\n', stderr);
    fclose(file);
}

static void print_threads(int most)
{
    static const char *const files[] = { "stat", "schedstat", "syscall", "wchan", "stack" };
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *entry;
    fprintf(stderr, "# waits until there are no more than %d threads; there are %d:\n", most, count_threads());
    while (dir && (entry = readdir(dir)))
        for (size_t i = 0; *entry->d_name != '.' && i < sizeof files / sizeof *files; i++)
            print_file(entry->d_name, files[i]);
    if (dir)
        closedir(dir);
    fflush(stderr);
}

void wait_for_threads(int most)
{
    struct timespec moment = { .tv_nsec = 200000 };
    for (long i = 1; count_threads() > most; i++) {
        nanosleep(&moment, NULL);
        if (i == LONG)
            print_threads(most);
    }
}
