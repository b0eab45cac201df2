/* peer.c - the other end of a test: see peer.h. */
#include "peer.h"
#include "check.h"
#include "sys.h"
#include "task.h"
#include "wait.h"
#include <netdb.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static unsigned started;

unsigned peers_started(void)
{
    return __atomic_exchange_n(&started, 0, __ATOMIC_RELAXED);
}

static const struct skti_reason for_the_peer = { "for a test's peer", NULL };

static void *run_thread(void *arg)
{
    struct peer *peer = arg;
    __atomic_store_n(&peer->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    peer->run(peer->arg);
    __atomic_store_n(&peer->ended, true, __ATOMIC_RELEASE);
    return NULL;
}

static void run_task(void *arg)
{
    struct peer *peer = arg;
    peer->task = skti_scheduler->running;
    peer->run(peer->arg);
    peer->ended = true;
    skti_wake_all(&peer->joining, 0);
}

static void start(struct peer *peer, void (*run)(void *arg), void *arg, bool threaded)
{
    *peer = (struct peer){ .run = run, .arg = arg, .threaded = threaded };
    __atomic_add_fetch(&started, 1, __ATOMIC_RELAXED);
    if (threaded)
        CHECK_INT(pthread_create(&peer->thread, NULL, run_thread, peer), 0);
    else
        CHECK_INT(skt_go(run_task, peer), 0);
}

void start_peer(struct peer *peer, void (*run)(void *arg), void *arg)
{
    start(peer, run, arg, !skt_in_task());
}

void start_thread_peer(struct peer *peer, void (*run)(void *arg), void *arg)
{
    start(peer, run, arg, true);
}

void let_pass(double seconds)
{
    struct timespec time = { .tv_nsec = (long)(seconds * 1e9) };
    if (skt_in_task())
        skti_park(NULL, for_the_peer, skti_now() + time.tv_nsec, false);
    else
        nanosleep(&time, NULL);
}

/* A thread may need the caller's other tasks for its end. */
void join_peer(struct peer *peer)
{
    while (!peer->threaded && !peer->ended)
        skti_park(&peer->joining, for_the_peer, SKTI_FOREVER, false);
    while (peer->threaded && skt_in_task() && !__atomic_load_n(&peer->ended, __ATOMIC_ACQUIRE))
        let_pass(0.0005);
    if (peer->threaded)
        CHECK_INT(pthread_join(peer->thread, NULL), 0);
}

/* The numbers are the machine's, under qemu-user too: x86_64's, then.  (aarch64 has calls of these numbers, and
 * none of them waits.) */
static bool waits(int tid)
{
    static const long calls[] = {
        SYS_ppoll,
        SYS_recvfrom,
        SYS_recvmsg,
        SYS_accept4,
        SYS_sendto,
        SYS_connect,
        SYS_sendfile,
        SYS_epoll_pwait2,
        SYS_epoll_pwait,
#ifdef SYS_epoll_wait
        SYS_epoll_wait,
#endif
#ifdef __aarch64__
        271,
        45,
        47,
        288,
        44,
        42,
        40,
        232,
        281,
        441,
#endif
    };
    char path[64], line[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (*line >= '0' && *line <= '9' && strtol(line, NULL, 10) == calls[i])
            return true;
    return false;
}

static bool is_blocked(const struct peer *peer)
{
    if (!peer->threaded)
        return peer->task && peer->task->state == SKTI_PARKED;
    int tid = __atomic_load_n(&peer->tid, __ATOMIC_ACQUIRE);
    return tid && waits(tid);
}

/* Between two looks at a task others have their turns, and events are looked for, but no time needs to pass. */
void wait_until_blocked(struct peer *peer)
{
    for (int times = 0; times < 3;) {
        if (!peer->threaded && peer->ended)
            check_failed(__FILE__, __LINE__, "the peer has ended, and will not wait");
        times = is_blocked(peer) ? times + 1 : 0;
        let_pass(peer->threaded ? 0.0005 : 0);
    }
}

skt *local_server(skt_addr *addr)
{
    skt *server = skt_create_server(skt_inet("127.0.0.1", 0), NULL);
    CHECK(server && skt_getsockname(server, addr) == 0);
    return server;
}

void tcp_pair(skt *pair[2])
{
    skt_addr addr;
    skt *server = local_server(&addr);
    pair[0] = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(pair[0], addr), 0);
    pair[1] = skt_accept(server, NULL);
    CHECK(pair[1] != NULL);
    skt_close(server);
}

bool has_ipv6(void)
{
    skt *s = skt_socket(AF_INET6, SOCK_STREAM, 0);
    bool has = skt_bind(s, skt_inet6("::1", 0, 0, 0)) == 0;
    skt_close(s);
    return has;
}

void small_buffers(skt *pair[2])
{
    for (int i = 0; i < 2; i++) {
        CHECK_INT(skt_setsockopt_int(pair[i], SOL_SOCKET, SO_SNDBUF, 65536), 0);
        CHECK_INT(skt_setsockopt_int(pair[i], SOL_SOCKET, SO_RCVBUF, 65536), 0);
    }
}

size_t fill_up(skt *s)
{
    char block[4096] = { 0 };
    size_t sum = 0;
    ssize_t n;
    while ((n = skt_send(s, block, sizeof block, MSG_DONTWAIT)) > 0)
        sum += (size_t)n;
    CHECK_INT(errno, EAGAIN);
    return sum;
}

/* ---- A resolver without an answer ---- */

static pthread_mutex_t resolver_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t resolver_released = PTHREAD_COND_INITIALIZER;
static bool resolver_silent;
static struct skti_sys before_silence;

/* Whether the caller had to wait: then its answer is that there is none. */
static bool was_silent(void)
{
    pthread_mutex_lock(&resolver_lock);
    bool was = resolver_silent;
    while (resolver_silent)
        pthread_cond_wait(&resolver_released, &resolver_lock);
    pthread_mutex_unlock(&resolver_lock);
    return was;
}

static int silent_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                              struct addrinfo **list)
{
    *list = NULL;
    if (!(hints->ai_flags & AI_NUMERICHOST) && was_silent())
        return EAI_AGAIN;
    return before_silence.getaddrinfo(host, service, hints, list);
}

static int silent_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t hostlen, char *service,
                              socklen_t servicelen, int flags)
{
    if (!(flags & NI_NUMERICHOST) && was_silent())
        return EAI_AGAIN;
    return before_silence.getnameinfo(sa, len, host, hostlen, service, servicelen, flags);
}

static int no_host(struct hostent **found, int *h)
{
    *found = NULL;
    *h = TRY_AGAIN;
    return 0;
}

static int silent_gethostbyname(const char *name, int family, struct hostent *host, char *buf, size_t len,
                                struct hostent **found, int *h)
{
    return was_silent() ? no_host(found, h) : before_silence.gethostbyname(name, family, host, buf, len, found, h);
}

static int silent_gethostbyaddr(const void *addr, socklen_t addrlen, int family, struct hostent *host, char *buf,
                                size_t len, struct hostent **found, int *h)
{
    return was_silent() ? no_host(found, h)
                        : before_silence.gethostbyaddr(addr, addrlen, family, host, buf, len, found, h);
}

/* They stay in the table once they are there, since helpers look into that in their own time. */
static void install_silence(void)
{
    static bool installed;
    if (installed)
        return;
    installed = true;
    before_silence = skti_sys;
    skti_sys.getaddrinfo = silent_getaddrinfo;
    skti_sys.getnameinfo = silent_getnameinfo;
    skti_sys.gethostbyname = silent_gethostbyname;
    skti_sys.gethostbyaddr = silent_gethostbyaddr;
}

void silence_resolver(void)
{
    install_silence();
    pthread_mutex_lock(&resolver_lock);
    resolver_silent = true;
    pthread_mutex_unlock(&resolver_lock);
}

void release_resolver(void)
{
    pthread_mutex_lock(&resolver_lock);
    resolver_silent = false;
    pthread_cond_broadcast(&resolver_released);
    pthread_mutex_unlock(&resolver_lock);
    wait_for_threads(1);
}
