/* pump.c - the two directions of a conversation, and the rule that ends it.
 *
 *                      input thread
 *   standard input  ------------------>  peer
 *   standard output <------------------
 *                      output thread
 *
 * A thread for each direction, since neither may wait for the other: whoever
 * reads our standard output may first want to see an effect of what stands in
 * our standard input.  (One loop with poll would need non-blocking standard
 * descriptors, and those are shared with other processes.)  The main thread waits until
 * the conversation is over and then ends the process, with it the threads, which may
 * hang in a read of the terminal. */
#include "clock.h"
#include "cmd.h"
#include "tcp.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER 262144     /* more than a Unix datagram can have, unless wmem_max was raised */
#define PIPE_SIZE 1048576 /* what pipes are made to hold, where we may: fewer turns for both sides */
#define LARGEST_UDP 65507 /* over IPv4; what an input without ends is cut into */
#define PROBE_AFTER 5     /* seconds */

/* What a direction is doing.  Each waits before it takes anything, and says that it is busy
 * before it does: what has been taken is carried over before the conversation can be
 * over. */
enum flow {
    FLOW_WAITING, /* for more; has nothing in hand */
    FLOW_BUSY,    /* carries something over */
    FLOW_ENDED,   /* all there was has been carried over */
    FLOW_FAILED,
};

struct pump {
    struct cmd_peer peer;
    enum cmd_end end;
    int64_t idle;                     /* nanoseconds, or -1 */
    bool splice_input, splice_output; /* it is a pipe, the peer's socket a stream */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum flow input, output;
    bool half_closed; /* the end of our input has been passed on */
    bool gone;        /* the peer has closed both of its directions */
    bool failed;      /* something has, and the user was told */
    bool hopeless;    /* ... so that there is no use in going on */
    bool over;        /* the main thread ends the process */
    int64_t active;   /* when something was last carried over */
};

/* ---- The rule ---- */

/* Whether the peer has sent what we have not taken yet. */
static bool has_more(const struct pump *p)
{
    struct pollfd one = { .fd = skt_fileno(p->peer.sock), .events = POLLIN };
    return poll(&one, 1, 0) > 0;
}

/* Over when both directions have ended.  An input that has nothing in hand is not
 * waited for where the peer's end is to be enough, or nobody is left to take it.
 * After a failure to send, what the peer has still to say is taken. */
static bool is_over(const struct pump *p)
{
    bool enough = p->gone || p->end == END_PEER;
    bool input_done = p->input >= FLOW_ENDED || (p->input == FLOW_WAITING && enough);
    if (p->hopeless)
        return true;
    if (p->end == END_INPUT && p->input == FLOW_ENDED)
        return p->output >= FLOW_ENDED || (p->output == FLOW_WAITING && !has_more(p));
    return p->output == FLOW_ENDED && input_done;
}

/* ---- A direction's state ---- */

/* Takes a direction on to its next state; false: it is over, touch nothing more.
 * The main thread is woken only at the end: that costs more than a chunk does. */
static bool go_on(struct pump *p, enum flow *flow, enum flow next)
{
    pthread_mutex_lock(&p->lock);
    bool on = !p->over;
    if (on)
        *flow = next;
    if (p->idle >= 0)
        p->active = cmd_now_ns();
    if (next != FLOW_BUSY && is_over(p))
        pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return on;
}

/* Ends a direction with a complaint, unless another has complained: one failure
 * often makes both directions fail. */
static void *fail(struct pump *p, enum flow *flow, bool hopeless, const char *who, const char *why)
{
    pthread_mutex_lock(&p->lock);
    if (!p->over && !p->failed)
        cmd_say("%s%s%s", who, *who ? ": " : "", why);
    *flow = FLOW_FAILED;
    p->failed = true;
    p->hopeless |= hopeless;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- Standard input to the peer ---- */

static void wait_for(int fd, short events)
{
    struct pollfd one = { .fd = fd, .events = events };
    while (poll(&one, 1, -1) < 0 && errno == EINTR)
        ;
}

/* read(2), also where another process has made the descriptor non-blocking. */
static ssize_t read_input(char *buf, size_t len)
{
    ssize_t n;
    while ((n = read(STDIN_FILENO, buf, len)) < 0 && (errno == EINTR || errno == EAGAIN))
        wait_for(STDIN_FILENO, POLLIN);
    return n;
}

/* From a pipe to a stream the kernel moves the data itself.  As read_input, but sent already; -1 with errno. */
static ssize_t splice_input(struct pump *p)
{
    errno = EAGAIN;
    return p->splice_input ? splice(STDIN_FILENO, NULL, skt_fileno(p->peer.sock), NULL, PIPE_SIZE, 0) : -1;
}

/* Whether splice has only said that this is not for it, or not now: then reading and writing do it.  An
 * error of the connection it has taken away from them. */
static bool is_no_error(int code)
{
    return code == EAGAIN || code == EINTR || code == EINVAL || code == EPIPE; /* of which each write tells anew */
}

static void *fail_to_splice(struct pump *p, enum flow *flow, const char *call)
{
    char who[SKT_ADDR_TEXT_MAX + 16], name[SKT_ADDR_TEXT_MAX];
    int code = errno;
    snprintf(who, sizeof who, "%s %s", call, cmd_peer_name(&p->peer, name));
    return fail(p, flow, flow == &p->output, who, strerror(code));
}

/* A piece of the input; 0 at its end, -1 having failed. */
static ssize_t carry_piece(struct pump *p)
{
    static char buf[BUFFER];
    ssize_t n = splice_input(p);
    if (n >= 0)
        return n;
    if (!is_no_error(errno)) {
        fail_to_splice(p, &p->input, "send");
        return -1;
    }
    n = read_input(buf, p->peer.messages ? LARGEST_UDP : BUFFER);
    if (n < 0)
        fail(p, &p->input, true, "standard input", strerror(errno));
    if (n <= 0 || cmd_peer_send(&p->peer, buf, (size_t)n) == 0)
        return n;
    fail(p, &p->input, p->peer.endless, "", cmd_peer_send_error(&p->peer));
    return -1;
}

/* Passes the end of the input on. */
static void end_direction(struct pump *p)
{
    if (p->peer.endless)
        return;
    pthread_mutex_lock(&p->lock);
    p->half_closed = true; /* before the socket is, which may end the connection at once */
    pthread_mutex_unlock(&p->lock);
    skt_shutdown(p->peer.sock, SHUT_WR); /* fails only where the peer is gone, which recv tells */
}

static void *carry_input(void *arg)
{
    struct pump *p = arg;
    ssize_t n;
    do {
        wait_for(STDIN_FILENO, POLLIN);
        if (!go_on(p, &p->input, FLOW_BUSY) || (n = carry_piece(p)) < 0)
            return NULL;
        if (n > 0)
            go_on(p, &p->input, FLOW_WAITING);
    } while (n > 0);
    if (p->peer.nfds > 0)
        return fail(p, &p->input, true, "--send-fd",
                    "the input ended before there was a byte for descriptors to go with");
    end_direction(p);
    go_on(p, &p->input, FLOW_ENDED);
    return NULL;
}

/* ---- The peer to standard output ---- */

static int write_output(const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, buf, len);
        if (n < 0 && errno == EAGAIN)
            wait_for(STDOUT_FILENO, POLLOUT);
        else if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            buf += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* A connection that is gone while we have not ended our direction was reset, though a call that sent a part before
 * may have taken the error away. */
static bool was_reset(struct pump *p)
{
    int family = skt_family(p->peer.sock);
    pthread_mutex_lock(&p->lock);
    bool open = !p->half_closed;
    pthread_mutex_unlock(&p->lock);
    return open && (family == AF_INET || family == AF_INET6);
}

/* The peer has ended; waits until it takes nothing more either.  Nothing tells a TCP connection whose peer has ended
 * its direction that the peer has closed the other one too, but an answer to what we send: with nothing to send, we
 * send keep-alive probes. */
static void *watch(struct pump *p)
{
    int code = 0;
    cmd_tcp_keep_alive(p->peer.sock, PROBE_AFTER, PROBE_AFTER);
    wait_for(skt_fileno(p->peer.sock), 0); /* POLLHUP or POLLERR */
    skt_getsockopt_int(p->peer.sock, SOL_SOCKET, SO_ERROR, &code);
    if (code == 0 && was_reset(p))
        code = EPIPE;
    if (code)
        return fail(p, &p->output, true, "the peer takes no more input", strerror(code));
    pthread_mutex_lock(&p->lock);
    p->gone = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* From a stream to a pipe likewise.  0: nothing, or the end. */
static ssize_t splice_output(struct pump *p)
{
    errno = EAGAIN;
    return p->splice_output ? splice(skt_fileno(p->peer.sock), NULL, STDOUT_FILENO, NULL, PIPE_SIZE, SPLICE_F_NONBLOCK)
                            : -1;
}

/* A piece of what the peer sends: *n is 0 at its end.  NULL: it has failed. */
static void *carry_output_piece(struct pump *p, ssize_t *n)
{
    static char buf[BUFFER];
    ssize_t spliced = splice_output(p);
    *n = -1;
    if (spliced > 0)
        return p;
    if (spliced < 0 && !is_no_error(errno))
        return fail_to_splice(p, &p->output, "recv");
    *n = cmd_peer_recv(&p->peer, buf, BUFFER, MSG_DONTWAIT);
    if (*n < 0 && errno != EAGAIN)
        return fail(p, &p->output, true, "", skt_strerror());
    if (*n > BUFFER)
        return fail(p, &p->output, true, "receive", "the peer's message is longer than 256 KiB");
    if (*n > 0 && write_output(buf, (size_t)*n) < 0)
        return fail(p, &p->output, true, "standard output", strerror(errno));
    return p;
}

static void *carry_output(void *arg)
{
    struct pump *p = arg;
    for (;;) {
        ssize_t n;
        wait_for(skt_fileno(p->peer.sock), POLLIN);
        if (!go_on(p, &p->output, FLOW_BUSY) || !carry_output_piece(p, &n))
            return NULL;
        if (n == 0 && !p->peer.endless)
            break;
        go_on(p, &p->output, FLOW_WAITING);
    }
    go_on(p, &p->output, FLOW_ENDED);
    return watch(p);
}

/* ---- The end ---- */

/* Whether nothing has passed for too long.  A reader of standard output that takes its time is not the
 * peer's silence. */
static bool is_idle(const struct pump *p)
{
    return p->idle >= 0 && p->output != FLOW_BUSY && cmd_now_ns() - p->active >= p->idle;
}

static void wait_for_change(struct pump *p)
{
    if (p->idle < 0) {
        pthread_cond_wait(&p->changed, &p->lock);
        return;
    }
    int64_t at = (p->output == FLOW_BUSY ? cmd_now_ns() : p->active) + p->idle;
    struct timespec until = { .tv_sec = at / NANOSECONDS, .tv_nsec = at % NANOSECONDS };
    pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

/* Silence is how a conversation of datagrams ends, and how one over a stream fails. */
static int wait_for_end(struct pump *p)
{
    bool idle = false;
    pthread_mutex_lock(&p->lock);
    while (!is_over(p) && !(idle = is_idle(p)))
        wait_for_change(p);
    p->over = true;
    if (idle && !p->peer.endless) {
        cmd_say("nothing has come or gone for %g seconds", (double)p->idle / NANOSECONDS);
        p->failed = true;
    }
    int status = p->failed || !cmd_record_is_whole() ? STATUS_FAILED : STATUS_OK;
    pthread_mutex_unlock(&p->lock);
    return status;
}

static int start(struct pump *p, void *(*direction)(void *arg))
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, direction, p);
    if (code == 0)
        return pthread_detach(thread);
    cmd_say("no thread can be had: %s", strerror(code));
    return code;
}

/* Pipes at our standard descriptors get large. */
static bool enlarge_pipe(int fd)
{
    struct stat file;
    if (fstat(fd, &file) < 0 || !S_ISFIFO(file.st_mode))
        return false;
    if (fcntl(fd, F_GETPIPE_SZ) < PIPE_SIZE)
        fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
    return true;
}

int cmd_pump(const struct cmd_peer *peer, const struct cmd_settings *settings)
{
    static struct pump p; /* for as long as the threads, which main does not wait for */
    pthread_condattr_t clock;
    p.peer = *peer;
    p.end = isatty(STDIN_FILENO) && settings->end == END_BOTH ? END_PEER : settings->end;
    p.idle = settings->idle < 0 ? -1 : (int64_t)(settings->idle * NANOSECONDS);
    p.active = cmd_now_ns();
    bool plain = !peer->messages && !peer->nfds && !settings->record && skt_family(peer->sock) != AF_UNIX &&
                 cmd_may_splice(peer->sock);
    p.splice_input = enlarge_pipe(STDIN_FILENO) && plain;
    p.splice_output = enlarge_pipe(STDOUT_FILENO) && plain;
    pthread_mutex_init(&p.lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&p.changed, &clock);
    pthread_condattr_destroy(&clock);
    if (start(&p, carry_input) != 0 || start(&p, carry_output) != 0)
        return STATUS_FAILED;
    return wait_for_end(&p);
}
