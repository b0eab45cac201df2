/* load.c - the other end of every server of the benchmark; bench/run starts it on a core of its own.
 *
 *   load echo PORT PID SECONDS CONNECTIONS     each sends 64 bytes, waits for the echo, and again
 *   load pingpong PORT PID SECONDS             one connection, which sleeps between requests as a client does
 *   load accept PORT PID SECONDS               64 at a time: connect, one echo, close
 *   load idle PORT PID SECONDS CONNECTIONS     each has echoed once, then nothing until stdin ends
 *   load udp PORT PID SECONDS                  64 datagrams of 64 bytes under way, from 4 sockets
 *   load bulk PORT PID BYTES OPERATION         s: the server sends, f: by sendfile, r: it receives
 *
 * Prints one JSON object.  "cpu" is the server's CPU time within the measured seconds, in ns,
 * of all its threads, also of those that have ended.
 *
 * The load never sleeps where many connections are measured: a server that has to wake
 * its client pays for that, more or less of it in each run, and this is no server's merit. */
#include "common.h"
#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>

#define MESSAGE 64
#define EVENTS 512
#define OPENING 64  /* connections that are opened at the same time */
#define SOURCES 200 /* 127.0.0.1 and so on: a single source runs out of ports */
#define LONGEST 10  /* seconds without an answer: the server hangs */
#define WARM_UP 0.3 /* of the measured seconds, before them */
#define UDP_SOCKETS 4
#define UDP_WINDOW 16     /* datagrams under way, for each socket */
#define UDP_LOST 20000000 /* ns without an answer: datagrams were lost */
#define CHUNK 131072

struct connection {
    int fd;
    unsigned got;      /* bytes of this echo */
    uint64_t sequence; /* the message's content */
    uint64_t sent_at;
};

/* Times in a histogram: 32 buckets for each power of two, so within 3 %. */
#define FINE 32
static uint64_t histogram[60 * FINE], recorded;

static int loop;
static clockid_t server_clock;
static double seconds;

static unsigned bucket_of(uint64_t ns)
{
    if (ns < FINE)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns);
    return (power - 4) * FINE + (unsigned)(ns >> (power - 5)) % FINE;
}

static double middle_of(unsigned bucket)
{
    unsigned power = bucket / FINE + 4;
    if (bucket < FINE)
        return bucket;
    return ((double)(FINE + bucket % FINE) + 0.5) * (double)(1ull << (power - 5));
}

static void record(uint64_t ns)
{
    histogram[bucket_of(ns)]++;
    recorded++;
}

static void forget_records(void)
{
    memset(histogram, 0, sizeof histogram);
    recorded = 0;
}

/* In microseconds; part: 0.5 for the median. */
static double quantile(double part)
{
    uint64_t wanted = (uint64_t)(part * (double)recorded), seen = 0;
    for (unsigned i = 0; i < sizeof histogram / sizeof *histogram; i++)
        if ((seen += histogram[i]) > wanted)
            return middle_of(i) / 1000;
    return 0;
}

static struct sockaddr_in loopback(int last, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)last);
    return address;
}

static int open_client(int type, int port)
{
    static int opened;
    struct sockaddr_in to = loopback(0, port), from = loopback(opened++ % SOURCES, 0);
    int fd = socket(AF_INET, type, 0), one = 1;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

static void request(struct connection *c, uint64_t now)
{
    uint64_t message[MESSAGE / sizeof(uint64_t)] = { ++c->sequence };
    c->got = 0;
    c->sent_at = now;
    if (send(c->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
        die("send");
}

/* Whether the echo is complete; it has to be what was sent. */
static bool answered(struct connection *c, int flags)
{
    uint64_t message[MESSAGE / sizeof(uint64_t)];
    ssize_t n = recv(c->fd, message, MESSAGE - c->got, flags);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        die(n == 0 ? "the server closed a connection" : "recv");
    if (c->got == 0 && n >= (ssize_t)sizeof *message && *message != c->sequence) {
        fprintf(stderr, "a connection got another's echo\n");
        exit(1);
    }
    c->got += (unsigned)n;
    return c->got == MESSAGE;
}

static void connect_one(struct connection *c, int port)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = c };
    c->fd = open_client(SOCK_STREAM, port);
    no_delay(c->fd);
    if (epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
    request(c, now_ns());
}

static int next_events(struct epoll_event *events, int timeout)
{
    static uint64_t last;
    int n = epoll_wait(loop, events, EVENTS, timeout);
    uint64_t now = now_ns();
    if (n > 0 || !last)
        last = now;
    else if (now - last > LONGEST * 1000000000ull) {
        fprintf(stderr, "no answer for %d seconds\n", LONGEST);
        exit(1);
    }
    return n;
}

/* Opens n connections, OPENING at a time, each of which has echoed once. */
static struct connection *open_all(int port, int n)
{
    struct connection *all = calloc((size_t)n, sizeof *all);
    struct epoll_event events[EVENTS];
    int opened = 0, ready = 0;
    if (!all)
        die("calloc");
    while (ready < n) {
        while (opened < n && opened - ready < OPENING)
            connect_one(&all[opened++], port);
        int got = next_events(events, 100);
        for (int i = 0; i < got; i++)
            ready += answered(events[i].data.ptr, MSG_DONTWAIT);
    }
    return all;
}

static struct connection *start_all(int port, int n)
{
    struct connection *all = open_all(port, n);
    for (int i = 0; i < n; i++)
        request(&all[i], now_ns());
    return all;
}

/* What a mode does again and again; returns the requests that it has finished. */
typedef uint64_t step(int port, struct connection *all);

static uint64_t echo_step(int port, struct connection *all)
{
    struct epoll_event events[EVENTS];
    uint64_t done = 0;
    int n = next_events(events, 0);
    (void)port;
    (void)all;
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (!answered(c, MSG_DONTWAIT))
            continue;
        uint64_t now = now_ns();
        record(now - c->sent_at);
        request(c, now);
        done++;
    }
    return done;
}

static uint64_t pingpong_step(int port, struct connection *all)
{
    (void)port;
    request(all, now_ns());
    while (!answered(all, 0))
        ;
    record(now_ns() - all->sent_at);
    return 1;
}

static uint64_t accept_step(int port, struct connection *all)
{
    struct epoll_event events[EVENTS];
    uint64_t done = 0;
    int n = next_events(events, 0);
    (void)all;
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (!answered(c, MSG_DONTWAIT))
            continue;
        record(now_ns() - c->sent_at);
        close(c->fd);
        connect_one(c, port);
        done++;
    }
    return done;
}

/* Fills each socket's window, then takes what has come back. */
static uint64_t udp_step(int port, struct connection *all)
{
    static struct mmsghdr messages[UDP_WINDOW];
    static struct iovec pieces[UDP_WINDOW];
    static char data[UDP_WINDOW][MESSAGE];
    uint64_t done = 0;
    (void)port;
    for (int i = 0; i < UDP_WINDOW; i++) {
        pieces[i] = (struct iovec){ .iov_base = data[i], .iov_len = MESSAGE };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
    }
    for (struct connection *c = all; c < all + UDP_SOCKETS; c++) {
        int n = recvmmsg(c->fd, messages, UDP_WINDOW, MSG_DONTWAIT, NULL);
        uint64_t now = now_ns();
        if (n > 0) {
            done += (unsigned)n;
            c->got -= (unsigned)n < c->got ? (unsigned)n : c->got;
        } else if (c->got && now - c->sent_at > UDP_LOST) {
            c->got = 0; /* here: datagrams under way */
        }
        if (c->got == UDP_WINDOW)
            continue;
        n = sendmmsg(c->fd, messages, UDP_WINDOW - c->got, 0);
        if (n < 0)
            die("sendmmsg");
        c->got += (unsigned)n;
        c->sent_at = now;
    }
    return done;
}

static uint64_t server_cpu(void)
{
    return clock_ns(server_clock);
}

/* Steps for some seconds; returns the requests. */
static uint64_t steps(step *s, double how_long, int port, struct connection *all)
{
    uint64_t done = 0, until = now_ns() + (uint64_t)(how_long * 1e9);
    while (now_ns() < until)
        done += s(port, all);
    return done;
}

static void measure(step *s, int port, struct connection *all)
{
    uint64_t before = steps(s, seconds * WARM_UP, port, all);
    forget_records();
    uint64_t cpu = server_cpu(), start = now_ns();
    uint64_t done = steps(s, seconds, port, all);
    uint64_t took = now_ns() - start;
    cpu = server_cpu() - cpu;
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"cpu\": %llu, \"median_us\": %.2f, \"p99_us\": %.2f, "
           "\"before\": %llu}\n",
           (unsigned long long)done, (double)took / 1e9, (unsigned long long)cpu, quantile(0.5), quantile(0.99),
           (unsigned long long)before);
}

static void measure_accept(int port)
{
    struct connection all[OPENING] = { { 0 } };
    for (int i = 0; i < OPENING; i++)
        connect_one(&all[i], port);
    measure(accept_step, port, all);
}

static void measure_udp(int port)
{
    struct connection all[UDP_SOCKETS] = { { 0 } };
    for (int i = 0; i < UDP_SOCKETS; i++)
        all[i].fd = open_client(SOCK_DGRAM, port);
    measure(udp_step, port, all);
}

static void idle(int port, int n)
{
    char byte;
    struct connection *all = open_all(port, n);
    printf("{\"connections\": %d}\n", n);
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    free(all);
}

static void send_bytes(int fd, uint64_t bytes)
{
    static char chunk[CHUNK];
    for (ssize_t n; bytes; bytes -= (uint64_t)n)
        if ((n = send(fd, chunk, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL)) <= 0)
            die("send");
}

static uint64_t receive_all(int fd)
{
    static char chunk[CHUNK];
    uint64_t bytes = 0;
    for (ssize_t n; (n = recv(fd, chunk, sizeof chunk, 0)) != 0; bytes += (uint64_t)n)
        if (n < 0)
            die("recv");
    return bytes;
}

/* The request is 16 characters, the operation and the bytes.  A server that has received
 * them all, and one that has sent them, closes the connection. */
static void measure_bulk(int port, uint64_t bytes, char operation)
{
    char text[17];
    int fd = open_client(SOCK_STREAM, port);
    uint64_t cpu = server_cpu(), start = now_ns();
    snprintf(text, sizeof text, "%c%015llu", operation, (unsigned long long)bytes);
    if (send(fd, text, 16, MSG_NOSIGNAL) != 16)
        die("send");
    if (operation == 'r')
        send_bytes(fd, bytes);
    if (receive_all(fd) != (operation == 'r' ? 0 : bytes))
        die("not all has come");
    uint64_t took = now_ns() - start;
    printf("{\"bytes\": %llu, \"seconds\": %.6f, \"cpu\": %llu}\n", (unsigned long long)bytes, (double)took / 1e9,
           (unsigned long long)(server_cpu() - cpu));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 4 ? argv[1] : "";
    int port = argc > 4 ? atoi(argv[2]) : 0;
    const char *extra = argc > 5 ? argv[5] : "1";

    if (argc > 4 && clock_getcpuclockid(atoi(argv[3]), &server_clock) != 0)
        die("clock_getcpuclockid");
    seconds = argc > 4 ? atof(argv[4]) : 0;
    loop = epoll_create1(EPOLL_CLOEXEC);
    if (!strcmp(mode, "echo"))
        measure(echo_step, port, start_all(port, atoi(extra)));
    else if (!strcmp(mode, "pingpong"))
        measure(pingpong_step, port, open_all(port, 1));
    else if (!strcmp(mode, "accept"))
        measure_accept(port);
    else if (!strcmp(mode, "udp"))
        measure_udp(port);
    else if (!strcmp(mode, "idle"))
        idle(port, atoi(extra));
    else if (!strcmp(mode, "bulk"))
        measure_bulk(port, strtoull(argv[4], NULL, 10), *extra);
    else
        return 2;
}
