/* peer.c - the other end of a test: see peer.h. */
#include "peer.h"
#include "check.h"
#include "sys.h"
#include <netdb.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *run_peer(void *arg)
{
    struct peer *peer = arg;
    __atomic_store_n(&peer->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    peer->run(peer->arg);
    return NULL;
}

void start_peer(struct peer *peer, void (*run)(void *arg), void *arg)
{
    peer->run = run;
    peer->arg = arg;
    peer->tid = 0;
    CHECK_INT(pthread_create(&peer->thread, NULL, run_peer, peer), 0);
}

void join_peer(struct peer *peer)
{
    CHECK_INT(pthread_join(peer->thread, NULL), 0);
}

/* The numbers are the machine's, under qemu-user too: x86_64's, then.  (aarch64 has calls of these numbers, and
 * none of them waits.) */
static bool waits(int tid)
{
    static const long calls[] = {
        SYS_ppoll, SYS_recvfrom, SYS_recvmsg, SYS_accept4, SYS_sendto, SYS_connect, SYS_sendfile,
#ifdef __aarch64__
        271,       45,           47,          288,         44,         42,          40,           232, 281,
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

void wait_until_blocked(struct peer *peer)
{
    struct timespec moment = { .tv_nsec = 500000 };
    int tid;
    for (int times = 0; times < 3;) {
        tid = __atomic_load_n(&peer->tid, __ATOMIC_ACQUIRE);
        times = tid && waits(tid) ? times + 1 : 0;
        nanosleep(&moment, NULL);
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
    while (count_threads() > 1)
        usleep(1000);
}
