/* test_serve.c - skt_serve: threads and their listeners, families, limits, trouble, and how it stops. */
#include "check.h"
#include "faults.h"
#include "peer.h"
#include "sys.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* This one, to be run again.  (In valgrind /proc/self/exe is another.) */
static const char *program;

/* ---- A server beside the test ---- */

struct serving {
    void (*handler)(skt *conn, void *arg);
    skt_serve_options options;
    skt *server;
    skt_addr addr;
    struct peer peer;
    int result, code;
};

static void serve(void *arg)
{
    struct serving *s = arg;
    s->result = skt_serve(s->server, s->handler, s, &s->options);
    s->code = errno;
}

/* Where a test says nothing else, signals are left alone. */
static void start(struct serving *s)
{
    if (!s->server)
        s->server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK(s->server && skt_getsockname(s->server, &s->addr) == 0);
    start_thread_peer(&s->peer, serve, s);
}

/* Waits for its end, which is to be a good one. */
static void join(struct serving *s)
{
    join_peer(&s->peer);
    if (s->result != 0)
        errno = s->code;
    CHECK_INT(s->result, 0);
    skt_close(s->server);
}

static void stop(struct serving *s)
{
    CHECK_INT(skt_shutdown(s->server, SHUT_RDWR), 0);
    join(s);
}

/* ---- Clients ---- */

static skt *client_of(const struct serving *s)
{
    skt *conn = skt_socket(s->addr.family, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(conn, s->addr), 0);
    return conn;
}

static void expect(skt *conn, const char *text)
{
    char buf[64];
    CHECK_INT(skt_recv(conn, buf, strlen(text), MSG_WAITALL), strlen(text));
    if (memcmp(buf, text, strlen(text)) != 0)
        check_failed(__FILE__, __LINE__, "%.64s came instead of %s", buf, text);
}

static void expect_end(skt *conn)
{
    char byte;
    CHECK_INT(skt_recv(conn, &byte, 1, 0), 0);
}

static void say(skt *conn, const char *text)
{
    CHECK_INT(skt_sendall(conn, text, strlen(text), 0), 0);
}

/* A connection, a word there and back, and the end, which comes when the handler has returned. */
static void talk(const struct serving *s)
{
    skt *conn = client_of(s);
    say(conn, "ping");
    expect(conn, "ping");
    expect_end(conn);
    skt_close(conn);
}

static void echo_once(skt *conn, void *arg)
{
    char buf[64];
    ssize_t n = skt_recv(conn, buf, sizeof buf, 0);
    (void)arg;
    if (n > 0)
        skt_sendall(conn, buf, (size_t)n, 0);
}

static void connection_is_closed_after_its_handler(void)
{
    struct serving s = { .handler = echo_once, .options = { .no_signals = true } };
    start(&s);
    for (int i = 0; i < 10; i++)
        talk(&s);
    stop(&s);
}

/* ---- Threads ---- */

static int seen[64];
static size_t seen_count;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;

static void note_thread(skt *conn, void *arg)
{
    int tid = (int)syscall(SYS_gettid);
    size_t i = 0;
    pthread_mutex_lock(&seen_lock);
    while (i < seen_count && seen[i] != tid)
        i++;
    if (i == seen_count && seen_count < 64)
        seen[seen_count++] = tid;
    pthread_mutex_unlock(&seen_lock);
    echo_once(conn, arg);
}

static size_t threads_seen(void)
{
    pthread_mutex_lock(&seen_lock);
    size_t n = seen_count;
    pthread_mutex_unlock(&seen_lock);
    return n;
}

static void each_thread_has_its_share(void)
{
    for (int threads = 1; threads <= 8; threads *= 2) {
        struct serving s = { .handler = note_thread, .options = { .no_signals = true, .threads = threads } };
        seen_count = 0;
        start(&s);
        do
            talk(&s);
        while (threads_seen() < (size_t)threads);
        for (int i = 0; i < 20; i++)
            talk(&s);
        CHECK_INT(threads_seen(), threads);
        stop(&s);
    }
}

static void a_thread_for_each_core(void)
{
    cpu_set_t set;
    CHECK_INT(sched_getaffinity(0, sizeof set, &set), 0);
    struct serving s = { .handler = note_thread, .options = { .no_signals = true } };
    seen_count = 0;
    start(&s);
    do
        talk(&s);
    while (threads_seen() < (size_t)CPU_COUNT(&set));
    stop(&s);
    CHECK_INT(threads_seen(), CPU_COUNT(&set));
}

/* ---- Families ---- */

static void ip_version_6(void)
{
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    struct serving s = { .handler = note_thread, .options = { .no_signals = true, .threads = 2 } };
    s.server = skt_create_server(skt_inet6("::1", 0, 0, 0), NULL);
    seen_count = 0;
    start(&s);
    do
        talk(&s);
    while (threads_seen() < 2);
    stop(&s);
}

/* Every listener takes both. */
static void dual_stack(void)
{
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    struct serving s = { .handler = note_thread, .options = { .no_signals = true, .threads = 3 } };
    s.server = skt_create_server(skt_name("", 0), NULL);
    start(&s);
    int port = skt_port(&s.addr);
    skt_addr addresses[] = { skt_inet6("::1", port, 0, 0), skt_inet("127.0.0.1", port) };
    for (int i = 0; i < 2; i++) {
        s.addr = addresses[i];
        seen_count = 0;
        do
            talk(&s);
        while (threads_seen() < 3);
    }
    stop(&s);
}

/* Those who bound an IPv6 address to IPv6 only have it so on every thread. */
static void only_ip_version_6(void)
{
    if (!has_ipv6())
        SKIP("this machine has no IPv6");
    struct serving s = { .handler = note_thread, .options = { .no_signals = true, .threads = 2 } };
    s.server = skt_create_server(skt_inet6("", 0, 0, 0), NULL);
    seen_count = 0;
    start(&s);
    int port = skt_port(&s.addr);
    s.addr = skt_inet6("::1", port, 0, 0);
    do
        talk(&s);
    while (threads_seen() < 2);
    skt *conn = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_connect(conn, skt_inet("127.0.0.1", port)), ECONNREFUSED);
    skt_close(conn);
    stop(&s);
}

/* Holds its whole thread, as a handler should not, until it is let go. */
static int held, letting_go;

static void hold_the_thread(skt *conn, void *arg)
{
    uint64_t count;
    CHECK_INT(write(held, &(uint64_t){ 1 }, 8), 8);
    CHECK_INT(read(letting_go, &count, 8), 8);
    echo_once(conn, arg);
}

static void begin_holding(void)
{
    held = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    letting_go = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    CHECK(held >= 0 && letting_go >= 0);
}

static void wait_until_held(void)
{
    uint64_t count;
    CHECK_INT(read(held, &count, 8), 8);
}

static void let_go(uint64_t how_many)
{
    CHECK_INT(write(letting_go, &how_many, 8), 8);
}

static void end_holding(void)
{
    close(held);
    close(letting_go);
}

/* AF_UNIX has no SO_REUSEPORT: when one thread is busy, the other takes the next connection. */
static void unix_listener_is_shared(void)
{
    struct serving s = { .handler = hold_the_thread, .options = { .no_signals = true, .threads = 3 } };
    skt *conns[3];
    s.server = skt_create_server(skt_unix(""), NULL);
    begin_holding();
    start(&s);
    for (int i = 0; i < 3; i++) {
        conns[i] = client_of(&s);
        say(conns[i], "ping");
        wait_until_held();
    }
    let_go(3);
    for (int i = 0; i < 3; i++) {
        expect(conns[i], "ping");
        expect_end(conns[i]);
        skt_close(conns[i]);
    }
    stop(&s);
    end_holding();
}

/* ---- In a task ---- */

static void talk_and_stop(void *arg)
{
    struct serving *s = arg;
    for (int i = 0; i < 20; i++)
        talk(s);
    CHECK_INT(skt_shutdown(s->server, SHUT_RDWR), 0);
}

static void serve_as_a_task(void *arg)
{
    struct serving *s = arg;
    CHECK_INT(skt_go(talk_and_stop, s), 0);
    serve(s);
}

static void serve_in_a_task(int threads)
{
    struct serving s = { .handler = echo_once, .options = { .no_signals = true, .threads = threads } };
    s.server = local_server(&s.addr);
    CHECK_INT(skt_run(serve_as_a_task, &s), 0);
    CHECK_INT(s.result, 0);
    skt_close(s.server);
}

static void called_in_a_task(void)
{
    serve_in_a_task(1);
    serve_in_a_task(3);
}

/* Two servers, tasks of one thread: each has its own handler and argument. */
static void echo_at_its_own(skt *conn, void *arg)
{
    struct serving *s = arg;
    skt_addr addr;
    CHECK(skt_getsockname(conn, &addr) == 0 && skt_port(&addr) == skt_port(&s->addr));
    echo_once(conn, arg);
}

static void two_in_one_thread(void *arg)
{
    struct serving *s = arg;
    CHECK_INT(skt_go(serve_as_a_task, &s[0]), 0);
    CHECK_INT(skt_go(serve_as_a_task, &s[1]), 0);
}

static void two_at_once_in_tasks(void)
{
    struct serving s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = (struct serving){ .handler = echo_at_its_own, .options = { .no_signals = true, .threads = 1 } };
        s[i].server = local_server(&s[i].addr);
    }
    CHECK_INT(skt_run(two_in_one_thread, s), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(s[i].result, 0);
        skt_close(s[i].server);
    }
}

/* A task that serves is cancelled: everything ends at once, and the thread's other tasks run meanwhile. */
static void wait_for_ever(skt *conn, void *arg)
{
    struct serving *s = arg;
    char byte;
    while (skt_recv(conn, &byte, 1, 0) > 0)
        skt_sendall(conn, &byte, 1, 0);
    __atomic_store_n(&s->code, errno, __ATOMIC_RELAXED);
}

static void serve_only(void *arg)
{
    struct serving *s = arg;
    int result = skt_serve(s->server, s->handler, s, &s->options);
    s->result = result;
}

static void serve_in_a_group(void *arg)
{
    struct serving *s = arg;
    skt_group *g = skt_group_new();
    CHECK_INT(skt_group_go(g, serve_only, s), 0);
    skt *conns[8];
    for (int i = 0; i < 8; i++) {
        conns[i] = client_of(s);
        say(conns[i], "x");
        expect(conns[i], "x");
    }
    CHECK_INT(skt_group_close(g), 0);
    for (int i = 0; i < 8; i++) {
        expect_end(conns[i]);
        skt_close(conns[i]);
    }
}

static void cancelled_as_a_task(void)
{
    for (int threads = 1; threads <= 4; threads *= 4) {
        struct serving s = { .handler = wait_for_ever,
                             .options = { .no_signals = true, .threads = threads, .grace = SKT_NO_TIMEOUT } };
        s.server = local_server(&s.addr);
        s.result = 1;
        CHECK_INT(skt_run(serve_in_a_group, &s), 0);
        CHECK_INT(s.result, 0);
        CHECK_INT(s.code, ECANCELED);
        skt_close(s.server);
    }
}

/* ---- Options ---- */

static void tell_nodelay(skt *conn, void *arg)
{
    int on = -1;
    (void)arg;
    CHECK_INT(skt_getsockopt_int(conn, IPPROTO_TCP, TCP_NODELAY, &on), 0);
    skt_sendall(conn, on ? "on!" : "off", 3, 0);
}

static void nodelay(void)
{
    for (int off = 0; off < 2; off++) {
        struct serving s = { .handler = tell_nodelay,
                             .options = { .no_signals = true, .threads = 2, .no_nodelay = off } };
        start(&s);
        for (int i = 0; i < 10; i++) {
            skt *conn = client_of(&s);
            expect(conn, off ? "off" : "on!");
            skt_close(conn);
        }
        stop(&s);
    }
}

static void never(skt *conn, void *arg)
{
    (void)conn;
    (void)arg;
    CHECK(!"a handler was called");
}

static void refused(skt *server, skt_serve_options options, int code)
{
    CHECK_ERRNO(skt_serve(server, never, NULL, &options), code);
    CHECK_INT(skt_error_record()->domain, code == EBADF ? SKT_ERROR_SYSTEM : SKT_ERROR_ARGUMENT);
    CHECK(!strncmp(skt_strerror(), "serve", 5) || !strncmp(skt_strerror(), "run", 3));
}

static void bad_options(void)
{
    skt_addr addr;
    skt *server = local_server(&addr);
    refused(server, (skt_serve_options){ .threads = -1 }, EINVAL);
    refused(server, (skt_serve_options){ .threads = 65 }, EINVAL);
    refused(server, (skt_serve_options){ .max_connections = -1 }, EINVAL);
    refused(server, (skt_serve_options){ .grace = -2 }, EINVAL);
    refused(server, (skt_serve_options){ .grace = 1e300 }, EINVAL);
    refused(server, (skt_serve_options){ .stack_size = 1 }, EINVAL);
    refused(server, (skt_serve_options){ .spin = 2 }, EINVAL);
    refused(server, (skt_serve_options){ .spin = -1 }, EINVAL);
    CHECK_ERRNO(skt_serve(server, NULL, NULL, NULL), EFAULT);
    skt_settimeout(server, 0);
    refused(server, (skt_serve_options){ 0 }, EINVAL);
    skt_close(server);
    refused(server, (skt_serve_options){ 0 }, EBADF);
    errno = EDOM;
    CHECK_ERRNO(skt_serve(NULL, never, NULL, NULL), 0);
}

/* What no client can ever connect to is no server. */
static void not_a_listener(void)
{
    skt *pair[2], *s = skt_socket(AF_INET, SOCK_STREAM, 0);
    refused(s, (skt_serve_options){ 0 }, EINVAL);
    CHECK(strstr(skt_strerror(), "listen") != NULL);
    CHECK_INT(skt_bind(s, skt_inet("127.0.0.1", 0)), 0);
    refused(s, (skt_serve_options){ 0 }, EINVAL);
    skt_close(s);
    s = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(s, skt_inet("127.0.0.1", 0)), 0);
    refused(s, (skt_serve_options){ 0 }, EINVAL);
    skt_close(s);
    tcp_pair(pair);
    refused(pair[1], (skt_serve_options){ 0 }, EINVAL);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* ---- max_connections ---- */

static int open_now, open_most;

static void count_open(skt *conn, void *arg)
{
    int now = __atomic_add_fetch(&open_now, 1, __ATOMIC_SEQ_CST), most = __atomic_load_n(&open_most, __ATOMIC_SEQ_CST);
    while (now > most &&
           !__atomic_compare_exchange_n(&open_most, &most, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    echo_once(conn, arg);
    __atomic_sub_fetch(&open_now, 1, __ATOMIC_SEQ_CST);
}

/* Whoever finds no room waits, whichever thread's listener it is at, and is served when one ends. */
static void nobody_is_lost(int threads, int most)
{
    enum { CLIENTS = 24 };
    struct serving s = { .handler = count_open,
                         .options = { .no_signals = true, .threads = threads, .max_connections = most } };
    open_most = 0;
    start(&s);
    for (int round = 0; round < 20; round++) {
        skt *conns[CLIENTS];
        for (int i = 0; i < CLIENTS; i++)
            conns[i] = client_of(&s);
        for (int i = 0; i < CLIENTS; i++)
            say(conns[i], "ping");
        for (int i = 0; i < CLIENTS; i++) {
            expect(conns[i], "ping");
            expect_end(conns[i]);
            skt_close(conns[i]);
        }
    }
    stop(&s);
    CHECK(open_most >= 1 && open_most <= most);
}

static void most_connections(void)
{
    nobody_is_lost(1, 1);
    nobody_is_lost(1, 3);
    nobody_is_lost(2, 1);
    nobody_is_lost(4, 2);
}

/* The room of one that ends on one thread serves one who waits at another. */
static void room_for_the_other_thread(void)
{
    struct serving s = { .handler = note_thread,
                         .options = { .no_signals = true, .threads = 4, .max_connections = 1 } };
    seen_count = 0;
    start(&s);
    do {
        skt *first = client_of(&s), *second = client_of(&s);
        say(first, "ping");
        say(second, "ping");
        expect(first, "ping");
        expect(second, "ping");
        skt_close(first);
        skt_close(second);
    } while (threads_seen() < 4);
    stop(&s);
}

/* ---- Out of descriptors ---- */

static int accepts, lines;
static char last_line[512];
static int (*real_accept4)(int fd, struct sockaddr *sa, socklen_t *len, int flags);

static int count_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    __atomic_add_fetch(&accepts, 1, __ATOMIC_RELAXED);
    return real_accept4(fd, sa, len, flags);
}

static void note_line(const char *line, void *arg)
{
    (void)arg;
    snprintf(last_line, sizeof last_line, "%s", line);
    __atomic_add_fetch(&lines, 1, __ATOMIC_RELEASE);
}

static void echo_all(skt *conn, void *arg)
{
    char buf[64];
    ssize_t n;
    (void)arg;
    while ((n = skt_recv(conn, buf, sizeof buf, 0)) > 0 && skt_sendall(conn, buf, (size_t)n, 0) == 0)
        ;
}

/* The clients are another process, which tells by a byte what is to happen: nothing here takes its descriptors. */
static void server_with_few_descriptors(skt *server, int threads, int out)
{
    struct serving s = { .handler = echo_all, .server = server };
    s.options = (skt_serve_options){ .threads = threads, .log = note_line, .grace = 0.01 };
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    real_accept4 = skti_sys.accept4;
    skti_sys.accept4 = count_accept4;
    serve(&s);
    CHECK_INT(s.result, 0);
    int told[2] = { lines, accepts };
    CHECK(lines == 0 || strstr(last_line, "accept") != NULL);
    CHECK_INT(write(out, told, sizeof told), sizeof told);
    fflush(NULL);
    _exit(0);
}

static bool answers(skt *conn, double seconds)
{
    char byte;
    CHECK_INT(skt_settimeout(conn, seconds), 0);
    ssize_t n = skt_recv(conn, &byte, 1, 0);
    CHECK(n == 1 || (n < 0 && skt_timed_out()));
    CHECK_INT(skt_settimeout(conn, SKT_NO_TIMEOUT), 0);
    return n == 1;
}

/* valgrind counts descriptors itself, and closes the connection that is one too many. */
static bool in_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "valgrind");
}

static void out_of_descriptors(int threads)
{
    if (in_valgrind())
        SKIP("valgrind has a limit of its own");
    enum { MANY = 100 };
    struct serving s = { .handler = NULL };
    skt *conns[MANY];
    int out[2], told[2], status, served = 0;
    bool answered[MANY] = { false };
    s.server = local_server(&s.addr);
    CHECK_INT(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        server_with_few_descriptors(s.server, threads, out[1]);
    }
    close(out[1]);
    for (int i = 0; i < MANY; i++) {
        conns[i] = client_of(&s);
        say(conns[i], "x");
    }
    /* Until nobody more is answered: each that is, is looked for again and again, for as long as one comes. */
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < MANY; i++) {
            if (!answered[i] && answers(conns[i], 0.01)) {
                answered[i] = more = true;
                served++;
            }
        }
    }
    CHECK(served > 30 && served < 64);
    /* Each that ends lets another in, at once: none waits in vain. */
    for (int ended = 0; served < MANY; ended++) {
        CHECK(ended < MANY);
        if (!answered[ended])
            continue;
        skt_close(conns[ended]);
        conns[ended] = NULL;
        struct pollfd fds[MANY];
        int n = 0, which[MANY];
        for (int i = 0; i < MANY; i++) {
            if (conns[i] && !answered[i]) {
                which[n] = i;
                fds[n++] = (struct pollfd){ .fd = skt_fileno(conns[i]), .events = POLLIN };
            }
        }
        CHECK(poll(fds, (nfds_t)n, -1) > 0);
        for (int i = 0; i < n; i++) {
            if (fds[i].revents) {
                expect(conns[which[i]], "x");
                answered[which[i]] = true;
                served++;
            }
        }
    }
    CHECK_INT(kill(child, SIGTERM), 0);
    CHECK_INT(read(out[0], told, sizeof told), sizeof told);
    close(out[0]);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < MANY; i++)
        skt_close(conns[i]);
    skt_close(s.server);
    printf("# %d threads: %d lines, %d calls of accept for %d connections\n", threads, told[0], told[1], MANY);
    CHECK_INT(told[0], 1);
    CHECK(told[1] < 20 * MANY);
}

static void out_of_descriptors_on_one_thread(void)
{
    out_of_descriptors(1);
}

static void out_of_descriptors_on_three(void)
{
    out_of_descriptors(3);
}

/* ---- Stopping ---- */

static void by_signal(int signo)
{
    struct serving s = { .handler = echo_once, .options = { .threads = 2 } };
    signal(signo, SIG_DFL); /* a shell's background job ignores SIGINT */
    start(&s);
    talk(&s);
    CHECK_INT(kill(getpid(), signo), 0);
    join(&s);
}

static void by_signals(void)
{
    by_signal(SIGTERM);
    by_signal(SIGINT);
}

static void by_closing(void)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct serving s = { .handler = echo_once, .options = { .no_signals = true, .threads = threads } };
        start(&s);
        talk(&s);
        CHECK_INT(skt_close(s.server), 0);
        join_peer(&s.peer);
        CHECK_INT(s.result, 0);
    }
}

static void close_server(skt *conn, void *arg)
{
    struct serving *s = arg;
    echo_once(conn, arg);
    CHECK_INT(skt_close(s->server), 0);
}

static void shut_server_down(skt *conn, void *arg)
{
    struct serving *s = arg;
    echo_once(conn, arg);
    CHECK_INT(skt_shutdown(s->server, SHUT_RDWR), 0);
}

static void by_a_handler(void)
{
    void (*handlers[])(skt *, void *) = { close_server, shut_server_down };
    for (int i = 0; i < 4; i++) {
        struct serving s = { .handler = handlers[i % 2], .options = { .no_signals = true, .threads = i < 2 ? 1 : 3 } };
        start(&s);
        talk(&s);
        join_peer(&s.peer);
        CHECK_INT(s.result, 0);
        if (i % 2)
            skt_close(s.server);
    }
}

/* Also while max_connections are open, which may be for long. */
static void when_full(void)
{
    for (int i = 0; i < 4; i++) {
        struct serving s = { .handler = echo_all,
                             .options = {
                                 .no_signals = true, .threads = i < 2 ? 1 : 3, .max_connections = 1, .grace = 0.01 } };
        start(&s);
        skt *first = client_of(&s);
        say(first, "ping");
        expect(first, "ping"); /* the place is taken: another thread might accept the second first */
        skt *second = client_of(&s);
        CHECK_INT(i % 2 ? skt_close(s.server) : skt_shutdown(s.server, SHUT_RDWR), 0);
        join_peer(&s.peer);
        CHECK_INT(s.result, 0);
        if (i % 2 == 0)
            skt_close(s.server);
        skt_close(first);
        skt_close(second);
    }
}

/* Who has connected is served, though the server learns of them only after it was told to stop. */
static void queued_are_served(int threads, void (*tell)(struct serving *s))
{
    enum { QUEUED = 6 };
    struct serving s = { .handler = hold_the_thread, .options = { .threads = threads } };
    skt *conns[QUEUED + 64];
    int n = 0;
    begin_holding();
    start(&s);
    /* Each thread is kept busy by one that it is serving. */
    for (int busy = 0; busy < threads;) {
        conns[n] = client_of(&s);
        say(conns[n++], "ping");
        CHECK(n <= 64);
        struct pollfd fd = { .fd = held, .events = POLLIN };
        if (poll(&fd, 1, 100) > 0) {
            wait_until_held();
            busy++;
        }
    }
    for (int i = 0; i < QUEUED; i++) {
        conns[n] = client_of(&s);
        say(conns[n++], "ping");
    }
    tell(&s);
    let_go((uint64_t)n);
    for (int i = 0; i < n; i++) {
        expect(conns[i], "ping");
        expect_end(conns[i]);
        skt_close(conns[i]);
    }
    join(&s);
    end_holding();
}

static void tell_by_signal(struct serving *s)
{
    (void)s;
    CHECK_INT(kill(getpid(), SIGTERM), 0);
}

static void tell_by_closing(struct serving *s)
{
    CHECK_INT(skt_close(s->server), 0);
    s->server = NULL;
}

static void the_queued_are_served(void)
{
    queued_are_served(1, tell_by_signal);
    queued_are_served(2, tell_by_signal);
    queued_are_served(1, tell_by_closing);
    queued_are_served(2, tell_by_closing);
}

/* A limit keeps nobody out who has connected in time. */
static void the_queued_are_served_within_the_limit(void)
{
    enum { QUEUED = 6 };
    for (int threads = 1; threads <= 3; threads += 2) {
        struct serving s = { .handler = count_open,
                             .options = { .threads = threads, .max_connections = 1, .grace = SKT_NO_TIMEOUT } };
        skt *first, *conns[QUEUED];
        open_now = open_most = 0;
        start(&s);
        first = client_of(&s);
        while (__atomic_load_n(&open_now, __ATOMIC_SEQ_CST) == 0)
            sched_yield();
        for (int i = 0; i < QUEUED; i++) {
            conns[i] = client_of(&s);
            say(conns[i], "ping");
        }
        CHECK_INT(kill(getpid(), SIGTERM), 0);
        say(first, "ping");
        expect(first, "ping");
        skt_close(first);
        for (int i = 0; i < QUEUED; i++) {
            expect(conns[i], "ping");
            expect_end(conns[i]);
            skt_close(conns[i]);
        }
        join(&s);
        CHECK_INT(open_most, 1);
    }
}

/* ---- The grace ---- */

static int failures;

/* Keeps on trying, until it has seen often enough that every call fails. */
static void be_stubborn(skt *conn, void *arg)
{
    char byte;
    echo_once(conn, arg);
    for (int i = 0; i < 3; i++) {
        CHECK_ERRNO(skt_recv(conn, &byte, 1, 0), ECANCELED);
        __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
    }
}

static void the_grace_ends(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct serving s = { .handler = be_stubborn,
                             .options = { .no_signals = true, .threads = threads, .grace = 0.02 } };
        skt *conn;
        failures = 0;
        start(&s);
        conn = client_of(&s);
        say(conn, "ping");
        expect(conn, "ping");
        stop(&s);
        CHECK_INT(failures, 3);
        expect_end(conn);
        skt_close(conn);
    }
}

/* While it lasts a handler goes on as if nothing had happened. */
static void the_grace_is_given(void)
{
    struct serving s = { .handler = echo_all, .options = { .threads = 2, .grace = SKT_NO_TIMEOUT } };
    skt *conn;
    start(&s);
    conn = client_of(&s);
    say(conn, "ping");
    expect(conn, "ping");
    CHECK_INT(kill(getpid(), SIGTERM), 0);
    for (int i = 0; i < 100; i++) {
        say(conn, "more");
        expect(conn, "more");
    }
    skt_close(conn);
    join(&s);
}

/* Each of these alone would leave the handler all the time in the world. */
static void a_second_signal_ends_it(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct serving s = { .handler = be_stubborn, .options = { .threads = threads, .grace = SKT_NO_TIMEOUT } };
        skt *conn;
        failures = 0;
        start(&s);
        conn = client_of(&s);
        say(conn, "ping");
        expect(conn, "ping");
        CHECK_INT(kill(getpid(), SIGTERM), 0);
        CHECK_INT(kill(getpid(), SIGINT), 0);
        join(&s);
        CHECK_INT(failures, 3);
        skt_close(conn);
    }
}

/* ---- Whose signals they are ---- */

static int caught;

static void on_signal(int signo)
{
    __atomic_store_n(&caught, signo, __ATOMIC_SEQ_CST);
}

static void (*handler_of(int signo))(int)
{
    struct sigaction action;
    CHECK_INT(sigaction(signo, NULL, &action), 0);
    return action.sa_handler;
}

static void the_programs_own_are_left(void)
{
    struct sigaction own = { .sa_handler = on_signal }, before[2];
    struct serving s = { .handler = echo_once, .options = { .threads = 1 } };
    CHECK_INT(sigaction(SIGTERM, &own, &before[0]), 0);
    CHECK_INT(sigaction(SIGINT, &(struct sigaction){ .sa_handler = SIG_IGN }, &before[1]), 0);
    start(&s);
    talk(&s);
    CHECK(handler_of(SIGTERM) == on_signal && handler_of(SIGINT) == SIG_IGN);
    CHECK_INT(kill(getpid(), SIGTERM), 0);
    CHECK_INT(kill(getpid(), SIGINT), 0);
    while (__atomic_load_n(&caught, __ATOMIC_SEQ_CST) != SIGTERM)
        sched_yield();
    talk(&s);
    stop(&s);
    CHECK(handler_of(SIGTERM) == on_signal && handler_of(SIGINT) == SIG_IGN);
    CHECK_INT(sigaction(SIGTERM, &before[0], NULL), 0);
    CHECK_INT(sigaction(SIGINT, &before[1], NULL), 0);
}

static void they_are_given_back(void)
{
    struct serving s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = (struct serving){ .handler = echo_once, .options = { .threads = 1 } };
        start(&s[i]);
        talk(&s[i]);
        CHECK(handler_of(SIGTERM) != SIG_DFL && handler_of(SIGINT) != SIG_DFL);
    }
    stop(&s[0]);
    CHECK(handler_of(SIGTERM) != SIG_DFL && handler_of(SIGINT) != SIG_DFL);
    stop(&s[1]);
    CHECK(handler_of(SIGTERM) == SIG_DFL && handler_of(SIGINT) == SIG_DFL);
}

static void a_signal_is_for_all_servers(void)
{
    struct serving s[3];
    for (int i = 0; i < 3; i++) {
        s[i] = (struct serving){ .handler = echo_once, .options = { .threads = 1 + i } };
        start(&s[i]);
        talk(&s[i]);
    }
    CHECK_INT(kill(getpid(), SIGINT), 0);
    for (int i = 0; i < 3; i++)
        join(&s[i]);
    CHECK(handler_of(SIGTERM) == SIG_DFL && handler_of(SIGINT) == SIG_DFL);
}

/* What the program has put there meanwhile stays. */
static void what_came_later_stays(void)
{
    struct serving s = { .handler = echo_once, .options = { .threads = 1 } };
    struct sigaction own = { .sa_handler = on_signal };
    start(&s);
    talk(&s);
    CHECK_INT(sigaction(SIGTERM, &own, NULL), 0);
    stop(&s);
    CHECK(handler_of(SIGTERM) == on_signal && handler_of(SIGINT) == SIG_DFL);
    CHECK(signal(SIGTERM, SIG_DFL) == on_signal);
}

static void no_signals(void)
{
    struct serving s = { .handler = echo_once, .options = { .threads = 1, .no_signals = true } };
    start(&s);
    talk(&s);
    CHECK(handler_of(SIGTERM) == SIG_DFL && handler_of(SIGINT) == SIG_DFL);
    stop(&s);
}

/* ---- Again ---- */

/* The listener is still the caller's, and those who connect between two times wait in its queue. */
static void served_again(void)
{
    struct serving s = { .handler = echo_once, .options = { .threads = 3 } };
    for (int i = 0; i < 5; i++) {
        start(&s);
        talk(&s);
        CHECK_INT(kill(getpid(), SIGTERM), 0);
        join_peer(&s.peer);
        CHECK_INT(s.result, 0);
    }
    skt_close(s.server);
}

/* ---- Faults ---- */

/* A client without the library, since that fails on purpose: tries until it was served or the server has ended. */
static volatile bool over;

static bool raw_talk(const struct serving *s)
{
    socklen_t len;
    const struct sockaddr *sa = skt_addr_sockaddr(&s->addr, &len);
    char byte = 'x';
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    bool ok = connect(fd, sa, len) == 0 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1;
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    while (ok && poll(&poll_fd, 1, 5) == 0)
        if (__atomic_load_n(&over, __ATOMIC_SEQ_CST))
            break;
    ok = ok && recv(fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x';
    close(fd);
    return ok;
}

static void talk_until_served(void *arg)
{
    struct serving *s = arg;
    int fd = skt_fileno(s->server);
    while (!raw_talk(s) && !__atomic_load_n(&over, __ATOMIC_SEQ_CST))
        ;
    shutdown(fd, SHUT_RDWR);
}

/* What happens when the nth call fails: a failure is told, or it is got over; nothing stays behind. */
static bool with_fault(size_t n, int call, int code, int threads)
{
    struct serving s = { .handler = echo_once };
    s.options = (skt_serve_options){ .threads = threads, .log = note_line, .grace = 0.01 };
    s.server = local_server(&s.addr);
    long before = fault_allocations();
    struct peer peer;
    over = false;
    start_thread_peer(&peer, talk_until_served, &s);
    faults_arm(n, call, code, false);
    serve(&s);
    faults_disarm();
    __atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
    join_peer(&peer);
    CHECK(s.result == 0 || (s.result == -1 && s.code != 0));
    if (s.result < 0)
        CHECK(strlen(skt_strerror()) > 5 && skt_error_record()->code == s.code);
    CHECK(fault_allocations() - before <= 8);
    skt_close(s.server);
    return fault_happened();
}

static void every_call_fails(int threads)
{
    static const int calls[] = { F_malloc,          F_calloc,       F_realloc,     F_eventfd,
                                 F_socket,          F_bind,         F_listen,      F_getsockname,
                                 F_getsockopt,      F_setsockopt,   F_dup_cloexec, F_accept4,
                                 F_set_nonblocking, F_start_thread, F_read,        F_close };
    faults_install();
    with_fault(0, F_NONE, 0, threads);
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        for (const int *code = fault_codes(calls[c]); *code; code++) {
            /* The first, second ... of its kind: found by a run in which none fails. */
            for (size_t n = 1, left = 12; n < 200 && left > 0; n++) {
                if (fault_call_at(n) != calls[c])
                    continue;
                left--;
                if (!with_fault(n, calls[c], *code, threads))
                    break;
            }
            with_fault(0, F_NONE, 0, threads);
        }
    }
    faults_remove();
}

static void faults_on_one_thread(void)
{
    every_call_fails(1);
}

static void faults_on_two(void)
{
    every_call_fails(2);
}

/* ---- LISTEN_FDS ---- */

/* The child's part: descriptor 3 is a pipe, 4 the wanted listener, 5 another one, 6 the wanted address again
 * (SO_REUSEPORT). */
static int serve_listen_fds(const char *port)
{
    skt_server_options options = { .listen_fds = true };
    struct serving s = { .handler = echo_once, .options = { .threads = 2 } };
    s.server = skt_create_server(skt_inet("127.0.0.1", atoi(port)), &options);
    CHECK(s.server && skt_fileno(s.server) == 4);
    CHECK_INT(fcntl(4, F_GETFD), FD_CLOEXEC);
    CHECK_INT(fcntl(6, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(3, F_GETFD) == 0 && fcntl(5, F_GETFD) == 0);
    CHECK_INT(skt_getsockname(s.server, &s.addr), 0);
    serve(&s);
    CHECK_INT(s.result, 0);
    skt_close(s.server);
    CHECK(fcntl(4, F_GETFD) < 0 && fcntl(6, F_GETFD) < 0);
    CHECK(fcntl(3, F_GETFD) == 0 && fcntl(5, F_GETFD) == 0);
    CHECK(!(fcntl(5, F_GETFL) & O_NONBLOCK));
    /* Descriptor 5 is for a later call; what has been taken is not taken again. */
    skt_addr addr;
    skt *five = skt_fromfd(dup(5));
    CHECK_INT(skt_getsockname(five, &addr), 0);
    skt_close(five);
    five = skt_create_server(addr, &options);
    CHECK(five && skt_fileno(five) == 5);
    skt_close(five);
    return 0;
}

/* Of another process: its parent's, for instance, who has not been told of by exec. */
static int ignore_listen_fds(const char *port)
{
    skt_server_options options = { .listen_fds = true };
    CHECK_ERRNO(skt_create_server(skt_inet("127.0.0.1", atoi(port)), &options), EADDRINUSE);
    for (int fd = 3; fd <= 6; fd++)
        CHECK_INT(fcntl(fd, F_GETFD), 0);
    skt *s = skt_create_server(skt_inet("127.0.0.1", 0), &options);
    CHECK(s && skt_fileno(s) > 6);
    skt_close(s);
    return 0;
}

static skt *reusable_listener(int port, skt_addr *addr)
{
    skt *s = skt_create_server(skt_inet("127.0.0.1", port), &(skt_server_options){ .reuse_port = true });
    CHECK(s && skt_getsockname(s, addr) == 0);
    return s;
}

/* Execs this program again with listeners as a service manager gives them. */
static pid_t start_with_listen_fds(const char *role, skt *const *fds, int port, pid_t pid)
{
    char text[16], id[16];
    snprintf(text, sizeof text, "%d", port);
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int far[4], ends[2];
    CHECK_INT(pipe(ends), 0);
    far[0] = fcntl(ends[0], F_DUPFD, 100);
    for (int i = 0; i < 3; i++)
        far[i + 1] = fcntl(skt_fileno(fds[i]), F_DUPFD, 100);
    for (int i = 0; i < 4; i++)
        CHECK_INT(dup2(far[i], 3 + i), 3 + i);
    for (int fd = 7; fd < 200; fd++)
        close(fd);
    snprintf(id, sizeof id, "%d", (int)(pid ? pid : getpid()));
    setenv("LISTEN_PID", id, 1);
    setenv("LISTEN_FDS", "4", 1);
    execl(program, program, role, text, (char *)NULL);
    _exit(127);
}

static void listen_fds(void)
{
    struct serving s = { .handler = NULL };
    skt_addr other;
    skt *fds[3] = { reusable_listener(0, &s.addr), local_server(&other) };
    fds[2] = reusable_listener(skt_port(&s.addr), &s.addr);
    int status;
    pid_t child = start_with_listen_fds("listen_fds", fds, skt_port(&s.addr), 0);
    for (int i = 0; i < 40; i++)
        talk(&s);
    CHECK_INT(kill(child, SIGTERM), 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 3; i++)
        skt_close(fds[i]);
}

static void listen_fds_of_another(void)
{
    skt_addr addr, other;
    skt *fds[3] = { local_server(&addr), local_server(&other), local_server(&other) };
    int status;
    pid_t child = start_with_listen_fds("ignore_listen_fds", fds, skt_port(&addr), getpid());
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 3; i++)
        skt_close(fds[i]);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "a connection is closed when its handler returns", connection_is_closed_after_its_handler },
        { "threads: each has a listener and its share", each_thread_has_its_share },
        { "threads: one for each core", a_thread_for_each_core },
        { "IPv6", ip_version_6 },
        { "IPv6 and IPv4 at one port, on every thread", dual_stack },
        { "IPv6 only, on every thread", only_ip_version_6 },
        { "AF_UNIX: the threads share the listener", unix_listener_is_shared },
        { "in a task", called_in_a_task },
        { "in a task: two servers side by side", two_at_once_in_tasks },
        { "in a task that is cancelled", cancelled_as_a_task },
        { "TCP_NODELAY, and no_nodelay", nodelay },
        { "bad options", bad_options },
        { "what does not listen is refused", not_a_listener },
        { "max_connections: nobody is lost", most_connections },
        { "max_connections: room for another thread's clients", room_for_the_other_thread },
        { "out of descriptors: one thread", out_of_descriptors_on_one_thread },
        { "out of descriptors: three threads", out_of_descriptors_on_three },
        { "stop: SIGTERM, SIGINT", by_signals },
        { "stop: skt_close of the listener", by_closing },
        { "stop: when there is no room", when_full },
        { "stop: by a handler", by_a_handler },
        { "stop: who has connected is served", the_queued_are_served },
        { "stop: who has connected is served, within max_connections", the_queued_are_served_within_the_limit },
        { "grace: ECANCELED when it is over", the_grace_ends },
        { "grace: handlers go on in it", the_grace_is_given },
        { "grace: a second signal ends it", a_second_signal_ends_it },
        { "signals: the program's own are left alone", the_programs_own_are_left },
        { "signals: given back by the last server", they_are_given_back },
        { "signals: one is for all servers", a_signal_is_for_all_servers },
        { "signals: what the program has set meanwhile stays", what_came_later_stays },
        { "signals: no_signals", no_signals },
        { "served again after a stop", served_again },
        { "faults: every call, one thread", faults_on_one_thread },
        { "faults: every call, two threads", faults_on_two },
        { "LISTEN_FDS", listen_fds },
        { "LISTEN_FDS of another process", listen_fds_of_another },
    };
    program = argv[0];
    if (argc > 2 && !strcmp(argv[1], "listen_fds"))
        return serve_listen_fds(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "ignore_listen_fds"))
        return ignore_listen_fds(argv[2]);
    if (under_qemu()) {
        puts(
            "1..0 # SKIP under qemu-user, which does not know TCP_INFO, and whose threads' connects fail now and then");
        return 0;
    }
    return RUN_CASES_ON_THREAD(cases);
}
