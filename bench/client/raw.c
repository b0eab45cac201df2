/* raw.c - the yardstick for skt measure: the same load over epoll, as short as it can be written.
 *
 * Each of n connections sends 64 bytes and waits for their echo, which has to be what was sent; the times go into a
 * histogram.  It sleeps where there is nothing to do, as skt measure does.
 *
 * Usage: client-raw PORT SECONDS CONNECTIONS; prints requests, and CPU time in ns. */
#include "../common.h"
#include <errno.h>
#include <sys/epoll.h>

#define MESSAGE 64
#define EVENTS 512

struct connection {
    int fd;
    unsigned got;
    uint64_t sent_at;
    uint64_t request[MESSAGE / sizeof(uint64_t)];
};

static uint64_t histogram[64 * 128], requests;

static void record(uint64_t ns)
{
    unsigned shift = ns < 256 ? 0 : 63 - (unsigned)__builtin_clzll(ns) - 7;
    histogram[shift * 128 + (ns >> shift)]++;
    requests++;
}

static void request(struct connection *c, uint64_t now)
{
    c->request[0]++;
    c->got = 0;
    c->sent_at = now;
    if (send(c->fd, c->request, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
        die("send");
}

static void receive(struct connection *c)
{
    char answer[MESSAGE];
    ssize_t n = recv(c->fd, answer, MESSAGE - c->got, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || memcmp(answer, (char *)c->request + c->got, (size_t)n) != 0)
        die("recv");
    c->got += (unsigned)n;
    if (c->got < MESSAGE)
        return;
    uint64_t now = now_ns();
    record(now - c->sent_at);
    request(c, now);
}

static void open_one(struct connection *c, int loop, int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = c };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("connect");
    no_delay(c->fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    int loop = epoll_create1(EPOLL_CLOEXEC), n = argc > 3 ? atoi(argv[3]) : 1;
    struct connection *all = calloc((size_t)n, sizeof *all);
    if (argc < 4 || !all)
        return 2;
    for (int i = 0; i < n; i++)
        open_one(&all[i], loop, port_argument(argc, argv));
    uint64_t now = now_ns(), end = now + (uint64_t)(atof(argv[2]) * 1e9), cpu = cpu_ns();
    for (int i = 0; i < n; i++)
        request(&all[i], now);
    while (now_ns() < end) {
        int got = epoll_wait(loop, events, EVENTS, 1000);
        for (int i = 0; i < got; i++)
            receive(events[i].data.ptr);
    }
    printf("%llu %llu\n", (unsigned long long)requests, (unsigned long long)(cpu_ns() - cpu));
}
