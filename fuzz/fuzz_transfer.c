/* fuzz_transfer.c - skt receive and skt send with a peer that says anything.  The first byte of the input chooses the
 * side that is tried: the receiver of files into a directory, of one file, or the sender.  What has to hold: it ends,
 * and the receiver makes no file outside its directory, or by a name that a peer may not choose. */
#include "transfer.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char place[64]; /* holds inside/ and, for the sender, file */
static int outside;    /* how many names place has */

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Calls see for each name in a directory; how many there are. */
static int look(const char *path, void (*see)(int dirfd, const char *name))
{
    int n = 0;
    struct dirent *entry;
    DIR *dir = opendir(path);
    must(dir != NULL);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            n++;
            if (see)
                see(dirfd(dir), entry->d_name);
        }
    closedir(dir);
    return n;
}

static void check_and_remove(int dirfd, const char *name)
{
    must(transfer_is_name(name) && *name != '.');
    must(unlinkat(dirfd, name, 0) == 0);
}

static void clean_up(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/inside", place);
    look(path, check_and_remove);
    rmdir(path);
    snprintf(path, sizeof path, "%s/file", place);
    unlink(path);
    rmdir(place);
}

static void make_place(void)
{
    static const char text[] = "hello";
    char path[100];
    snprintf(place, sizeof place, "/tmp/skt-fuzz.XXXXXX");
    must(mkdtemp(place) != NULL);
    snprintf(path, sizeof path, "%s/inside", place);
    must(mkdir(path, 0700) == 0);
    snprintf(path, sizeof path, "%s/file", place);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, text, 5) == 5 && close(fd) == 0);
    outside = look(place, NULL);
    atexit(clean_up);
}

static void receive(struct transfer_wire *w, bool into_directory, const struct cmd_settings *settings)
{
    struct receive_job job = { .settings = settings };
    char path[100];
    snprintf(path, sizeof path, "%s/inside%s", place, into_directory ? "" : "/one");
    must(receive_target_open(&job.target, path, settings) == 0);
    receive_talk(w, &job);
    receive_target_close(&job.target);
    snprintf(path, sizeof path, "%s/inside", place);
    int n = look(path, check_and_remove);
    must(into_directory || n <= 1);
    must(look(place, NULL) == outside);
}

static void send_to(struct transfer_wire *w, const struct cmd_settings *settings)
{
    char path[100], *paths[] = { path, path };
    struct send_job job = { .settings = settings, .paths = paths, .n = 2, .source = { .fd = -1 } };
    snprintf(path, sizeof path, "%s/file", place);
    send_talk(w, &job);
    send_source_close(&job.source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct transfer_wire wire;
    static const struct cmd_settings settings = { .timeout = 1, .idle = 1, .retry = SKT_NO_TIMEOUT };
    skt *pair[2];
    if (size < 1 || size > 60000) /* what a socket takes at once */
        return 0;
    if (!*place)
        make_place();
    must(skt_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    must(skt_sendall(pair[0], data + 1, size - 1, 0) == 0 && skt_shutdown(pair[0], SHUT_WR) == 0);
    transfer_wire_begin(&wire, pair[1], settings.idle);
    if (data[0] % 4 == 3)
        send_to(&wire, &settings);
    else
        receive(&wire, data[0] % 4 != 2, &settings);
    must(strlen(wire.why) < sizeof wire.why && (wire.outcome == TRANSFER_DONE) == !*wire.why);
    skt_close(pair[0]);
    skt_close(pair[1]);
    return 0;
}
