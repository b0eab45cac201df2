/* record.c - --record: what went each way, when, in hexadecimal and as text. */
#include "cmd.h"
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { ROW = 16 };

static FILE *file;
static bool broken;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int cmd_record_open(const char *path)
{
    if (!path)
        return STATUS_OK;
    file = strcmp(path, "-") ? fopen(path, "we") : stderr;
    if (file)
        return STATUS_OK;
    cmd_say("--record: %s: %m", path);
    return STATUS_FAILED;
}

/* 00000010  68 65 6c 6c 6f                                    hello */
static void put_row(const unsigned char *bytes, size_t offset, size_t n)
{
    fprintf(file, "%08zx  ", offset);
    for (size_t i = 0; i < ROW; i++)
        fprintf(file, i < n ? "%s%02x " : "%s   ", i == ROW / 2 ? " " : "", i < n ? bytes[i] : 0);
    putc(' ', file);
    for (size_t i = 0; i < n; i++)
        putc(isprint(bytes[i]) && bytes[i] < 0x80 ? bytes[i] : '.', file);
    putc('\n', file);
}

/* 2026-11-24 10:09:56.123456 > 127.0.0.1:8080: 5 bytes */
static void put_head(char direction, const struct cmd_peer *peer, size_t len)
{
    char when[32], name[SKT_ADDR_TEXT_MAX];
    struct timeval now;
    struct tm tm;
    gettimeofday(&now, NULL);
    strftime(when, sizeof when, "%F %T", localtime_r(&now.tv_sec, &tm));
    fprintf(file, "%s.%06ld %c %s: %zu byte%s\n", when, (long)now.tv_usec, direction, cmd_peer_name(peer, name), len,
            len == 1 ? "" : "s");
}

void cmd_record(char direction, const struct cmd_peer *peer, const void *buf, size_t len)
{
    const unsigned char *bytes = buf;
    if (!file)
        return;
    int keep = errno;
    pthread_mutex_lock(&lock);
    put_head(direction, peer, len);
    for (size_t i = 0; i < len; i += ROW)
        put_row(bytes + i, i, len - i < ROW ? len - i : ROW);
    if ((fflush(file) != 0 || ferror(file)) && !broken) {
        broken = true;
        cmd_say("--record: what was said could not be written down: %m");
    }
    pthread_mutex_unlock(&lock);
    errno = keep;
}

bool cmd_record_is_whole(void)
{
    return !broken;
}
