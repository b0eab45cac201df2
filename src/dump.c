/* dump.c - what every task is doing, for whoever wonders why a program stands still.
 *
 * It may run in a signal handler, in the middle of anything: so it takes no lock and no memory, and
 * goes through the list of tasks, which is whole at every moment for whoever follows all_next. */
#include "address.h"
#include "error.h"
#include "object.h"
#include "run.h"
#include "task.h"
#include "wait.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct line {
    char text[512];
    size_t used;
};

static void add(struct line *l, const char *text)
{
    while (*text && l->used < sizeof l->text - 1)
        l->text[l->used++] = *text++;
}

static void add_number(struct line *l, uint64_t n)
{
    char digits[24], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    add(l, at);
}

static void add_seconds(struct line *l, int64_t ns)
{
    ns = ns > 0 ? ns : 0;
    add_number(l, (uint64_t)ns / 1000000000);
    add(l, ".");
    add_number(l, (uint64_t)ns / 100000000 % 10);
    add(l, " s");
}

/* The descriptor, and who is connected: the peer is read without its lock, which the interrupted
 * thread may hold. */
static void add_socket(struct line *l, const skt *s)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr peer;
    add(l, " on descriptor ");
    add_number(l, (uint64_t)(skti_fd(s) < 0 ? 0 : skti_fd(s)));
    if (!s->peer_len)
        return;
    memcpy(&peer.as, &s->peer, s->peer_len);
    skti_addr_received(&peer, s->peer_len, s->proto);
    add(l, ", peer ");
    add(l, skt_addr_text(&peer, text, sizeof text));
}

static void add_state(struct line *l, const struct skti_task *t, int64_t now)
{
    if (t->state != SKTI_PARKED) {
        add(l, t == skti_scheduler->running ? "runs" : "is ready");
        return;
    }
    add(l, "waits ");
    add(l, t->reason.what);
    if (t->reason.subject)
        add_socket(l, t->reason.subject);
    add(l, ", for ");
    add_seconds(l, now - t->since);
    if (t->until != SKTI_FOREVER) {
        add(l, ", until in ");
        add_seconds(l, t->until - now);
    }
}

static void add_stack(struct line *l, const struct skti_scheduler *s, const struct skti_task *t)
{
    add(l, "; stack ");
    if (t != s->running) {
        add_number(l, (uint64_t)((char *)t->top - (char *)t->saved));
        add(l, " bytes now, ");
    }
    add_number(l, skti_stack_touched(&s->stacks, t->top));
    add(l, " at most");
}

static bool put(int fd, struct line *l)
{
    size_t done = 0;
    add(l, "\n");
    l->text[l->used - 1] = '\n'; /* also where it was cut */
    while (done < l->used) {
        ssize_t n = write(fd, l->text + done, l->used - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    l->used = 0;
    return true;
}

static void dump(int fd, const struct skti_scheduler *s)
{
    struct line l = { .used = 0 };
    int64_t now = skti_now();
    add(&l, "skt: tasks of process ");
    add_number(&l, (uint64_t)getpid());
    add(&l, ", thread ");
    add_number(&l, (uint64_t)syscall(SYS_gettid));
    add(&l, ": ");
    add_number(&l, s->count);
    bool ok = put(fd, &l);
    for (const struct skti_task *t = s->all; t && ok; t = t->all_next) {
        add(&l, "  ");
        l.used += skti_task_label(t, l.text + l.used, 64);
        add(&l, " ");
        add_state(&l, t, now);
        add_stack(&l, s, t);
        ok = put(fd, &l);
    }
}

void skt_dump(int fd)
{
    int keep = errno;
    if (skti_scheduler)
        dump(fd, skti_scheduler);
    errno = keep;
}

void skt_name_task(const char *name)
{
    if (!skti_scheduler || !name)
        return;
    struct skti_task *t = skti_scheduler->running;
    size_t len = strnlen(name, sizeof t->name - 1);
    memcpy(t->name, name, len);
    t->name[len] = '\0';
}

/* ---- By a signal ---- */

/* The signal comes to one thread; that one passes it on to the others that run tasks. */
static void on_signal(int signo, siginfo_t *info, void *context)
{
    int keep = errno;
    (void)context;
    if (!skti_is_passed_on(info))
        skti_signal_schedulers(signo);
    skt_dump(STDERR_FILENO);
    errno = keep;
}

int skt_dump_on_signal(int signo)
{
    /* Not on the stack of a task, which may be small: on the one that overflow.c gives each thread. */
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    return sigaction(signo, &action, NULL) < 0 ? skti_fail("dump_on_signal", errno) : 0;
}
