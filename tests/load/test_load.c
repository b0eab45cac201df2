/* test_load.c - many connections, and peers that do their worst.
 *
 * The server is another process (test_load server ...), since each may have only so many descriptors.  Every
 * connection begins with its number, and carries on with bytes that follow from that: the server verifies what
 * comes and echoes it, the client verifies the echo.  So what is lost, doubled or out of order is found at either end.
 *
 * With the argument "small" the numbers are those of a quick test: for sanitizers, and `make test`. */
#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <skt.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTS 20 /* 127.0.0.1 and so on: one address has too few ports */

/* This one, to be run again.  (In valgrind /proc/self/exe is another.) */
static const char *program;

static bool small;

/* ---- What a connection carries ---- */

static unsigned char byte_at(uint64_t id, uint64_t offset)
{
    uint64_t x = (id + 1) * 0x9e3779b97f4a7c15u + (offset >> 3) * 0xbf58476d1ce4e5b9u;
    x ^= x >> 31;
    x *= 0x94d049bb133111ebu;
    x ^= x >> 29;
    return (unsigned char)(x >> (offset % 8 * 8));
}

static void fill(uint64_t id, uint64_t offset, unsigned char *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = byte_at(id, offset + i);
}

static void verify(uint64_t id, uint64_t offset, const unsigned char *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (buf[i] != byte_at(id, offset + i))
            check_failed(__FILE__, __LINE__, "connection %llu: byte %llu is wrong", (unsigned long long)id,
                         (unsigned long long)(offset + i));
}

/* ---- The server ---- */

static void handle(skt *conn, void *arg)
{
    unsigned char buf[1024];
    uint64_t id, offset = 0;
    ssize_t n;
    (void)arg;
    if (skt_recv(conn, &id, sizeof id, MSG_WAITALL) != sizeof id)
        return;
    while ((n = skt_recv(conn, buf, sizeof buf, 0)) > 0) {
        verify(id, offset, buf, (size_t)n);
        if (skt_sendall(conn, buf, (size_t)n, 0) < 0)
            break;
        offset += (uint64_t)n;
    }
    if (n < 0 && errno != ECONNRESET && errno != EPIPE && errno != ETIMEDOUT && errno != ECANCELED)
        check_failed(__FILE__, __LINE__, "connection %llu: %s", (unsigned long long)id, skt_strerror());
}

static void raise_limit(void)
{
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void on_signal(int signo)
{
    (void)signo;
}

/* Signals at every half millisecond, which interrupt calls (no SA_RESTART). */
static void storm(bool on)
{
    struct sigaction action = { .sa_handler = on_signal };
    struct itimerval every = { .it_interval = { .tv_usec = on ? 500 : 0 }, .it_value = { .tv_usec = on ? 500 : 0 } };
    CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_INT(setitimer(ITIMER_REAL, &every, NULL), 0);
}

/* server THREADS [storm]: tells its port. */
static int be_server(char **args)
{
    skt_addr addr;
    skt_serve_options options = { .threads = atoi(args[0]), .grace = 0.1 };
    raise_limit();
    skt *server = skt_create_server(skt_inet("", 0), &(skt_server_options){ .backlog = 4096 });
    CHECK(server && skt_getsockname(server, &addr) == 0);
    printf("%d\n", skt_port(&addr));
    fflush(stdout);
    if (args[1])
        storm(true);
    if (skt_serve(server, handle, NULL, &options) < 0)
        skt_die("server");
    skt_close(server);
    return 0;
}

struct server {
    pid_t pid;
    const char *host; /* NULL: 127.0.0.1 and so on */
    int port;
    int fds;
    long memory;
};

/* What stands behind a word in one of its files in /proc. */
static long number_in(pid_t pid, const char *name, const char *word)
{
    char where[64], line[256];
    long number = -1;
    snprintf(where, sizeof where, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(where, "r");
    CHECK(file != NULL);
    while (number < 0 && fgets(line, sizeof line, file))
        if (!strncmp(line, word, strlen(word)))
            number = strtol(line + strlen(word), NULL, 10);
    fclose(file);
    return number;
}

static long memory_of(pid_t pid)
{
    return number_in(pid, "smaps_rollup", "Anonymous:") * 1024;
}

static int fds_of(pid_t pid)
{
    char command[64];
    int n = 0;
    snprintf(command, sizeof command, "ls /proc/%d/fd | wc -l", (int)pid);
    FILE *out = popen(command, "r");
    CHECK(out && fscanf(out, "%d", &n) == 1);
    pclose(out);
    return n;
}

static struct server start_server(int threads, const char *more)
{
    struct server s = { .host = NULL };
    char digits[16];
    int ends[2];
    snprintf(digits, sizeof digits, "%d", threads);
    CHECK_INT(pipe(ends), 0);
    s.pid = fork();
    if (s.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(program, program, "server", digits, more, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    CHECK_INT(fscanf(out, "%d", &s.port), 1);
    fclose(out);
    return s;
}

static void stop_server(struct server *s)
{
    int status;
    CHECK_INT(kill(s->pid, SIGTERM), 0);
    CHECK_INT(waitpid(s->pid, &status, 0), s->pid);
    CHECK_INT(status, 0);
}

/* Waits until it has ended all connections but n. */
static void wait_for_fds(struct server *s, int n)
{
    while (fds_of(s->pid) > n)
        usleep(10000);
}

/* ---- Clients, each a task ---- */

struct client {
    const struct server *server;
    uint64_t id;
    skt *conn;
    uint64_t sent, received;
    unsigned turns, most; /* how often it sends, and at most how many bytes */
    double pause;
};

static void client_connect(void *arg)
{
    struct client *c = arg;
    char host[32];
    snprintf(host, sizeof host, "127.0.0.%d", (int)(1 + c->id % HOSTS));
    c->conn = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(c->conn, skt_inet(c->server->host ? c->server->host : host, c->server->port)), 0);
    CHECK_INT(skt_setsockopt_int(c->conn, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    CHECK_INT(skt_sendall(c->conn, &c->id, sizeof c->id, 0), 0);
}

static void receive(struct client *c, size_t len)
{
    unsigned char buf[1024];
    while (len > 0) {
        ssize_t n = skt_recv(c->conn, buf, len < sizeof buf ? len : sizeof buf, 0);
        CHECK(n > 0);
        verify(c->id, c->received, buf, (size_t)n);
        c->received += (uint64_t)n;
        len -= (size_t)n;
    }
}

static void send_some(struct client *c, size_t len)
{
    unsigned char buf[1024];
    while (len > 0) {
        size_t piece = len < sizeof buf ? len : sizeof buf;
        fill(c->id, c->sent, buf, piece);
        CHECK_INT(skt_sendall(c->conn, buf, piece, 0), 0);
        c->sent += piece;
        len -= piece;
    }
}

static void client_talk(void *arg)
{
    struct client *c = arg;
    for (unsigned i = 0; i < c->turns; i++) {
        size_t len = 1 + (c->id * 7919 + i * 104729) % c->most;
        send_some(c, len);
        receive(c, len);
        if (c->pause > 0)
            CHECK_INT(skt_sleep(c->pause), 0);
    }
}

static void client_close(void *arg)
{
    struct client *c = arg;
    char byte;
    CHECK_INT(skt_shutdown(c->conn, SHUT_WR), 0);
    CHECK_INT(skt_recv(c->conn, &byte, 1, 0), 0);
    CHECK_INT(skt_close(c->conn), 0);
}

static void client_reset(void *arg)
{
    struct client *c = arg;
    const struct linger now = { 1, 0 };
    CHECK_INT(skt_setsockopt(c->conn, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    CHECK_INT(skt_close(c->conn), 0);
}

static void client_whole(void *arg)
{
    client_connect(arg);
    client_talk(arg);
    client_close(arg);
}

/* All clients of a case, and the steps that all of them take one after the other. */
struct load {
    struct client *clients;
    size_t count;
    void (*steps[8])(void *client);
    void (*between)(struct load *load, unsigned step);
    struct server *server;
};

static struct load new_load(struct server *server, size_t count, unsigned turns, unsigned most)
{
    struct load load = { .clients = calloc(count, sizeof *load.clients), .count = count, .server = server };
    CHECK(load.clients != NULL);
    for (size_t i = 0; i < count; i++)
        load.clients[i] = (struct client){ .server = server, .id = i, .turns = turns, .most = most };
    return load;
}

static void run_steps(void *arg)
{
    struct load *load = arg;
    for (unsigned step = 0; step < 8 && load->steps[step]; step++) {
        skt_group *g = skt_group_new();
        for (size_t i = 0; i < load->count; i++)
            CHECK_INT(skt_group_go(g, load->steps[step], &load->clients[i]), 0);
        CHECK_INT(skt_group_wait(g), 0);
        CHECK_INT(skt_group_close(g), 0);
        if (load->between)
            load->between(load, step);
    }
}

static void run_load(struct load *load)
{
    CHECK_INT(skt_run(run_steps, load), 0);
}

static void end_load(struct load *load)
{
    free(load->clients);
}

/* Everybody says something, and is answered. */
static void talk_to(struct server *server, size_t count, unsigned turns, unsigned most)
{
    struct load load = new_load(server, count, turns, most);
    load.steps[0] = client_whole;
    run_load(&load);
    end_load(&load);
}

/* ---- Many ---- */

static void note_memory(struct load *load, unsigned step)
{
    if (step == 1)
        printf("# %zu connections: %ld bytes of the server's own memory for each, %ld of the client's\n", load->count,
               (memory_of(load->server->pid) - load->server->memory) / (long)load->count,
               memory_of(getpid()) / (long)load->count);
}

static void many_that_talk(void)
{
    struct server server = start_server(2, NULL);
    talk_to(&server, 4, 1, 10);
    server.memory = memory_of(server.pid);
    struct load load = new_load(&server, small ? 500 : 15000, 5, 1000);
    load.steps[0] = client_connect;
    load.steps[1] = load.steps[2] = client_talk;
    load.steps[3] = client_close;
    load.between = note_memory;
    run_load(&load);
    end_load(&load);
    stop_server(&server);
}

/* Sanitizers keep what was freed, and write down what was done. */
static bool memory_is_our_own(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#endif
#endif
    return true;
}

static void opened_and_closed(void)
{
    struct server server = start_server(2, NULL);
    long memory = 0, own = 0;
    int rounds = small ? 6 : 20, fds = 0, own_fds = count_fds();
    size_t count = small ? 200 : 10000;
    for (int i = 0; i < rounds; i++) {
        struct load load = new_load(&server, count, 1, 100);
        load.steps[0] = client_connect;
        load.steps[1] = client_talk;
        load.steps[2] = i % 4 == 3 ? client_reset : client_close;
        run_load(&load);
        end_load(&load);
        CHECK_INT(count_fds(), own_fds);
        if (fds)
            wait_for_fds(&server, fds);
        if (i != rounds / 4)
            continue;
        usleep(10000);
        while (fds_of(server.pid) != fds)
            fds = fds_of(server.pid); /* until it stays */
        memory = memory_of(server.pid);
        own = memory_of(getpid());
    }
    CHECK_INT(fds_of(server.pid), fds);
    printf("# %d times %zu: the server's memory was %ld KiB and is %ld KiB; the client's was %ld and is %ld\n", rounds,
           count, memory / 1024, memory_of(server.pid) / 1024, own / 1024, memory_of(getpid()) / 1024);
    if (memory_is_our_own()) {
        CHECK(memory_of(server.pid) < memory + memory / 20 + (512 << 10));
        CHECK(memory_of(getpid()) < own + own / 20 + (512 << 10));
    }
    stop_server(&server);
}

/* ---- Peers that do their worst, while others are served ---- */

/* A process with connections of its own, which it talks over for ever, or holds in another way. */
static pid_t start_bad_clients(struct server *server, size_t count, void (*hold)(void *client))
{
    int ends[2];
    char byte;
    CHECK_INT(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct load load = new_load(server, count, 1, 1000);
        load.steps[0] = client_connect;
        load.steps[1] = client_talk;
        run_load(&load);
        CHECK_INT(write(ends[1], "x", 1), 1);
        for (size_t i = 0; i < count; i++)
            load.clients[i].turns = 1000000000;
        load.steps[0] = hold;
        load.steps[1] = NULL;
        run_load(&load);
        _exit(1);
    }
    close(ends[1]);
    CHECK_INT(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void kill_clients(pid_t pid)
{
    int status;
    CHECK_INT(kill(pid, SIGKILL), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void peers_that_vanish(void)
{
    struct server server = start_server(2, NULL);
    talk_to(&server, 10, 1, 10);
    wait_for_fds(&server, fds_of(server.pid));
    int fds = fds_of(server.pid);
    for (int i = 0; i < 5; i++) {
        pid_t bad = start_bad_clients(&server, small ? 50 : 500, client_talk);
        talk_to(&server, 100, 5, 1000);
        kill_clients(bad);
        talk_to(&server, 100, 5, 1000);
        wait_for_fds(&server, fds);
    }
    stop_server(&server);
}

/* Ends in the midst of what it says and hears. */
static void client_reset_in_the_midst(void *arg)
{
    struct client *c = arg;
    client_connect(c);
    client_talk(c);
    send_some(c, 1 + c->id % 5000);
    if (c->id % 2)
        receive(c, c->sent - c->received > 10 ? 10 : c->sent - c->received);
    client_reset(c);
}

static void peers_that_reset(void)
{
    struct server server = start_server(2, NULL);
    talk_to(&server, 10, 1, 10);
    int fds = fds_of(server.pid);
    struct load load = new_load(&server, small ? 200 : 3000, 1, 1000);
    for (size_t i = 0; i < load.count; i += 3)
        load.clients[i].most = 100;
    load.steps[0] = client_reset_in_the_midst;
    run_load(&load);
    end_load(&load);
    talk_to(&server, 100, 5, 1000);
    wait_for_fds(&server, fds);
    stop_server(&server);
}

/* Sends until neither takes any more: the server's handler stands in sendall, and we would in ours. */
static void client_stall(void *arg)
{
    struct client *c = arg;
    unsigned char buf[1024];
    CHECK_INT(skt_settimeout(c->conn, 0.5), 0);
    for (;;) {
        fill(c->id, c->sent, buf, sizeof buf);
        int result = skt_sendall(c->conn, buf, sizeof buf, 0);
        c->sent += result == 0 ? sizeof buf : skt_error_record()->done;
        if (result < 0)
            break;
    }
    CHECK(skt_timed_out());
    CHECK_INT(skt_settimeout(c->conn, SKT_NO_TIMEOUT), 0);
}

static void client_hear_all(void *arg)
{
    struct client *c = arg;
    receive(c, c->sent - c->received);
}

static void client_small_buffers(void *arg)
{
    struct client *c = arg;
    client_connect(c);
    CHECK_INT(skt_setsockopt_int(c->conn, SOL_SOCKET, SO_SNDBUF, 65536), 0);
    CHECK_INT(skt_setsockopt_int(c->conn, SOL_SOCKET, SO_RCVBUF, 65536), 0);
}

static void talk_meanwhile(struct load *load, unsigned step)
{
    if (step == 1) {
        struct load other = new_load(load->server, 100, 5, 1000);
        other.steps[0] = client_whole;
        run_steps(&other);
        end_load(&other);
    }
}

static void peers_that_stall(void)
{
    struct server server = start_server(2, NULL);
    talk_to(&server, 10, 1, 10);
    int fds = fds_of(server.pid);
    struct load load = new_load(&server, small ? 5 : 100, 1, 1000);
    load.steps[0] = client_small_buffers;
    load.steps[1] = client_stall;
    load.steps[2] = client_hear_all;
    load.steps[3] = client_close;
    load.between = talk_meanwhile;
    run_load(&load);
    unsigned long long sum = 0;
    for (size_t i = 0; i < load.count; i++)
        sum += load.clients[i].sent;
    printf("# %zu peers: %llu bytes each until nothing moved\n", load.count, sum / load.count);
    end_load(&load);
    wait_for_fds(&server, fds);
    stop_server(&server);
}

/* The handlers of peers that stall for ever and then vanish end as well. */
static void client_stall_for_ever(void *arg)
{
    client_stall(arg);
    skt_sleep(SKT_NO_TIMEOUT);
}

static void peers_that_stall_and_vanish(void)
{
    struct server server = start_server(1, NULL);
    talk_to(&server, 10, 1, 10);
    int fds = fds_of(server.pid);
    pid_t bad = start_bad_clients(&server, 20, client_stall_for_ever);
    talk_to(&server, 200, 5, 1000);
    kill_clients(bad);
    wait_for_fds(&server, fds);
    stop_server(&server);
}

static void one_byte_a_second(void)
{
    struct server server = start_server(2, NULL);
    struct load load = new_load(&server, small ? 200 : 5000, 0, 1);
    for (size_t i = 0; i < load.count; i++) {
        load.clients[i].turns = small ? 2 : 5;
        load.clients[i].pause = 1;
    }
    load.steps[0] = client_whole;
    run_load(&load);
    end_load(&load);
    stop_server(&server);
}

/* ---- RLIMIT_NOFILE of 64, the client's ---- */

static int refusals;

static void client_when_there_is_one(void *arg)
{
    struct client *c = arg;
    skt *s;
    while (!(s = skt_socket(AF_INET, SOCK_STREAM, 0))) {
        CHECK_INT(errno, EMFILE);
        refusals++;
        CHECK_INT(skt_sleep(0.001), 0);
    }
    skt_close(s);
    client_whole(c);
}

static void few_descriptors(void)
{
    struct server server = start_server(2, NULL);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 }), 0);
        struct load load = new_load(&server, 400, 3, 1000);
        for (size_t i = 0; i < load.count; i++)
            load.clients[i].pause = 0.001;
        load.steps[0] = client_when_there_is_one;
        run_load(&load);
        printf("# %d times there was no descriptor\n", refusals);
        CHECK(refusals > 0);
        fflush(NULL);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    stop_server(&server);
}

/* ---- Signals ---- */

static void stopped_and_continued(void)
{
    struct server server = start_server(2, NULL);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        talk_to(&server, small ? 50 : 500, small ? 100 : 300, 1000);
        _exit(0);
    }
    int status, turns = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        pid_t which = turns++ % 2 ? pid : server.pid;
        CHECK_INT(kill(which, SIGSTOP), 0);
        usleep(20000);
        CHECK_INT(kill(which, SIGCONT), 0);
        usleep(20000);
    }
    printf("# stopped %d times\n", turns);
    CHECK_INT(status, 0);
    CHECK(turns > 0);
    stop_server(&server);
}

static void storm_of_signals(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct server server = start_server(threads, "storm");
        storm(true);
        talk_to(&server, small ? 50 : 500, small ? 20 : 100, 3000);
        storm(false);
        stop_server(&server);
    }
}

/* ---- A network of its own ---- */

enum { NO_NETWORK = 77, NO_NFTABLES, NO_TUN };

static void set_flags(struct ifreq *request, int mtu)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request->ifr_mtu = mtu;
    CHECK_INT(ioctl(fd, SIOCSIFMTU, request), 0);
    CHECK_INT(ioctl(fd, SIOCGIFFLAGS, request), 0);
    request->ifr_flags |= IFF_UP;
    CHECK_INT(ioctl(fd, SIOCSIFFLAGS, request), 0);
    close(fd);
}

static void enter_new_network(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        _exit(NO_NETWORK);
    set_flags(&(struct ifreq){ .ifr_name = "lo" }, 1500);
}

/* Runs fn in a child that is alone in its network.  Why it could not be done, or NULL. */
static const char *in_own_network(void (*fn)(void))
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        enter_new_network();
        fn();
        fflush(NULL);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    switch (WEXITSTATUS(status)) {
    case NO_NETWORK:
        return "no network namespace of our own: not root";
    case NO_NFTABLES:
        return "no nftables";
    case NO_TUN:
        return "no /dev/net/tun";
    }
    CHECK_INT(status, 0);
    return NULL;
}

static void nft(const char *commands)
{
    char line[512];
    snprintf(line, sizeof line, "PATH=$PATH:/usr/sbin:/sbin; nft '%s' 2>/dev/null", commands);
    if (system(line) != 0)
        _exit(NO_NFTABLES);
}

static void talk_in_bulk(struct server *server)
{
    talk_to(server, small ? 20 : 200, 4, small ? 5000 : 20000);
    stop_server(server);
}

static void with_loss(void)
{
    nft("add table inet t; add chain inet t i { type filter hook input priority 0; };"
        "add rule inet t i meta l4proto tcp numgen random mod 100 < 5 drop");
    struct server server = start_server(2, NULL);
    talk_in_bulk(&server);
}

static void packet_loss(void)
{
    const char *why = in_own_network(with_loss);
    if (why)
        SKIP("%s", why);
}

/* ---- A line that we are ourselves: packets go through this program, which mixes them up ---- */

static int open_tun(const char *address)
{
    struct ifreq request = { .ifr_name = "skt0", .ifr_flags = IFF_TUN | IFF_NO_PI };
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        _exit(NO_TUN);
    *in = (struct sockaddr_in){ .sin_family = AF_INET };
    CHECK_INT(inet_pton(AF_INET, address, &in->sin_addr), 1);
    CHECK_INT(ioctl(s, SIOCSIFADDR, &request), 0);
    CHECK_INT(inet_pton(AF_INET, "255.255.255.0", &in->sin_addr), 1);
    CHECK_INT(ioctl(s, SIOCSIFNETMASK, &request), 0);
    close(s);
    set_flags(&request, 1500);
    return fd;
}

/* Some packets wait until others have passed them. */
static struct held {
    unsigned char data[2048];
    ssize_t len;
    int to, passing; /* passing 0: nothing is held here */
} held[8];

static void put(int to, const void *data, ssize_t len)
{
    while (write(to, data, (size_t)len) < 0 && errno == EAGAIN)
        ;
}

static void let_pass(bool all)
{
    for (struct held *h = held; h < held + 8; h++) {
        if (h->passing == 0 || (--h->passing > 0 && !all))
            continue;
        h->passing = 0;
        put(h->to, h->data, h->len);
    }
}

static bool hold(int to, const void *data, ssize_t len)
{
    struct held *h = held;
    while (h < held + 8 && h->passing)
        h++;
    if (h == held + 8)
        return false;
    memcpy(h->data, data, (size_t)len);
    h->len = len;
    h->to = to;
    h->passing = 2 + (int)(random() % 6);
    return true;
}

/* Of a hundred 25 come later than others, 5 twice, 2 never. */
static void relay(int a, int b)
{
    struct pollfd fds[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
    for (;;) {
        if (poll(fds, 2, 5) == 0)
            let_pass(true);
        for (int i = 0; i < 2; i++) {
            unsigned char data[2048];
            ssize_t len = fds[i].revents ? read(fds[i].fd, data, sizeof data) : 0;
            int to = fds[1 - i].fd;
            long chance = random() % 100;
            if (len <= 0 || chance < 2)
                continue;
            if (chance < 7)
                put(to, data, len);
            if (chance < 7 || chance >= 32 || !hold(to, data, len))
                put(to, data, len);
            let_pass(false);
        }
    }
}

/* How many segments TCP has put aside here because others were missing. */
static long out_of_order(void)
{
    static char names[16384], values[16384];
    FILE *file = fopen("/proc/self/net/netstat", "r");
    CHECK(file && fgets(names, sizeof names, file) && fgets(values, sizeof values, file));
    fclose(file);
    char *n = names, *v = values, *name, *value;
    while ((name = strsep(&n, " ")) && (value = strsep(&v, " ")))
        if (!strcmp(name, "TCPOFOQueue"))
            return atol(value);
    return -1;
}

static void with_reordering(void)
{
    int a = open_tun("10.77.0.1"), b;
    struct server server = start_server(2, NULL);
    server.host = "10.77.0.1";
    enter_new_network();
    b = open_tun("10.77.0.2");
    pid_t line = fork();
    if (line == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        relay(a, b);
    }
    close(a);
    close(b);
    talk_in_bulk(&server);
    printf("# %ld segments came out of order\n", out_of_order());
    CHECK(out_of_order() > 0);
    CHECK_INT(kill(line, SIGKILL), 0);
    CHECK_INT(waitpid(line, NULL, 0), line);
}

static void reordering(void)
{
    const char *why = in_own_network(with_reordering);
    if (why)
        SKIP("%s", why);
}

/* ---- Too little room, and nobody there ---- */

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    CHECK(file && fputs(text, file) >= 0);
    CHECK_INT(fclose(file), 0);
}

static void with_tiny_buffers(void)
{
    write_file("/proc/sys/net/ipv4/tcp_rmem", "1024 2304 2304");
    write_file("/proc/sys/net/ipv4/tcp_wmem", "4096 4096 4096");
    struct server server = start_server(2, NULL);
    talk_to(&server, small ? 20 : 200, 4, 2000);
    stop_server(&server);
}

static void tiny_buffers(void)
{
    const char *why = in_own_network(with_tiny_buffers);
    if (why)
        SKIP("%s", why);
}

/* The sender gets an error, when the kernel gives up. */
static void client_in_a_black_hole(void *arg)
{
    struct client *c = arg;
    char byte;
    CHECK_INT(skt_setsockopt_int(c->conn, IPPROTO_TCP, TCP_USER_TIMEOUT, 300), 0);
    CHECK_INT(skt_sendall(c->conn, "x", 1, 0), 0);
    CHECK_ERRNO(skt_recv(c->conn, &byte, 1, 0), ETIMEDOUT);
    CHECK(!skt_timed_out());
    CHECK_ERRNO(skt_send(c->conn, "x", 1, 0), EPIPE);
    CHECK_INT(skt_close(c->conn), 0);
}

/* From here on nothing arrives. */
static void open_black_hole(struct load *load, unsigned step)
{
    (void)load;
    if (step == 1)
        nft("add rule inet t i meta l4proto tcp drop");
}

static void with_a_black_hole(void)
{
    nft("add table inet t; add chain inet t i { type filter hook input priority 0; };");
    struct server server = start_server(2, NULL);
    struct load load = new_load(&server, small ? 20 : 500, 3, 1000);
    load.steps[0] = client_connect;
    load.steps[1] = client_talk;
    load.steps[2] = client_in_a_black_hole;
    load.between = open_black_hole;
    run_load(&load);
    end_load(&load);
    stop_server(&server);
}

static void a_black_hole(void)
{
    const char *why = in_own_network(with_a_black_hole);
    if (why)
        SKIP("%s", why);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "many connections that all talk", many_that_talk },
        { "opened and closed again and again: nothing grows", opened_and_closed },
        { "peers that vanish", peers_that_vanish },
        { "peers that reset", peers_that_reset },
        { "peers that stall with full windows", peers_that_stall },
        { "peers that stall and vanish", peers_that_stall_and_vanish },
        { "one byte a second", one_byte_a_second },
        { "a client with 64 descriptors", few_descriptors },
        { "SIGSTOP and SIGCONT of either end", stopped_and_continued },
        { "a storm of signals", storm_of_signals },
        { "packet loss", packet_loss },
        { "reordering and duplication", reordering },
        { "tiny buffers", tiny_buffers },
        { "a black hole", a_black_hole },
    };
    program = argv[0];
    if (argc > 2 && !strcmp(argv[1], "server"))
        return be_server(argv + 2);
    small = argc > 1 && !strcmp(argv[1], "small");
    raise_limit();
    if (under_qemu()) {
        puts("1..0 # SKIP under qemu-user a program cannot run itself again");
        return 0;
    }
    return RUN_CASES_ON_THREAD(cases);
}
