/* relay_log.c - a line for each connection at its end, and the live line on a terminal. */
#include "clock.h"
#include "json.h"
#include "relay.h"
#include "tcp.h"
#include "terminal.h"
#include "units.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIVE 0.5 /* seconds between two live lines */

/* ---- The lines ---- */

/* Lines for nobody are not made: they are some per cent of a short connection's time. */
static bool is_for_nobody(int fd)
{
    struct stat file, null;
    return fstat(fd, &file) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(file.st_mode) &&
           file.st_rdev == null.st_rdev;
}

int relay_open_log(struct relay *relay)
{
    const char *path = relay->settings->log;
    bool busy = relay->from.stdio || relay->to.stdio; /* with data */
    relay->log_fd = relay->settings->json && !busy ? STDOUT_FILENO : STDERR_FILENO;
    if (!path)
        return 0;
    relay->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    relay->unlogged = relay->log_fd >= 0 && is_for_nobody(relay->log_fd);
    if (relay->log_fd >= 0)
        return 0;
    cmd_say("--log %s: %s", path, strerror(errno));
    return STATUS_FAILED;
}

static const char *date_text(const struct link *link, char buf[static 40])
{
    struct tm tm;
    char seconds[24];
    gmtime_r(&link->date.tv_sec, &tm);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf, 40, "%s.%03dZ", seconds, (int)(link->date.tv_nsec / 1000000 % 1000));
    return buf;
}

static const char *name(const struct cmd_address *side, const skt_addr *addr, char buf[static SKT_ADDR_TEXT_MAX])
{
    bool unnamed = addr->family == AF_UNSPEC || (addr->family == AF_UNIX && !*skt_host(addr));
    if (side->stdio || unnamed)
        return side->text;
    return skt_addr_text(addr, buf, SKT_ADDR_TEXT_MAX);
}

static skt *client_socket(const struct link *link)
{
    return link->client.addressed ? NULL : link->client.sock;
}

static void put_info(struct cmd_json *j, const char *side, skt *s)
{
    struct tcp_info info;
    if (!s || !cmd_tcp_info(s, &info))
        return;
    cmd_json_open(j, side, '{');
    cmd_json_number(j, "rtt", info.tcpi_rtt / 1e6);
    cmd_json_number(j, "rtt_variation", info.tcpi_rttvar / 1e6);
    cmd_json_integer(j, "retransmits", info.tcpi_total_retrans);
    cmd_json_integer(j, "congestion_window", info.tcpi_snd_cwnd);
    cmd_json_integer(j, "segment_size", info.tcpi_snd_mss);
    cmd_json_close(j, '}');
}

static void write_json(FILE *file, const struct link *link)
{
    const struct relay *relay = link->relay;
    struct cmd_json j = { .file = file };
    char text[SKT_ADDR_TEXT_MAX], date[40];
    cmd_json_open(&j, NULL, '{');
    cmd_json_text(&j, "date", date_text(link, date));
    cmd_json_text(&j, "client", name(&relay->from, &link->source, text));
    cmd_json_text(&j, "listener", name(&relay->from, &link->destination, text));
    cmd_json_text(&j, "upstream", name(&relay->to, &link->upstream.addr, text));
    cmd_json_number(&j, "seconds", cmd_now() - link->begun);
    cmd_json_number(&j, "connect_seconds", link->connected > 0 ? link->connected - link->begun : (double)NAN);
    cmd_json_integer(&j, "bytes_up", (int64_t)link->up.bytes);
    cmd_json_integer(&j, "bytes_down", (int64_t)link->down.bytes);
    cmd_json_text(&j, "error", link->why);
    put_info(&j, "client_tcp", client_socket(link));
    put_info(&j, "upstream_tcp", link->upstream.sock);
    cmd_json_close(&j, '}');
}

static void write_info(FILE *file, const char *side, skt *s)
{
    struct tcp_info info;
    if (!s || !cmd_tcp_info(s, &info))
        return;
    fprintf(file, ", %s rtt %.3g ms", side, info.tcpi_rtt / 1e3);
    if (info.tcpi_total_retrans)
        fprintf(file, " and %u retransmits", info.tcpi_total_retrans);
}

static void write_text(FILE *file, const struct link *link)
{
    const struct relay *relay = link->relay;
    char from[SKT_ADDR_TEXT_MAX], to[SKT_ADDR_TEXT_MAX], date[40], up[CMD_UNITS_TEXT], down[CMD_UNITS_TEXT],
        time[CMD_UNITS_TEXT], connect[CMD_UNITS_TEXT];
    fprintf(file, "%s %s -> %s: %s", date_text(link, date), name(&relay->from, &link->source, from),
            name(&relay->to, &link->upstream.addr, to), cmd_time_text(cmd_now() - link->begun, time));
    if (link->connected > 0)
        fprintf(file, ", connected in %s, %s up, %s down", cmd_time_text(link->connected - link->begun, connect),
                cmd_size_text((double)link->up.bytes, up), cmd_size_text((double)link->down.bytes, down));
    write_info(file, "client", client_socket(link));
    write_info(file, "upstream", link->upstream.sock);
    fprintf(file, "%s%s\n", link->why ? ": " : "", link->why ? link->why : "");
}

/* In one write, so that the lines of threads and processes do not mix. */
static void put(int fd, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, line, len);
        if (n < 0 && errno != EINTR)
            return; /* nobody is left to be told */
        line += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
}

void relay_log(const struct link *link)
{
    char *line = NULL;
    size_t len = 0;
    FILE *file = link->relay->unlogged ? NULL : open_memstream(&line, &len);
    if (!file)
        return;
    (link->relay->settings->json ? write_json : write_text)(file, link);
    if (fclose(file) == 0) {
        if (link->relay->live)
            cmd_status_clear();
        put(link->relay->log_fd, line, len);
    }
    free(line);
}

/* ---- The live line ---- */

static struct {
    pthread_t thread;
    bool runs, ends;
    pthread_mutex_t lock;
    pthread_cond_t ending;
    struct relay *relay;
} live = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void show(const struct relay *r, const uint64_t before[2], double seconds)
{
    char up[CMD_UNITS_TEXT], down[CMD_UNITS_TEXT], all_up[CMD_UNITS_TEXT], all_down[CMD_UNITS_TEXT];
    uint64_t sum[] = { __atomic_load_n(&r->up, __ATOMIC_RELAXED), __atomic_load_n(&r->down, __ATOMIC_RELAXED) };
    cmd_status("%u open, %llu in all, %llu failed | up %s, %s | down %s, %s",
               __atomic_load_n(&r->open, __ATOMIC_RELAXED),
               (unsigned long long)__atomic_load_n(&r->total, __ATOMIC_RELAXED),
               (unsigned long long)__atomic_load_n(&r->failures, __ATOMIC_RELAXED),
               cmd_rate_text((double)(sum[0] - before[0]) / seconds, up), cmd_size_text((double)sum[0], all_up),
               cmd_rate_text((double)(sum[1] - before[1]) / seconds, down), cmd_size_text((double)sum[1], all_down));
}

static void *show_all(void *arg)
{
    struct relay *r = arg;
    uint64_t before[2] = { 0 };
    double then = cmd_now();
    pthread_mutex_lock(&live.lock);
    while (!live.ends) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)(LIVE * 1e9);
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&live.ending, &live.lock, &until);
        double now = cmd_now();
        if (!live.ends && now > then)
            show(r, before, now - then);
        before[0] = __atomic_load_n(&r->up, __ATOMIC_RELAXED);
        before[1] = __atomic_load_n(&r->down, __ATOMIC_RELAXED);
        then = now;
    }
    pthread_mutex_unlock(&live.lock);
    return NULL;
}

void relay_begin_status(struct relay *relay)
{
    pthread_condattr_t clock;
    sigset_t all, before;
    if (!relay->live)
        return;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&live.ending, &clock);
    pthread_condattr_destroy(&clock);
    sigfillset(&all); /* signals are for the threads that serve */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    live.runs = pthread_create(&live.thread, NULL, show_all, relay) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void relay_end_status(void)
{
    if (!live.runs)
        return;
    pthread_mutex_lock(&live.lock);
    live.ends = true;
    pthread_cond_signal(&live.ending);
    pthread_mutex_unlock(&live.lock);
    pthread_join(live.thread, NULL);
    live.runs = false;
    cmd_status_clear();
}
