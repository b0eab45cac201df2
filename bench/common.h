/* common.h - the few lines that every benchmark program in C needs. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the servers read into, in every language. */
#define BUFFER 1024
#define BACKLOG 1024

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The port that a server is given; 0: the system chooses. */
static inline int port_argument(int argc, char **argv)
{
    return argc > 1 ? atoi(argv[1]) : 0;
}

/* Tells bench/run where the server is. */
static inline void print_port(int port)
{
    printf("%d\n", port);
    fflush(stdout);
}

/* A socket on 127.0.0.1, listening if it is a stream, whose port has been printed. */
static inline int open_server(int type, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type, 0), one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, length) < 0)
        die("bind");
    if ((type & SOCK_STREAM) == SOCK_STREAM && listen(fd, BACKLOG) < 0)
        die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        die("getsockname");
    print_port(ntohs(address.sin_port));
    return fd;
}

static inline void no_delay(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static inline uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* CPU time of all threads of this process. */
static inline uint64_t cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* When timer i of n is to expire, in ns from the start: mixed, over the 0.9 s after the
 * first 0.1 s.  The programs in other languages have the same formula. */
static inline uint64_t timer_ns(uint64_t i, uint64_t n)
{
    return 100000000u + i * 7919 % n * 900000000u / n;
}

#endif
