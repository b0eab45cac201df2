/* trace.c - skt trace: what went over the wire, drawn as a ladder of arrows.
 *
 * One loop for both of its forms: packets come from the ring, what the traced command calls from its pipe, and
 * signals end it, or are the command's. */
#include "trace.h"
#include "clock.h"
#include "json.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the command has ended, how long its conversations may take to end: in all, and without a packet. */
static const double last_wait = 3, last_silence = 0.5;

struct session {
    const struct cmd_settings *settings;
    struct trace *trace;
    struct trace_ring *ring;   /* NULL: packets may not be seen */
    struct trace_calls *calls; /* a command's */
    struct trace_child child;  /* pid 0: none, or it has ended; pipe -1: it tells nothing any more */
    int signals;
    FILE *out, *svg;
    int status, signal; /* of the command: what it exited with, or which signal ended it */
    bool stopped;
};

/* ---- What is asked for ---- */

static int check_arguments(const struct cmd_settings *settings, int n, char **args)
{
    if (settings->port && n > 0)
        return cmd_misuse("trace: either --port or a command, as in skt trace -- connect localhost:8080");
    if (settings->port && settings->calls)
        return cmd_misuse("trace: --calls is for a command, and --port sees no calls");
    if (!settings->port && settings->idle >= 0)
        return cmd_misuse("trace: --idle is for --port; a command has its own, behind --");
    if (!settings->port && n == 0)
        return cmd_misuse("trace: a command or --port N is missing, as in skt trace -- connect localhost:8080");
    if (n == 0)
        return 0;
    const struct command *command = cmd_find(args[0]);
    if (command == &cmd_trace)
        return cmd_misuse("trace: it cannot trace itself");
    return command ? 0 : STATUS_USAGE;
}

/* The diagram's default is the place that the command leaves free. */
static int open_files(struct session *s)
{
    s->out = trace_open_file(s->settings->output, s->settings->port ? stdout : stderr);
    if (!s->out)
        return STATUS_FAILED;
    s->svg = trace_open_file(s->settings->svg, NULL);
    return s->settings->svg && !s->svg ? STATUS_FAILED : 0;
}

static void add_writer(struct session *s, struct trace_writer *writer)
{
    if (writer)
        trace_add_writer(s->trace, writer);
    else
        cmd_say("out of memory: the trace will not be complete");
}

/* "skt trace -- connect localhost:8080", for the picture's title. */
static void make_title(const struct session *s, int n, char **args, char *buf, size_t len)
{
    snprintf(buf, len, "skt trace --port %d", s->settings->port);
    if (n > 0)
        snprintf(buf, len, "skt");
    for (int i = 0; i < n; i++)
        snprintf(buf + strlen(buf), len - strlen(buf), " %s", args[i]);
}

static int open_trace(struct session *s, int n, char **args)
{
    char title[84];
    const char *name = n > 0 ? args[0] : "";
    s->trace = trace_new(name);
    s->calls = s->trace ? trace_calls_new(s->trace, name) : NULL;
    if (!s->calls) {
        cmd_say("out of memory");
        return STATUS_FAILED;
    }
    make_title(s, n, args, title, sizeof title);
    add_writer(s, s->settings->json ? trace_json(s->out) : trace_text(s->out));
    if (s->svg)
        add_writer(s, trace_svg(s->svg, title));
    return 0;
}

/* Without the right to see packets, a command's own calls are what there is. */
static int open_ring(struct session *s)
{
    const char *interface = s->settings->interface;
    if (s->settings->calls)
        return 0;
    s->ring = trace_ring_open(interface ? interface : "");
    if (s->ring)
        return 0;
    if (errno != EPERM && errno != EACCES && errno != EAFNOSUPPORT)
        return cmd_fail();
    if (s->settings->port) {
        cmd_say("packets may not be seen (%m): that takes root, or CAP_NET_RAW; "
                "skt trace -- COMMAND can do without");
        return STATUS_FAILED;
    }
    cmd_say("packets may not be seen (%m; that takes CAP_NET_RAW): this is drawn from the library's calls and "
            "TCP_INFO, and tells nothing of the other side");
    return 0;
}

/* ---- What happens ---- */

static void want_packets(struct session *s, const struct trace_event *e)
{
    struct trace_filter f = { .protocol = e->protocol, .ours = e->local, .is_ours = true };
    bool connecting = !strcmp(e->name, "connect"), failed = connecting && e->error && e->error != EINPROGRESS;
    if (!e->protocol || (!strcmp(e->name, "bind") && e->protocol == IPPROTO_TCP))
        return;
    if (failed) { /* the kernel has forgotten the port: known is where it went, and when */
        memset(&f.ours, 0, sizeof f.ours);
        f.since = e->began;
        f.until = e->time;
    } else if (e->protocol == IPPROTO_ICMP) { /* ping: whom it asks is known, and its number of ping sockets only */
        if (!e->has_remote)
            return;
        if (!e->datagrams)
            f.ours.port = 0;
        f.theirs = e->remote;
        f.theirs.port = 0;
    } else if (!e->has_local || e->local.port == 0) {
        return;
    }
    if (e->has_remote && (e->protocol == IPPROTO_TCP || failed))
        f.theirs = e->remote;
    trace_want(s->trace, &f);
}

static void take_events(struct session *s)
{
    struct trace_event event;
    int got = 0;
    for (int turns = 0; turns < 1000 && (got = trace_child_read(&s->child, &event)) > 0; turns++) {
        if (s->ring) { /* what the call has sent is there by now */
            trace_ring_read(s->ring, s->trace);
            want_packets(s, &event);
        }
        if (event.shown)
            trace_call(s->calls, &event);
    }
    if (got >= 0)
        return;
    close(s->child.pipe); /* it has ended, or become another program */
    s->child.pipe = -1;
}

static void take_child(struct session *s)
{
    int status;
    if (s->child.pid <= 0 || waitpid(s->child.pid, &status, WNOHANG) <= 0)
        return;
    s->child.pid = 0;
    s->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    s->status = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED;
    while (s->child.pipe >= 0 && poll(&(struct pollfd){ .fd = s->child.pipe, .events = POLLIN }, 1, 0) > 0)
        take_events(s);
}

/* A terminal's Ctrl-C has reached the command already; what was sent to us only is passed on. */
static void take_signal(struct session *s)
{
    struct signalfd_siginfo info;
    if (read(s->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD)
        take_child(s);
    else if (s->child.pid <= 0)
        s->stopped = true;
    else if (info.ssi_code <= 0)
        kill(s->child.pid, (int)info.ssi_signo);
}

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

/* How long conversations may go on after the command: a datagram may still be answered, by ICMP too. */
static double silence_left(const struct session *s, double last, double ended)
{
    struct trace_counts counts = trace_counts(s->trace);
    double silence = counts.open > 0 ? last_silence : counts.datagrams > 0 ? last_silence / 2 : 0;
    return s->ring ? lesser((last > ended ? last : ended) + silence, ended + last_wait) - cmd_now() : 0;
}

/* How long to wait for more; 0: no longer. */
static double time_left(const struct session *s, double last, double ended)
{
    if (s->child.pid > 0 || (s->settings->port && s->settings->idle < 0))
        return SKT_NO_TIMEOUT;
    double left = s->settings->port ? last + s->settings->idle - cmd_now() : silence_left(s, last, ended);
    return left > 0 ? left : 0;
}

static void watch(struct session *s)
{
    double last = cmd_now(), ended = 0, left;
    while (!s->stopped && (left = time_left(s, last, ended)) != 0) {
        struct pollfd fds[] = { { .fd = s->signals, .events = POLLIN },
                                { .fd = s->child.pipe, .events = POLLIN },
                                { .fd = s->ring ? trace_ring_fileno(s->ring) : -1, .events = POLLIN } };
        uint64_t rows = trace_counts(s->trace).rows;
        if (skt_poll(fds, COUNT(fds), left) < 0)
            break;
        if (fds[0].revents)
            take_signal(s);
        if (fds[1].revents)
            take_events(s);
        if (s->ring)
            trace_ring_read(s->ring, s->trace);
        if (trace_counts(s->trace).rows != rows)
            last = cmd_now();
        if (s->child.pid <= 0 && ended == 0)
            ended = cmd_now();
    }
}

/* ---- The beginning and the end ---- */

static int start(struct session *s, int n, char **args)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    s->signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0 || (n > 0 && trace_child_start(&s->child, n, args, s->ring != NULL) < 0)) {
        cmd_say("cannot begin: %m");
        return STATUS_FAILED;
    }
    if (n > 0)
        return 0;
    struct trace_filter filter = { .ours = { .port = (uint16_t)s->settings->port } };
    trace_want(s->trace, &filter);
    cmd_say("waiting for packets of port %d on %s; Ctrl-C ends", s->settings->port,
            s->settings->interface ? s->settings->interface : "every interface");
    return 0;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void say_counts(const struct session *s)
{
    struct trace_counts counts = trace_counts(s->trace);
    uint64_t dropped = s->ring ? trace_ring_dropped(s->ring) : 0;
    if (s->settings->json) {
        struct cmd_json j = { .file = s->out };
        cmd_json_open(&j, NULL, '{');
        cmd_json_integer(&j, s->ring ? "packets" : "calls", (int64_t)counts.rows);
        cmd_json_integer(&j, "conversations", counts.talks);
        cmd_json_integer(&j, "dropped", (int64_t)dropped);
        cmd_json_close(&j, '}');
    } else if (s->ring) {
        cmd_say("%llu packet%s, %u conversation%s; the kernel dropped %.0llu%s", (unsigned long long)counts.rows,
                plural(counts.rows), counts.talks, plural(counts.talks), (unsigned long long)dropped,
                dropped ? "" : "none");
    }
}

static int finish(struct session *s)
{
    int failed = 0;
    trace_calls_free(s->calls);
    trace_free(s->trace);
    trace_ring_close(s->ring);
    failed |= trace_close_file(s->out, s->settings->output);
    failed |= trace_close_file(s->svg, s->settings->svg);
    return failed;
}

/* The parent sees the signal that has ended the command. */
static void end_by(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct session s = { .settings = settings, .child.pipe = -1 };
    if (n > 1 && !strcmp(args[0], "skt")) { /* skt trace skt connect ... */
        args++;
        n--;
    }
    int status = check_arguments(settings, n, args);
    if (status)
        return status;
    if ((status = open_files(&s)) || (status = open_trace(&s, n, args)) || (status = open_ring(&s)) ||
        (status = start(&s, n, args))) {
        finish(&s);
        return status;
    }
    watch(&s);
    say_counts(&s);
    status = finish(&s);
    if (s.signal)
        end_by(s.signal);
    return s.status ? s.status : status;
}

const struct command cmd_trace = {
    .name = "trace",
    .run = run,
    .line = "draw the packets of a command, or of a port, as a ladder",
    .options = "port interface svg output calls idle json help",
    .operands = "[--] [COMMAND...]",
    .examples = "  skt trace -- connect localhost:8080     talk, and see what goes over the wire\n"
                "  skt trace --svg talk.svg -- listen :80  draw it, too\n"
                "  skt trace --port 443 --interface eth0   what others say, until Ctrl-C\n"
                "  skt trace --output log -- connect ...   not between what the command prints\n",
    .rules = "On the left is who spoke first; beside an arrow stands the state of TCP that it\n"
             "leads to.  It takes root, or CAP_NET_RAW: without, a command's diagram is drawn\n"
             "from its calls and TCP_INFO.\n",
    .arguments = ARGUMENTS_LAST,
};
