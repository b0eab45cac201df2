/* ping.c - skt ping: how long a host takes to answer, and how often it does not. */
#include "ping.h"
#include "clock.h"
#include "terminal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TIMEOUT 2.0  /* seconds until a question counts as lost */
#define INTERVAL 1.0 /* seconds from one to the next */
#define SIZE 56      /* bytes of data: 64 with ICMP's header */

/* ---- Signals, as something to be read ---- */

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals(struct ping *p, int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGQUIT)
            ping_tell_summary(p, false);
        else
            p->stopped = true;
}

/* ---- Questions at their times ---- */

static bool has_more(const struct ping *p)
{
    return p->settings->count == 0 || p->tally.sent < (uint32_t)p->settings->count;
}

/* With no interval the next goes when the last is answered or lost. */
static bool may_send(const struct ping *p)
{
    return has_more(p) && ping_tally_has_room(&p->tally) && p->tally.waiting < p->kind->at_once &&
           (p->interval > 0 || p->tally.waiting == 0);
}

static void send_due(struct ping *p, int64_t *due)
{
    int64_t now = cmd_now_ns();
    if (!may_send(p) || now < *due)
        return;
    *due += p->interval;
    if (*due < now) /* we were stopped, or wait for room: no burst now */
        *due = now + p->interval;
    p->kind->send(p, ping_tally_send(&p->tally, now));
    ping_show_live(p);
}

static void wait_for_news(struct ping *p, int signals, int64_t due)
{
    static struct pollfd fds[1 + PING_ATTEMPTS];
    int64_t until = ping_tally_next_loss(&p->tally);
    if (may_send(p) && due < until)
        until = due;
    double seconds = (double)(until - cmd_now_ns()) / NANOSECONDS;
    fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
    size_t n = p->kind->watch(p, fds + 1);
    if (skt_poll(fds, 1 + n, seconds > 0 ? seconds : 0) <= 0)
        n = 0;
    p->kind->receive(p, fds + 1, n);
    if (n == 0 || !fds[0].revents)
        return;
    take_signals(p, signals);
}

static void tell_losses(struct ping *p)
{
    uint32_t lost;
    while ((lost = ping_tally_expire(&p->tally, cmd_now_ns())))
        ping_tell_loss(p, lost);
}

/* Until all questions are over, or somebody wants no more. */
static void ask(struct ping *p, int signals)
{
    int64_t due = p->began = cmd_now_ns();
    while (!p->stopped && (has_more(p) || p->tally.waiting > 0)) {
        send_due(p, &due);
        wait_for_news(p, signals, due);
        tell_losses(p);
        ping_show_live(p);
    }
    cmd_status_clear();
}

/* ---- Whom, and how ---- */

/* To the first of the host's addresses that there is a way to. */
static int open_first(struct ping *p)
{
    skt_addrinfo *rows;
    int status = -1;
    ssize_t n = cmd_look_up_host(&p->address, p->settings, 0, &rows);
    if (n < 0)
        return cmd_fail();
    skt_connection_order(rows, (size_t)n);
    for (ssize_t i = 0; i < n && status < 0; i++) {
        p->peer = rows[i].addr;
        status = p->kind->open(p);
    }
    skt_freeaddrinfo(rows);
    return status < 0 ? cmd_fail() : status;
}

static bool is_number(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

/* "--tcp 80 example.org", too. */
static int read_host(struct ping *p, int n, char **args)
{
    char *turned[] = { n == 2 ? args[1] : NULL, args[0], NULL };
    bool turn = p->settings->tcp && n == 2 && is_number(args[0]) && !is_number(args[1]);
    return cmd_read_host(p->settings, n, turn ? turned : args, &p->address);
}

static int choose_kind(struct ping *p)
{
    bool udp = p->address.type == SOCK_DGRAM;
    if (udp && p->settings->tcp)
        return cmd_misuse("'%s': --tcp and udp:// exclude each other", p->address.text);
    if (p->settings->tcp && p->address.port < 0)
        return cmd_misuse("ping: --tcp needs a port, as in skt ping --tcp %s 80", p->address.host);
    if (p->address.port == 0)
        return cmd_misuse("'%s': a port above 0 is needed", p->address.text);
    p->kind = udp ? &ping_udp : p->address.port > 0 ? &ping_tcp : &ping_icmp;
    return 0;
}

static int check_size(struct ping *p)
{
    int64_t size = p->settings->size < 0 ? SIZE : p->settings->size;
    if (p->kind == &ping_tcp && p->settings->size >= 0)
        return cmd_misuse("ping: --size is of ICMP and UDP; a connection of TCP has none");
    if (size > PING_SIZE_MAX)
        return cmd_misuse("ping: --size is at most %d", PING_SIZE_MAX);
    if (p->kind == &ping_udp && size < PING_DATA_MIN)
        return cmd_misuse("ping: --size is at least %d with UDP", PING_DATA_MIN);
    p->format.size = (size_t)size;
    return 0;
}

static int64_t nanoseconds(double seconds, double otherwise)
{
    double chosen = seconds < 0 ? otherwise : seconds;
    return (int64_t)((chosen < 1e9 ? chosen : 1e9) * NANOSECONDS);
}

static int read_settings(struct ping *p)
{
    int status = choose_kind(p);
    if (status || (status = check_size(p)))
        return status;
    p->tally.timeout = nanoseconds(p->settings->timeout, TIMEOUT);
    p->interval = nanoseconds(p->settings->interval, INTERVAL);
    if (p->tally.timeout == 0)
        return cmd_misuse("ping: with --timeout 0 nothing could be answered");
    return 0;
}

/* What tells our questions from other programs'. */
static int choose_cookie(struct ping *p)
{
    if (getrandom(p->format.cookie, sizeof p->format.cookie, 0) == sizeof p->format.cookie &&
        getrandom(&p->format.identifier, sizeof p->format.identifier, 0) == sizeof p->format.identifier)
        return 0;
    cmd_say("ping: no random numbers can be had: %s", strerror(errno));
    return STATUS_FAILED;
}

/* ---- The command ---- */

static int run(const struct cmd_settings *settings, int n, char **args)
{
    static struct ping ping;
    struct ping *p = &ping;
    p->settings = settings;
    int status = read_host(p, n, args);
    if (status || (status = read_settings(p)) || (status = choose_cookie(p)) || (status = open_first(p)))
        return status;
    int signals = open_signals();
    if (signals < 0) {
        cmd_say("ping: signalfd: %s", strerror(errno));
        return STATUS_FAILED;
    }
    ping_tell_begin(p);
    ask(p, signals);
    ping_tell_summary(p, true);
    skt_close(p->sock);
    close(signals);
    return p->tally.answered + p->tally.late > 0 ? STATUS_OK : STATUS_FAILED;
}

const struct command cmd_ping = {
    .name = "ping",
    .run = run,
    .line = "measure how long a host takes to answer, by ICMP, TCP or UDP",
    .options = "count interval size timeout tcp json ttl | ipv4 ipv6 interface dscp option help",
    .operands = "HOST [PORT]",
    .examples = "  skt ping example.org                    by ICMP, until Ctrl-C\n"
                "  skt ping -c 5 --interval 200ms ::1      five, a fifth of a second apart\n"
                "  skt ping example.org:443                how long TCP takes to connect\n"
                "  skt ping udp://192.0.2.1:7              by UDP, to an echo server\n"
                "  skt ping -c 1 --ttl 3 example.org       who is the third router on the way\n",
    .rules = "What has no answer within --timeout (2 s) counts as lost.  --interval 0: the\n"
             "next goes when the last is answered.  Ctrl-\\ tells what came so far.  The exit\n"
             "status is 0 if anything was answered.\n",
};
