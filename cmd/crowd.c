/* crowd.c - skt listen --keep: all who come, at once, each in a task of its own. */
#include "crowd.h"
#include "clock.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER = 65536,      /* of a stream's pieces */
    MESSAGE = 262144,    /* the longest message, as in pump.c */
    LARGEST_UDP = 65507, /* what standard input is cut into for datagrams */
    MANY_PEERS = 4096,   /* datagrams: senders that are remembered */
};

/* From any task, while others hold what they hold: nothing of it needs to be given back. */
static void finish(int status)
{
    cmd_remove_socket_file();
    _exit(status || cmd_record_is_whole() ? status : STATUS_FAILED);
}

/* ---- Standard output ---- */

static bool can_be_full(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode) || S_ISCHR(file.st_mode));
}

/* A pipe that poll says has room takes as much as this without waiting, which would stop all tasks. */
static void print(const char *buf, size_t len)
{
    bool careful = can_be_full(STDOUT_FILENO);
    while (len > 0) {
        struct pollfd one = { .fd = STDOUT_FILENO, .events = POLLOUT };
        if (careful)
            skt_poll(&one, 1, SKT_NO_TIMEOUT);
        ssize_t n = write(STDOUT_FILENO, buf, careful && len > PIPE_BUF ? PIPE_BUF : len);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            cmd_say("standard output: %m");
            finish(STATUS_FAILED);
        }
        buf += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
}

/* What a client has sent. */
static void pass_on(struct client *c, const void *buf, size_t len)
{
    c->active = cmd_now();
    print(buf, len);
    if (c->crowd->settings->broadcast)
        crowd_send_all(c->crowd, c, buf, len);
}

/* ---- Standard input ---- */

static ssize_t read_input(char *buf, size_t len)
{
    struct pollfd one = { .fd = STDIN_FILENO, .events = POLLIN };
    ssize_t n;
    do
        skt_poll(&one, 1, SKT_NO_TIMEOUT);
    while ((n = read(STDIN_FILENO, buf, len)) < 0 && (errno == EINTR || errno == EAGAIN));
    return n;
}

static void end_input(struct crowd *crowd)
{
    crowd->input_ended = true;
    for (struct client *c = crowd->clients; c; c = c->next)
        crowd_end_output(c);
    if (crowd->settings->end != END_INPUT)
        return;
    while (crowd_is_sending(crowd))
        skt_sleep(0.01);
    finish(STATUS_OK);
}

/* The task of standard input, which waits for somebody to be there. */
static void carry_input(void *arg)
{
    static char buf[LARGEST_UDP];
    struct crowd *crowd = arg;
    ssize_t n = 1;
    while (n > 0) {
        while (crowd->n == 0)
            skt_sleep(0.02);
        n = read_input(buf, sizeof buf);
        if (n > 0)
            crowd_send_all(crowd, NULL, buf, (size_t)n);
    }
    if (n < 0) {
        cmd_say("standard input: %m");
        finish(STATUS_FAILED);
    }
    end_input(crowd);
}

/* ---- Connections ---- */

/* Waits for something, without a buffer: who is silent costs only a task. */
static bool wait_for_data(struct client *c)
{
    double idle = c->crowd->settings->idle;
    char byte;
    for (;;) {
        skt_settimeout(c->peer.sock, idle < 0 ? SKT_NO_TIMEOUT : idle);
        if (skt_recv(c->peer.sock, &byte, 1, MSG_PEEK) >= 0)
            return true;
        if (!skt_timed_out() || cmd_now() - c->active >= idle)
            return false;
    }
}

/* A piece of what it sends; false at its end. */
static bool carry_piece(struct client *c)
{
    size_t size = c->peer.messages ? MESSAGE : BUFFER;
    if (!wait_for_data(c))
        return false;
    char *buf = malloc(size);
    ssize_t n = buf ? cmd_peer_recv(&c->peer, buf, size, 0) : -1;
    if (n > (ssize_t)size)
        cmd_say("%s: its message is longer than 256 KiB", c->name);
    else if (n > 0)
        pass_on(c, buf, (size_t)n);
    free(buf);
    return n > 0 && n <= (ssize_t)size;
}

/* The task of a client.  Its end ends its conversation, once it has got what is waiting for it. */
static void serve(void *arg)
{
    struct client *c = arg;
    while (carry_piece(c))
        ;
    skt_settimeout(c->peer.sock, SKT_NO_TIMEOUT);
    crowd_remove(c);
    crowd_let_finish(c);
    crowd_release(c);
}

static void welcome(struct crowd *crowd, const struct cmd_peer *peer)
{
    struct client *c = crowd_add(crowd, peer);
    if (!c) {
        skt_close(peer->sock);
        return;
    }
    c->holders++;
    if (crowd->input_ended)
        crowd_end_output(c);
    if (skt_go(serve, c) == 0)
        return;
    cmd_say("%s: %s", c->name, skt_strerror());
    crowd_remove(c);
    crowd_release(c);
}

static void start_program(struct crowd *crowd, const struct cmd_peer *peer)
{
    int fd = skt_detach(peer->sock);
    if (fd < 0)
        return;
    cmd_start_program(crowd->settings, fd, NULL, NULL);
    close(fd);
}

/* Without descriptors or memory it waits until a client has gone. */
static bool is_shortage(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static void accept_failed(bool *told)
{
    if (errno == ECONNABORTED)
        return;
    if (!is_shortage(errno))
        finish(cmd_fail());
    if (!*told)
        cmd_say("%s; clients have to wait", skt_strerror());
    *told = true;
    skt_sleep(0.1);
}

static void accept_all(struct crowd *crowd)
{
    bool program = crowd->settings->exec || crowd->settings->shell, told = false;
    for (;;) {
        skt *s = skt_accept(crowd->server, NULL);
        if (!s) {
            accept_failed(&told);
            continue;
        }
        told = false;
        skt_settimeout(crowd->server, SKT_NO_TIMEOUT); /* --timeout is for the first */
        struct cmd_peer peer = cmd_peer_connected(s);
        (program ? start_program : welcome)(crowd, &peer);
    }
}

/* ---- Datagrams ---- */

static struct client *find(const struct crowd *crowd, const skt_addr *addr)
{
    for (struct client *c = crowd->clients; c; c = c->next)
        if (skt_addr_equal(&c->peer.addr, addr))
            return c;
    return NULL;
}

/* Forgets who has been silent for longer than --idle, and of too many the one that has been silent for longest. */
static void forget(struct crowd *crowd)
{
    double idle = crowd->settings->idle, now = cmd_now();
    struct client *oldest = NULL;
    for (struct client *next, *c = crowd->clients; c; c = next) {
        next = c->next;
        if (idle >= 0 && now - c->active > idle)
            crowd_remove(c);
        else if (!oldest || c->active <= oldest->active)
            oldest = c;
    }
    if (crowd->n >= MANY_PEERS)
        crowd_remove(oldest);
}

/* The task of a peer's program: what it writes goes to the peer, each piece as a datagram. */
static void carry_program(void *arg)
{
    struct client *c = arg;
    char *buf = malloc(MESSAGE);
    ssize_t n;
    while (buf && c->listed && (n = skt_recv(c->program, buf, MESSAGE, 0)) > 0)
        if (cmd_peer_send(&c->peer, buf, (size_t)n) < 0)
            cmd_say("%s", cmd_peer_send_error(&c->peer));
    free(buf);
    crowd_remove(c);
    crowd_release(c);
}

static void give_program(struct client *c)
{
    char local[SKT_ADDR_TEXT_MAX] = "";
    skt_addr addr;
    skt *pair[2];
    if (skt_getsockname(c->peer.sock, &addr) == 0)
        skt_addr_text(&addr, local, sizeof local);
    if (skt_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) {
        cmd_say("%s: %s", c->name, skt_strerror());
        return;
    }
    int fd = skt_detach(pair[1]);
    cmd_start_program(c->crowd->settings, fd, c->name, local);
    close(fd);
    c->program = pair[0];
    c->holders++;
    if (skt_go(carry_program, c) < 0)
        crowd_release(c);
}

static void take_datagram(struct crowd *crowd, struct client *c, const char *buf, size_t len)
{
    bool program = crowd->settings->exec || crowd->settings->shell;
    c->active = cmd_now();
    if (program && !c->program)
        give_program(c);
    if (!program)
        pass_on(c, buf, len);
    else if (c->program)
        skt_send(c->program, buf, len, MSG_DONTWAIT); /* one that does not keep up loses some, as a socket does */
}

/* Who has no address can be heard, but not answered. */
static void receive_all(struct crowd *crowd)
{
    static char buf[MESSAGE];
    cmd_peer_ask_for_local_address(crowd->server);
    for (;;) {
        struct cmd_peer from;
        ssize_t n = cmd_peer_take(crowd->server, buf, sizeof buf, MSG_TRUNC, &from);
        if (n < 0)
            finish(cmd_fail());
        skt_settimeout(crowd->server, SKT_NO_TIMEOUT);
        if (n > (ssize_t)sizeof buf)
            continue;
        cmd_record('<', &from, buf, (size_t)n);
        struct client *c = find(crowd, &from.addr);
        if (!c && from.addr.family != AF_UNSPEC) {
            forget(crowd);
            c = crowd_add(crowd, &from);
        }
        if (!c) {
            print(buf, (size_t)n);
            continue;
        }
        c->holders++;
        c->peer = from; /* it may have written to another address of ours this time */
        take_datagram(crowd, c, buf, (size_t)n);
        crowd_release(c);
    }
}

/* ---- The first task ---- */

static void run(void *arg)
{
    struct crowd *crowd = arg;
    bool program = crowd->settings->exec || crowd->settings->shell;
    skt_settimeout(crowd->server, crowd->settings->timeout);
    if (!program && skt_go(carry_input, crowd) < 0)
        finish(cmd_fail());
    if (skt_type(crowd->server) == SOCK_DGRAM)
        receive_all(crowd);
    else
        accept_all(crowd);
}

int cmd_crowd(skt *server, const struct cmd_settings *settings)
{
    struct crowd crowd = { .server = server, .settings = settings };
    skt_run(run, &crowd);
    return cmd_fail(); /* it could not begin: the tasks end the process */
}
