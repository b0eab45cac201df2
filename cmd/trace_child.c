/* trace_child.c - the traced command, in a process of its own, which tells through a pipe what it calls.
 *
 * It is this program once more, so that nothing has to be put into it: the library itself tells (skt_on_call). */
#include "trace.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- In the command's process ---- */

enum { UNKNOWN, TOLD, SHOWN }; /* what is known of a descriptor: its packets are seen, or its calls are shown */

static struct {
    int pipe;
    bool packets;
    int64_t offset;         /* from the clock of calls to that of packets */
    uint8_t known[1 << 16]; /* by descriptor */
} here;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int option_of(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* The kernel numbers TCP's states otherwise than we do. */
static void look_at_tcp(int fd, struct trace_event *event)
{
    static const enum tcp_state states[] = {
        [TCP_ESTABLISHED] = STATE_ESTABLISHED,
        [TCP_SYN_SENT] = STATE_SYN_SENT,
        [TCP_SYN_RECV] = STATE_SYN_RECEIVED,
        [TCP_FIN_WAIT1] = STATE_FIN_WAIT_1,
        [TCP_FIN_WAIT2] = STATE_FIN_WAIT_2,
        [TCP_TIME_WAIT] = STATE_TIME_WAIT,
        [TCP_CLOSE] = STATE_CLOSED,
        [TCP_CLOSE_WAIT] = STATE_CLOSE_WAIT,
        [TCP_LAST_ACK] = STATE_LAST_ACK,
        [TCP_LISTEN] = STATE_LISTEN,
        [TCP_CLOSING] = STATE_CLOSING,
    };
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    event->has_info = true;
    event->retransmissions = info.tcpi_total_retrans;
    event->state = info.tcpi_state < COUNT(states) ? states[info.tcpi_state] : STATE_NONE;
}

static void look_at_peer(int fd, const skt_addr *given, struct trace_event *event)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    skt_addr addr;
    const struct sockaddr *at = (const void *)&sa;
    if (given)
        at = skt_addr_sockaddr(given, &len);
    else if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0)
        return;
    event->has_remote = at && trace_end_from(&event->remote, at, len);
    addr = skt_sockaddr(at, len);
    skt_addr_text(&addr, event->peer, sizeof event->peer);
}

static uint8_t protocol_of(int protocol)
{
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP)
        return (uint8_t)protocol;
    return protocol == IPPROTO_ICMPV6 ? IPPROTO_ICMP : 0;
}

static void look_at_socket(const skt_call *call, int fd, struct trace_event *event)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    int protocol = option_of(fd, SO_PROTOCOL);
    event->protocol = protocol_of(protocol);
    event->datagrams = option_of(fd, SO_TYPE) == SOCK_DGRAM;
    event->has_local = event->protocol && getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
                       trace_end_from(&event->local, (const struct sockaddr *)&sa, len);
    bool named = strcmp(call->name, "bind") != 0 && strcmp(call->name, "listen") != 0;
    if (named)
        look_at_peer(fd, call->addr, event);
    if (protocol == IPPROTO_TCP)
        look_at_tcp(fd, event);
}

/* Once it is known whose packets these are, they tell all. */
static bool is_in_packets(const char *name)
{
    return !strncmp(name, "recv", 4) || !strncmp(name, "send", 4) || !strcmp(name, "getsockopt");
}

static bool is_interesting(const skt_call *call, int fd)
{
    static const char *const never[] = { "socket", "socketpair", "setsockopt" };
    for (size_t i = 0; i < COUNT(never); i++)
        if (!strcmp(call->name, never[i]))
            return false;
    if (fd < 0 || fd >= (int)sizeof here.known || call->error == EAGAIN || call->error == EINTR)
        return false;
    uint8_t known = __atomic_load_n(&here.known[fd], __ATOMIC_RELAXED);
    if (!strcmp(call->name, "close")) {
        __atomic_store_n(&here.known[fd], UNKNOWN, __ATOMIC_RELAXED);
        return known != UNKNOWN; /* something was told of it */
    }
    return !(known == TOLD && is_in_packets(call->name)) && !(known == UNKNOWN && !strcmp(call->name, "getsockopt"));
}

static void tell(const skt_call *call, void *unused)
{
    struct trace_event event = { .error = call->error, .result = call->result, .size = (int64_t)call->size };
    bool accepted = !strcmp(call->name, "accept") && call->result >= 0, closed = !strcmp(call->name, "close");
    int fd = accepted ? (int)call->result : call->fd;
    (void)unused;
    if (!is_interesting(call, fd))
        return;
    snprintf(event.name, sizeof event.name, "%s", call->name);
    event.fd = fd;
    event.began = (int64_t)(call->began * 1e9) + here.offset;
    event.time = (int64_t)((call->began + call->seconds) * 1e9) + here.offset;
    if (!closed)
        look_at_socket(call, fd, &event);
    event.shown = closed || !(here.packets && event.protocol);
    if (!closed)
        __atomic_store_n(&here.known[fd], event.shown ? SHOWN : TOLD, __ATOMIC_RELAXED);
    while (write(here.pipe, &event, sizeof event) < 0 && errno == EINTR)
        ;
}

_Static_assert(sizeof(struct trace_event) <= 512, "POSIX's least PIPE_BUF: written whole, or not at all");

static void run_command(int argc, char **argv, int pipe, bool packets)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    here.pipe = pipe;
    here.packets = packets;
    cmd_traced = packets ? TRACED_PACKETS : TRACED_CALLS;
    here.offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    skt_on_call(tell, NULL);
    exit(cmd_run(argc, argv));
}

/* ---- In ours ---- */

int trace_child_start(struct trace_child *child, int argc, char **argv, bool packets)
{
    int ends[2];
    fflush(NULL); /* or both would write what is there */
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    child->pid = fork();
    if (child->pid == 0) {
        close(ends[0]);
        run_command(argc, argv, ends[1], packets);
    }
    int code = errno;
    close(ends[1]);
    child->pipe = ends[0];
    if (child->pid < 0)
        close(ends[0]);
    else
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
    errno = code;
    return child->pid < 0 ? -1 : 0;
}

int trace_child_read(struct trace_child *child, struct trace_event *event)
{
    ssize_t n = read(child->pipe, event, sizeof *event);
    if (n == (ssize_t)sizeof *event)
        return 1;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
