/* test_signals.c - real signals, from another process, while calls wait: a call goes on with what is
 * left of its time or ends as the hook says, no data is lost or sent twice, and a peer that is gone
 * is never a SIGPIPE.  (test_faults makes up EINTR at each system call; here the kernel decides where.)
 *
 * The other side is always a child: so the same cases run as `test_signals`, alone in the process, where the kernel
 * waits, and as `test_signals threads`, beside a second thread, where we poll.  No case hopes that a
 * signal comes at the right moment: the child repeats it until the hook has been called. */
#include "check.h"
#include "peer.h"
#include "sys.h"
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUCH (2 << 20)
#define PIECE 65536
#define ENOUGH 5 /* interruptions of one call */

#define GET(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define PUT(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

/* What both processes see. */
static struct shared {
    int handled;    /* signals */
    int hooked;     /* calls of the hook */
    bool done;      /* the call has returned */
    bool elsewhere; /* the hook ran in another thread than the call */
    size_t bytes;   /* that arrived at the child */
    bool wrong;     /* they were not the pattern's */
} * shared;

static char pattern[MUCH];
static pid_t program;
static int main_thread;

static void handle(int sig)
{
    (void)sig;
    __atomic_add_fetch(&shared->handled, 1, __ATOMIC_SEQ_CST);
}

/* arg: the hook's answer. */
static int count_call(void *arg)
{
    __atomic_add_fetch(&shared->hooked, 1, __ATOMIC_SEQ_CST);
    if (syscall(SYS_gettid) != main_thread)
        shared->elsewhere = true;
    return *(const int *)arg;
}

static int go_on = 0, stop = 1;

static void moment(void)
{
    let_pass(0.002);
}

static void send_signal(void)
{
    syscall(SYS_tgkill, program, main_thread, SIGUSR1);
    moment();
}

/* ---- The calls that wait ---- */

/* A socket that the call waits in, and the raw descriptor of its peer. */
struct ctx {
    skt *s, *other;
    int file;
    FILE *stream;
    skt_addr addr;
    size_t before; /* bytes that fill_up has sent */
};

static void prepare_pair(struct ctx *x, int type)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(AF_UNIX, type, 0, pair), 0);
    x->s = pair[0];
    x->other = pair[1];
}

static void prepare_stream(struct ctx *x)
{
    prepare_pair(x, SOCK_STREAM);
}

static void prepare_datagrams(struct ctx *x)
{
    prepare_pair(x, SOCK_DGRAM);
}

static void prepare_full(struct ctx *x)
{
    prepare_stream(x); /* TCP's room grows by itself a little later */
    x->before = fill_up(x->s);
}

static void prepare_full_datagrams(struct ctx *x)
{
    prepare_datagrams(x);
    x->before = fill_up(x->s);
}

static void prepare_full_target(struct ctx *x)
{
    char block[4096] = { 0 };
    x->s = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    x->other = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(x->other, skt_unix("")), 0);
    CHECK_INT(skt_getsockname(x->other, &x->addr), 0);
    while (skt_sendto(x->s, block, sizeof block, MSG_DONTWAIT, x->addr) > 0)
        x->before += sizeof block;
    CHECK_INT(errno, EAGAIN);
}

static void prepare_listener(struct ctx *x)
{
    x->s = local_server(&x->addr);
}

/* An AF_UNIX listener whose queue is full. */
static void prepare_full_listener(struct ctx *x)
{
    x->other = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    skt *first = skt_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_INT(skt_bind(x->other, skt_unix("")), 0);
    CHECK(skt_listen(x->other, 0) == 0 && skt_getsockname(x->other, &x->addr) == 0);
    CHECK_INT(skt_connect(first, x->addr), 0);
    skt_close(first);
    x->s = skt_socket(AF_UNIX, SOCK_STREAM, 0);
}

static void prepare_reader(struct ctx *x)
{
    prepare_stream(x);
    x->stream = skt_makefile(x->s, "r");
    CHECK(x->stream != NULL);
}

static int one_byte_file(void)
{
    char name[] = "/tmp/skt-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, "x", 1) == 1);
    return fd;
}

static void prepare_full_file(struct ctx *x)
{
    prepare_full(x);
    x->file = one_byte_file();
}

static void prepare_full_writer(struct ctx *x)
{
    prepare_full(x);
    x->stream = skt_makefile(x->s, "rw");
    CHECK(x->stream != NULL);
}

static char byte[1] = "x";
static struct iovec one_byte = { byte, 1 };

static ssize_t call_recv(struct ctx *x)
{
    return skt_recv(x->s, byte, 1, 0);
}

static ssize_t call_recv_whole(struct ctx *x)
{
    return skt_recv(x->s, byte, 1, MSG_WAITALL);
}

static ssize_t call_recvfrom(struct ctx *x)
{
    return skt_recvfrom(x->s, byte, 1, 0, &x->addr);
}

static ssize_t call_recvmsg(struct ctx *x)
{
    skt_msg msg = { .iov = &one_byte, .iovlen = 1 };
    return skt_recvmsg(x->s, &msg, 0);
}

static ssize_t call_recvmmsg(struct ctx *x)
{
    skt_datagram d = { .data = NULL };
    return skt_recvmmsg(x->s, &d, 1, byte, 1, 0);
}

static ssize_t call_recv_fds(struct ctx *x)
{
    int fd, msg_flags;
    size_t nfds = 1;
    return skt_recv_fds(x->s, byte, 1, &fd, &nfds, 0, &msg_flags);
}

static ssize_t call_fgetc(struct ctx *x)
{
    return fgetc(x->stream) == EOF ? -1 : 1;
}

static ssize_t call_accept(struct ctx *x)
{
    skt *conn = skt_accept(x->s, NULL);
    return conn ? (skt_close(conn), 1) : -1;
}

static ssize_t call_connect(struct ctx *x)
{
    return skt_connect(x->s, x->addr) == 0 ? 1 : -1;
}

static ssize_t call_send(struct ctx *x)
{
    return skt_send(x->s, "x", 1, 0);
}

static ssize_t call_sendall(struct ctx *x)
{
    return skt_sendall(x->s, "x", 1, 0) == 0 ? 1 : -1;
}

static ssize_t call_sendto(struct ctx *x)
{
    return skt_sendto(x->s, "x", 1, 0, x->addr);
}

static ssize_t call_sendmsg(struct ctx *x)
{
    skt_msg msg = { .iov = &one_byte, .iovlen = 1 };
    return skt_sendmsg(x->s, &msg, 0);
}

static ssize_t call_sendmmsg(struct ctx *x)
{
    skt_datagram d = { .data = byte, .len = 1 };
    return skt_sendmmsg(x->s, &d, 1, 0);
}

static ssize_t call_sendfile(struct ctx *x)
{
    return skt_sendfile(x->s, x->file, 0, 0);
}

static ssize_t call_fputc(struct ctx *x)
{
    return fputc('x', x->stream) == EOF ? -1 : 1;
}

/* What the child does to let the call succeed; fd is the peer's. */
static void give_byte(int fd, const struct ctx *x)
{
    (void)x;
    if (write(fd, "x", 1) != 1)
        shared->wrong = true;
}

static void take_all(int fd, const struct ctx *x)
{
    char buf[PIECE];
    (void)x;
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0)
        PUT(shared->bytes, shared->bytes + (size_t)n);
}

/* One byte stands for the call's datagram: the others have 4096. */
static void take_datagrams(int fd, const struct ctx *x)
{
    char buf[4096];
    (void)x;
    ssize_t n;
    do {
        n = read(fd, buf, sizeof buf);
        PUT(shared->bytes, shared->bytes + (size_t)(n > 0 ? n : 0));
    } while (n > 1);
}

static void come(int fd, const struct ctx *x)
{
    socklen_t len;
    const struct sockaddr *sa = skt_addr_sockaddr(&x->addr, &len);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, sa, len) < 0)
        shared->wrong = true;
}

static void take_connection(int fd, const struct ctx *x)
{
    (void)x;
    if (accept(fd, NULL, NULL) < 0)
        shared->wrong = true;
}

static const struct call {
    const char *name;
    void (*prepare)(struct ctx *x);
    ssize_t (*run)(struct ctx *x); /* 1, or -1 with errno */
    void (*release)(int fd, const struct ctx *x);
} calls[] = {
    { "recv", prepare_stream, call_recv, give_byte },
    { "recv with MSG_WAITALL", prepare_stream, call_recv_whole, give_byte },
    { "recvfrom", prepare_stream, call_recvfrom, give_byte },
    { "recvmsg", prepare_stream, call_recvmsg, give_byte },
    { "recvmmsg", prepare_datagrams, call_recvmmsg, give_byte },
    { "recv_fds", prepare_stream, call_recv_fds, give_byte },
    { "fgetc", prepare_reader, call_fgetc, give_byte },
    { "accept", prepare_listener, call_accept, come },
    { "connect", prepare_full_listener, call_connect, take_connection },
    { "send", prepare_full, call_send, take_all },
    { "sendall", prepare_full, call_sendall, take_all },
    { "sendto", prepare_full_target, call_sendto, take_datagrams },
    { "sendmsg", prepare_full, call_sendmsg, take_all },
    { "sendfile", prepare_full_file, call_sendfile, take_all },
    { "fputc", prepare_full_writer, call_fputc, take_all },
    { "send of a datagram", prepare_full_datagrams, call_send, take_datagrams },
    { "sendmmsg", prepare_full_datagrams, call_sendmmsg, take_datagrams },
};
#define CALLS (sizeof calls / sizeof *calls)

static void begin(const struct call *call, struct ctx *x, bool timeout)
{
    *shared = (struct shared){ 0 };
    *x = (struct ctx){ .file = -1 };
    call->prepare(x);
    CHECK_INT(skt_settimeout(x->s, timeout ? 1000 : SKT_NO_TIMEOUT), 0);
}

/* Returns in the parent; the child runs other_side and is gone. */
static pid_t start_child(const struct ctx *x, void (*other_side)(const struct ctx *x, const void *arg), const void *arg)
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a check may fail */
        close(skt_fileno(x->s));          /* so that the end of the parent's is the end */
        other_side(x, arg);
        _exit(0);
    }
    return child;
}

static void end_child(pid_t child)
{
    pid_t ended;
    do
        ended = waitpid(child, NULL, 0);
    while (ended < 0 && errno == EINTR);
    CHECK_INT(ended, child);
    CHECK(!GET(shared->wrong));
}

static void end(struct ctx *x, pid_t child)
{
    PUT(shared->done, true);
    skt_on_interrupt(NULL, NULL);
    if (x->stream)
        fclose(x->stream);
    CHECK_INT(skt_close(x->s), 0);
    end_child(child);
    skt_close(x->other);
    if (x->file >= 0)
        close(x->file);
}

/* ---- A call goes on ---- */

/* Interrupts until enough has been counted, and lets the call succeed. */
static void interrupt_and_release(const struct ctx *x, const void *arg)
{
    const struct call *call = arg;
    const int *counted = GET(shared->hooked) < 0 ? &shared->handled : &shared->hooked;
    while (GET(*counted) < ENOUGH && !GET(shared->done))
        send_signal();
    call->release(skt_fileno(x->other), x);
}

static void check_goes_on(const struct call *call, bool timeout, bool hook)
{
    struct ctx x;
    begin(call, &x, timeout);
    if (hook)
        skt_on_interrupt(count_call, &go_on);
    else
        shared->hooked = -1000000; /* the child is to count signals */
    pid_t child = start_child(&x, interrupt_and_release, call);
    ssize_t n = call->run(&x);
    int interruptions = hook ? GET(shared->hooked) : GET(shared->handled);
    if (n != 1 || interruptions < ENOUGH)
        check_failed(__FILE__, __LINE__, "%s: %zd after %d interruptions (%s)", call->name, n, interruptions,
                     skt_strerror());
    CHECK(!shared->elsewhere);
    end(&x, child);
    if (x.before)
        CHECK_INT(shared->bytes, x.before + 1); /* once */
}

static void calls_go_on(void)
{
    for (size_t i = 0; i < CALLS; i++)
        for (int timeout = 0; timeout < 2; timeout++)
            for (int hook = 0; hook < 2; hook++)
                check_goes_on(&calls[i], timeout, hook);
}

/* ---- With what is left of its time ---- */

/* Signals until the child is told that the call has returned. */
static void storm(const struct ctx *x, const void *arg)
{
    (void)x;
    (void)arg;
    while (!GET(shared->done))
        send_signal();
}

/* Signals come far more often than the timeout: a call that began anew at each would not end. */
static void time_goes_on(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct ctx x;
        begin(&calls[i], &x, true);
        CHECK_INT(skt_settimeout(x.s, 0.1), 0);
        skt_on_interrupt(count_call, &go_on);
        pid_t child = start_child(&x, storm, NULL);
        while (GET(shared->handled) == 0)
            moment();
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        CHECK_INT(calls[i].run(&x), -1);
        CHECK(skt_timed_out());
        clock_gettime(CLOCK_MONOTONIC, &to);
        CHECK((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9 >= 0.1);
        end(&x, child);
    }
}

/* The same by the interval timer, which a program has for itself. */
static void timer_storm(void)
{
    struct ctx x;
    const struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = { { 0, 0 }, { 0, 0 } };
    begin(&calls[0], &x, true);
    CHECK_INT(skt_settimeout(x.s, 0.2), 0);
    skt_on_interrupt(count_call, &go_on);
    CHECK_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
    CHECK_ERRNO(skt_recv(x.s, byte, 1, 0), ETIMEDOUT);
    CHECK_INT(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(skt_timed_out() && shared->hooked > 0 && !shared->elsewhere);
    skt_on_interrupt(NULL, NULL);
    skt_close(x.s);
    skt_close(x.other);
}

/* ---- The hook ends a call ---- */

static void hook_ends(void)
{
    for (size_t i = 0; i < CALLS; i++)
        for (int timeout = 0; timeout < 2; timeout++) {
            struct ctx x;
            begin(&calls[i], &x, timeout);
            skt_on_interrupt(count_call, &stop);
            pid_t child = start_child(&x, storm, NULL);
            errno = 0;
            ssize_t n = calls[i].run(&x);
            if (n != -1 || errno != EINTR || shared->hooked != 1)
                check_failed(__FILE__, __LINE__, "%s: %zd, errno %d, %d calls of the hook", calls[i].name, n, errno,
                             shared->hooked);
            CHECK(!skt_timed_out() && !shared->elsewhere);
            CHECK_INT(skt_error_record()->domain, SKT_ERROR_SYSTEM);
            CHECK(strstr(skt_strerror(), ": Interrupted system call"));
            end(&x, child);
        }
}

static void no_hook_no_end(void)
{
    skt_on_interrupt(count_call, &stop);
    skt_on_interrupt(NULL, NULL);
    check_goes_on(&calls[0], false, false);
    CHECK_INT(shared->hooked, -1000000);
}

/* ---- Between the pieces of what is long ---- */

/* Takes a piece, and takes the next only when the hook has been called again. */
static void sip(const struct ctx *x, const void *arg)
{
    char buf[PIECE];
    const bool *one_piece = arg;
    int fd = skt_fileno(x->other), seen = 0;
    for (;;) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            break;
        if (shared->bytes + (size_t)n > MUCH || memcmp(buf, pattern + shared->bytes, (size_t)n) != 0)
            PUT(shared->wrong, true);
        PUT(shared->bytes, shared->bytes + (size_t)n);
        if (*one_piece) /* a signal for a piece: the call has always got on before it */
            send_signal();
        else
            while (GET(shared->hooked) <= seen && !GET(shared->done))
                send_signal();
        seen = GET(shared->hooked);
    }
}

static void prepare_long(struct ctx *x)
{
    prepare_stream(x);
    skt *pair[2] = { x->s, x->other };
    small_buffers(pair);
    x->file = one_byte_file();
    CHECK_INT(pwrite(x->file, pattern, MUCH, 0), MUCH);
    x->stream = skt_makefile(x->s, "w");
    CHECK(x->stream != NULL);
}

static ssize_t long_sendall(struct ctx *x)
{
    return skt_sendall(x->s, pattern, MUCH, 0) == 0 ? MUCH : -1;
}

static ssize_t long_sendfile(struct ctx *x)
{
    return skt_sendfile(x->s, x->file, 0, 0);
}

static ssize_t long_sendfile_part(struct ctx *x)
{
    return skt_sendfile(x->s, x->file, 0, MUCH);
}

static ssize_t long_fwrite(struct ctx *x)
{
    return fwrite(pattern, 1, MUCH, x->stream) == MUCH ? MUCH : -1;
}

static const struct call long_calls[] = {
    { "sendall", prepare_long, long_sendall, NULL },
    { "sendfile", prepare_long, long_sendfile, NULL },
    { "sendfile of a part", prepare_long, long_sendfile_part, NULL },
    { "fwrite", prepare_long, long_fwrite, NULL },
};
#define LONG_CALLS (sizeof long_calls / sizeof *long_calls)

static void pieces_arrive_once(void)
{
    const bool one_piece = false;
    for (size_t i = 0; i < LONG_CALLS; i++)
        for (int timeout = 0; timeout < 2; timeout++) {
            struct ctx x;
            begin(&long_calls[i], &x, timeout);
            skt_on_interrupt(count_call, &go_on);
            pid_t child = start_child(&x, sip, &one_piece);
            CHECK_INT(long_calls[i].run(&x), MUCH);
            CHECK(shared->hooked >= ENOUGH && !shared->elsewhere);
            end(&x, child);
            CHECK_INT(shared->bytes, MUCH);
        }
}

/* The kernel gives a count, and no EINTR, when the signal comes after a part: the hook is asked all the same. */
static void hook_ends_after_a_piece(void)
{
    const bool one_piece = true;
    for (size_t i = 0; i < LONG_CALLS; i++)
        for (int timeout = 0; timeout < 2; timeout++) {
            struct ctx x;
            begin(&long_calls[i], &x, timeout);
            skt_on_interrupt(count_call, &stop);
            pid_t child = start_child(&x, sip, &one_piece);
            errno = 0;
            ssize_t n = long_calls[i].run(&x);
            if (n != -1 || errno != EINTR || shared->hooked != 1)
                check_failed(__FILE__, __LINE__, "%s: %zd, errno %d, %d calls of the hook", long_calls[i].name, n,
                             errno, shared->hooked);
            size_t sent = skt_error_record()->done;
            CHECK(sent > 0 && sent < MUCH);
            end(&x, child);
            CHECK_INT(shared->bytes, sent);
        }
}

#define DATAGRAMS 200

/* As sip, for datagrams of PIECE / 16 bytes. */
static void sip_datagrams(const struct ctx *x, const void *arg)
{
    char buf[PIECE];
    (void)arg;
    while (!GET(shared->done)) {
        ssize_t n = recv(skt_fileno(x->other), buf, sizeof buf, MSG_DONTWAIT);
        if (n > 0)
            PUT(shared->bytes, shared->bytes + 1);
        send_signal();
    }
    while (recv(skt_fileno(x->other), buf, sizeof buf, MSG_DONTWAIT) > 0)
        PUT(shared->bytes, shared->bytes + 1);
}

static void hook_ends_a_batch(void)
{
    for (int timeout = 0; timeout < 2; timeout++) {
        static const struct call batch = { "sendmmsg", prepare_datagrams, NULL, NULL };
        struct ctx x;
        skt_datagram d[DATAGRAMS];
        for (size_t i = 0; i < DATAGRAMS; i++)
            d[i] = (skt_datagram){ .data = pattern, .len = PIECE / 16 };
        begin(&batch, &x, timeout);
        skt_on_interrupt(count_call, &stop);
        pid_t child = start_child(&x, sip_datagrams, NULL);
        ssize_t n = skt_sendmmsg(x.s, d, DATAGRAMS, 0);
        CHECK(n > 0 && n < DATAGRAMS);
        CHECK_INT(shared->hooked, 1);
        CHECK(skt_error_record()->domain == SKT_ERROR_SYSTEM && skt_error_record()->code == EINTR);
        end(&x, child);
        CHECK_INT(shared->bytes, n);
    }
}

/* Nothing is asked where no signal was: a short count can be an error's, and a file's end. */
static void take_some_and_end(const struct ctx *x, const void *arg)
{
    char buf[PIECE];
    (void)arg;
    if (read(skt_fileno(x->other), buf, sizeof buf) <= 0)
        PUT(shared->wrong, true);
}

static void no_signal_no_hook(void)
{
    for (size_t i = 0; i < LONG_CALLS; i++)
        for (int timeout = 0; timeout < 2; timeout++) {
            struct ctx x;
            begin(&long_calls[i], &x, timeout);
            skt_on_interrupt(count_call, &stop);
            pid_t child = start_child(&x, take_some_and_end, NULL);
            skt_close(x.other);
            x.other = NULL;
            CHECK_INT(long_calls[i].run(&x), -1);
            CHECK(skt_error_record()->code == EPIPE || skt_error_record()->code == ECONNRESET);
            CHECK_INT(shared->hooked, 0);
            end(&x, child);
        }
    struct ctx x;
    begin(&calls[0], &x, false);
    x.file = one_byte_file();
    skt_on_interrupt(count_call, &stop);
    CHECK_INT(skt_sendfile(x.s, x.file, 0, 0), 1);
    CHECK_INT(skt_sendfile(x.s, x.file, 0, 100), 1);
    CHECK_INT(shared->hooked, 0);
    skt_on_interrupt(NULL, NULL);
    skt_close(x.s);
    skt_close(x.other);
    close(x.file);
}

/* ---- SIGPIPE ---- */

/* To a peer that is gone, until the kernel says so.  In this program SIGPIPE has its default action: one would end it.
 */
static void check_no_sigpipe(ssize_t (*run)(struct ctx *x), bool tcp, bool timeout)
{
    struct ctx x = { .file = one_byte_file() };
    skt *pair[2];
    if (tcp)
        tcp_pair(pair);
    else
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    x.s = pair[0];
    x.stream = skt_makefile(x.s, "rw");
    CHECK_INT(skt_settimeout(x.s, timeout ? 1000 : SKT_NO_TIMEOUT), 0);
    if (tcp)
        CHECK_INT(skt_getpeername(x.s, &x.addr), 0);
    skt_close(pair[1]);
    int errors = 0;
    while (errors < 2) { /* the first may be ECONNRESET */
        ssize_t n = run(&x);
        CHECK(n == 1 || errno == EPIPE || errno == ECONNRESET);
        errors += n != 1;
    }
    CHECK_INT(errno, EPIPE);
    fclose(x.stream);
    skt_close(x.s);
    close(x.file);
}

static ssize_t call_send_fds(struct ctx *x)
{
    return skt_send_fds(x->s, "x", 1, &x->file, 1, 0);
}

static void no_sigpipe(void)
{
    static ssize_t (*const ways[])(struct ctx * x) = { call_send,     call_sendall,  call_sendmsg,
                                                       call_sendmmsg, call_sendfile, call_fputc };
    struct sigaction action;
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    for (int timeout = 0; timeout < 2; timeout++) {
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
            for (int tcp = 0; tcp < 2; tcp++)
                check_no_sigpipe(ways[i], tcp, timeout);
        check_no_sigpipe(call_sendto, true, timeout);
        check_no_sigpipe(call_send_fds, false, timeout);
    }
}

static void take_some_and_reset(const struct ctx *x, const void *arg)
{
    char buf[1000];
    int fd = skt_fileno(x->other);
    (void)arg;
    shutdown(fd, SHUT_WR);
    if (read(fd, buf, sizeof buf) <= 0)
        PUT(shared->wrong, true);
    while (!GET(shared->done))
        moment();
}

/* sendfile(2) may raise SIGPIPE and yet return a count, if the peer goes after a part. */
static void no_sigpipe_half_way(void)
{
    for (int timeout = 0; timeout < 2; timeout++)
        for (int buffer = 4096; buffer < 200000; buffer += 30000) {
            struct ctx x = { .file = one_byte_file() };
            skt *pair[2];
            CHECK_INT(pwrite(x.file, pattern, MUCH, 0), MUCH);
            *shared = (struct shared){ 0 };
            tcp_pair(pair);
            x.s = pair[0];
            x.other = pair[1];
            CHECK_INT(skt_setsockopt_int(x.s, SOL_SOCKET, SO_SNDBUF, buffer), 0);
            CHECK_INT(skt_setsockopt_int(x.other, SOL_SOCKET, SO_RCVBUF, 4096), 0);
            CHECK_INT(skt_settimeout(x.s, timeout ? 1000 : SKT_NO_TIMEOUT), 0);
            shared->done = true; /* the child goes as soon as it has taken some */
            pid_t child = start_child(&x, take_some_and_reset, NULL);
            skt_close(x.other);
            CHECK_INT(skt_sendfile(x.s, x.file, 0, 0), -1);
            CHECK(errno == EPIPE || errno == ECONNRESET);
            skt_close(x.s);
            end_child(child);
            close(x.file);
        }
}

static bool sigpipe_waits(void)
{
    sigset_t pending;
    CHECK_INT(sigpending(&pending), 0);
    return sigismember(&pending, SIGPIPE);
}

static bool sigpipe_is_blocked(void)
{
    sigset_t mask;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    return sigismember(&mask, SIGPIPE);
}

static void pending_sigpipe(void)
{
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    CHECK(!sigpipe_is_blocked());
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &pipe, &before), 0);
    for (int waiting = 0; waiting < 2; waiting++) {
        if (waiting)
            CHECK_INT(raise(SIGPIPE), 0);
        check_no_sigpipe(call_sendfile, false, false);
        check_no_sigpipe(call_sendfile, true, true);
        check_no_sigpipe(call_send, true, false);
        CHECK_INT(sigpipe_waits(), waiting);
        CHECK(sigpipe_is_blocked());
    }
    CHECK_INT(sigtimedwait(&pipe, NULL, &(struct timespec){ 0 }), SIGPIPE);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    check_no_sigpipe(call_sendfile, false, false);
    CHECK(!sigpipe_is_blocked() && !sigpipe_waits());
}

/* ---- Threads ---- */

#define READERS 4

static struct reader {
    skt *s;
    pthread_t thread;
    bool waits, ended;
    int code, hooked;
} readers[READERS];

static int victim;

/* Ends the victim's call, and no other. */
static int end_victim(void *arg)
{
    (void)arg;
    for (int i = 0; i < READERS; i++)
        if (pthread_equal(pthread_self(), readers[i].thread)) {
            __atomic_add_fetch(&readers[i].hooked, 1, __ATOMIC_SEQ_CST);
            return i == GET(victim);
        }
    check_failed(__FILE__, __LINE__, "the hook runs in a thread that is in no call");
}

static void read_in_thread(void *arg)
{
    struct reader *r = arg;
    char c;
    r->thread = pthread_self();
    PUT(r->waits, true);
    r->code = skt_recv(r->s, &c, 1, 0) == 1 ? 0 : errno;
    PUT(r->ended, true);
}

/* In a task of its own thread, if the other case is in one. */
static void read_in_task(void *arg)
{
    CHECK_INT(skt_run(read_in_thread, arg), 0);
}

static void hook_runs_in_the_calls_thread(void)
{
    skt *others[READERS];
    struct peer peers[READERS];
    memset(readers, 0, sizeof readers);
    PUT(victim, -1);
    skt_on_interrupt(end_victim, NULL);
    for (int i = 0; i < READERS; i++) {
        skt *pair[2];
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        readers[i].s = pair[0];
        others[i] = pair[1];
        start_thread_peer(&peers[i], skt_in_task() ? read_in_task : read_in_thread, &readers[i]);
        while (!GET(readers[i].waits))
            moment();
    }
    for (int i = 0; i < READERS; i++) /* none ends by its signals */
        while (GET(readers[i].hooked) < ENOUGH) {
            CHECK_INT(pthread_kill(peers[i].thread, SIGUSR1), 0);
            moment();
        }
    PUT(victim, 2);
    while (!GET(readers[2].ended)) {
        for (int i = 0; i < READERS; i++)
            CHECK_INT(pthread_kill(peers[i].thread, SIGUSR1), 0);
        moment();
    }
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(GET(readers[i].ended), i == 2);
        CHECK_INT(skt_sendall(others[i], "x", 1, 0), 0);
        join_peer(&peers[i]);
        CHECK_INT(readers[i].code, i == 2 ? EINTR : 0);
        skt_close(readers[i].s);
        skt_close(others[i]);
    }
    skt_on_interrupt(NULL, NULL);
}

/* ---- Tasks ---- */

/* One wait of the thread is the wait of them all. */
static void hook_ends_all_tasks(void)
{
    skt *others[READERS];
    struct peer peers[READERS];
    memset(readers, 0, sizeof readers);
    *shared = (struct shared){ 0 };
    for (int i = 0; i < READERS; i++) {
        skt *pair[2];
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        readers[i].s = pair[0];
        others[i] = pair[1];
        CHECK_INT(skt_settimeout(readers[i].s, i % 2 ? 1000 : SKT_NO_TIMEOUT), 0);
        start_peer(&peers[i], read_in_thread, &readers[i]);
        wait_until_blocked(&peers[i]);
    }
    skt_on_interrupt(count_call, &stop);
    struct ctx x = { .s = readers[0].s };
    pid_t child = start_child(&x, storm, NULL);
    for (int i = 0; i < READERS; i++)
        join_peer(&peers[i]);
    CHECK_INT(GET(shared->hooked), 1);
    PUT(shared->done, true);
    end_child(child);
    skt_on_interrupt(NULL, NULL);
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(readers[i].code, EINTR);
        skt_close(readers[i].s);
        skt_close(others[i]);
    }
}

/* ---- The library's own threads, and the program's handlers ---- */

static sigset_t helpers_mask;
static bool helper_seen, helper_may_go;

/* A resolver that looks at the thread it is called in.  It is in the table from the beginning, since helpers look
 * into that in their own time. */
static int look_at_thread(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (hints->ai_flags & AI_NUMERICHOST)
        return getaddrinfo(host, service, hints, list);
    pthread_sigmask(SIG_BLOCK, NULL, &helpers_mask);
    PUT(helper_seen, true);
    while (!GET(helper_may_go))
        moment();
    return EAI_NONAME;
}

static void look_up(void *arg)
{
    skt_addrinfo *list;
    (void)arg;
    CHECK_ERRNO(skt_getaddrinfo("name.invalid", NULL, 0, 0, 0, 0, 1000, &list), EHOSTUNREACH);
}

/* Everybody but the helper has the signal blocked: it must not take it. */
static void helpers_take_no_signals(void)
{
    struct peer peer;
    sigset_t usr1, before, pending;
    *shared = (struct shared){ 0 };
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &usr1, &before), 0);
    start_peer(&peer, look_up, NULL);
    while (!GET(helper_seen))
        moment();
    for (int sig = 1; sig < 32; sig++)
        CHECK(sig == SIGKILL || sig == SIGSTOP || sigismember(&helpers_mask, sig));
    for (int sig = SIGRTMIN; sig <= SIGRTMAX - (under_qemu() ? 2 : 0); sig++) /* it keeps two for itself */
        CHECK(sigismember(&helpers_mask, sig));
    CHECK_INT(kill(getpid(), SIGUSR1), 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    PUT(helper_may_go, true);
    join_peer(&peer);
    CHECK_INT(shared->handled, 0);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0); /* now it comes */
    CHECK_INT(shared->handled, 1);
    wait_for_threads(2);
}

/* A look-up that waits for its helper is a call as any other. */
static void *signal_main(void *arg)
{
    pthread_t *thread = arg;
    while (!GET(shared->done)) {
        CHECK_INT(pthread_kill(*thread, SIGUSR1), 0);
        moment();
    }
    return NULL;
}

static void hook_ends_a_look_up(void)
{
    pthread_t self = pthread_self(), thread;
    sigset_t all, before;
    skt_addrinfo *list;
    *shared = (struct shared){ 0 };
    PUT(helper_may_go, false);
    skt_on_interrupt(count_call, &stop);
    sigfillset(&all);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    CHECK_INT(pthread_create(&thread, NULL, signal_main, &self), 0);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK_ERRNO(skt_getaddrinfo("name.invalid", NULL, 0, 0, 0, 0, SKT_NO_TIMEOUT, &list), EINTR);
    CHECK_STR(skt_strerror(), "getaddrinfo name.invalid: Interrupted system call");
    CHECK_INT(shared->hooked, 1);
    PUT(shared->done, true);
    CHECK_INT(pthread_join(thread, NULL), 0);
    PUT(helper_may_go, true);
    skt_on_interrupt(NULL, NULL);
    wait_for_threads(2);
}

#define SIGNALS 65
static struct sigaction actions[SIGNALS];

static void remember_actions(void)
{
    for (int sig = 1; sig < SIGNALS; sig++)
        sigaction(sig, NULL, &actions[sig]);
}

/* After all that the other cases did. */
static void no_handler_installed(void)
{
    const int restorer = 0x04000000; /* the C library's own, with any action that has been set, SIG_DFL too */
    for (int sig = 1; sig < SIGNALS; sig++) {
        struct sigaction now = { .sa_flags = 0 };
        if (sigaction(sig, NULL, &now) == 0)
            CHECK(now.sa_handler == actions[sig].sa_handler && !((now.sa_flags ^ actions[sig].sa_flags) & ~restorer));
    }
}

/* A thread that only exists: with it, we are not alone in the process. */
static int gate[2];

static void exist(void *arg)
{
    char c;
    (void)arg;
    CHECK_INT(read(gate[0], &c, 1), 0);
}

static void install_handlers(void)
{
    struct sigaction action = { .sa_handler = handle }; /* without SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_DFL;
    sigaction(SIGPIPE, &action, NULL);
    remember_actions();
}

/* Signals for the process are for the main thread. */
static void start_bystander(struct peer *peer)
{
    sigset_t all, before;
    sigfillset(&all);
    CHECK_INT(pipe2(gate, O_CLOEXEC), 0);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    start_peer(peer, exist, NULL);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

int main(int argc, char **argv)
{
    /* The two variants differ in their last cases; while tasks run there is a handler, for SIGSEGV: stack overflows. */
    static const struct test_case cases[] = {
        { "a call goes on after signals", calls_go_on },
        { "with what is left of its time", time_goes_on },
        { "and under an interval timer", timer_storm },
        { "the hook ends a call with EINTR", hook_ends },
        { "a hook that is taken away is not called", no_hook_no_end },
        { "sendall, sendfile and FILEs: pieces arrive once, with the hook between them", pieces_arrive_once },
        { "and the hook ends them after a piece", hook_ends_after_a_piece },
        { "and a batch", hook_ends_a_batch },
        { "without a signal the hook is not called", no_signal_no_hook },
        { "a peer that is gone is EPIPE and no SIGPIPE", no_sigpipe },
        { "also when it goes half way through a file", no_sigpipe_half_way },
        { "a SIGPIPE that was pending stays", pending_sigpipe },
        { "no handler is installed", no_handler_installed, ON_THREAD },
        { "the hook runs in the thread of the call", hook_runs_in_the_calls_thread },
        { "helper threads take no signals", helpers_take_no_signals },
        { "the hook ends a look-up", hook_ends_a_look_up },
        { "the hook ends every task's call", hook_ends_all_tasks, IN_TASK },
    };
    const size_t alone = 13, all = sizeof cases / sizeof *cases;
    struct peer peer;
    for (size_t i = 0; i < MUCH; i++)
        pattern[i] = (char)(i * 2654435761u >> 13);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    program = getpid();
    main_thread = (int)syscall(SYS_gettid);
    install_handlers();
    bool threads = argc > 1 && !strcmp(argv[1], "threads");
    if (!threads)
        return run_cases(cases, alone, EVERYWHERE);
    skti_sys.getaddrinfo = look_at_thread;
    start_bystander(&peer);
    int status = run_cases(cases, all, EVERYWHERE);
    close(gate[1]);
    join_peer(&peer);
    close(gate[0]);
    return status;
}
