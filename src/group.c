/* group.c - tasks that are waited for, or cancelled, as a whole. */
#include "error.h"
#include "run.h"
#include "sys.h"
#include "task.h"
#include "wait.h"
#include <errno.h>

struct skti_group {
    struct skti_scheduler *scheduler;
    struct skti_task *first; /* those that have not ended */
    struct skti_waitlist waiting;
    unsigned inside; /* calls that wait for it */
    bool closing;
};

static struct skti_group *inside(skt_group *g)
{
    return (struct skti_group *)g;
}

/* A group belongs to the thread that made it. */
static bool usable(const char *call, skt_group *g)
{
    if (!g)
        return false;
    if (inside(g)->scheduler == skti_scheduler)
        return true;
    skti_fail_argument(call, EPERM, "the group belongs to another thread's tasks");
    return false;
}

skt_group *skt_group_new(void)
{
    if (!skti_in_task()) {
        skti_fail_argument("group_new", EPERM, "tasks exist only inside skt_run");
        return NULL;
    }
    struct skti_group *g = skti_sys.calloc(1, sizeof *g);
    if (!g) {
        skti_fail("group_new", ENOMEM);
        return NULL;
    }
    g->scheduler = skti_scheduler;
    return (skt_group *)g;
}

/* The newest is the first. */
void skti_group_joined(struct skti_task *t)
{
    struct skti_group *g = t->group;
    t->group_next = g->first;
    if (g->first)
        g->first->group_prev = t;
    g->first = t;
}

void skti_group_left(struct skti_task *t)
{
    struct skti_group *g = t->group;
    if (t->group_next)
        t->group_next->group_prev = t->group_prev;
    if (t->group_prev)
        t->group_prev->group_next = t->group_next;
    else
        g->first = t->group_next;
    if (!g->first)
        skti_wake_all(&g->waiting, 0);
}

bool skti_group_closing(const struct skti_group *group)
{
    return group->closing;
}

int skt_group_go(skt_group *g, void (*fn)(void *arg), void *arg)
{
    if (!usable("group_go", g))
        return -1;
    if (inside(g)->closing)
        return skti_fail("group_go", ECANCELED);
    return skti_go("group_go", fn, arg, inside(g));
}

static int wait_until_empty(struct skti_group *g, int64_t until, bool cancellable)
{
    static const struct skti_reason reason = { "for a group of tasks", NULL };
    int code = 0;
    g->inside++;
    while (g->first && code == 0)
        code = skti_park(&g->waiting, reason, until, cancellable);
    g->inside--;
    return g->first || code == ECANCELED ? code : 0;
}

int skt_group_wait(skt_group *g)
{
    if (!usable("group_wait", g))
        return -1;
    int code = skti_checkpoint();
    if (code == 0)
        code = wait_until_empty(inside(g), skti_deadline(-1), true);
    if (code == ETIMEDOUT)
        return skti_fail_at("group_wait", NULL, NULL, code, SKTI_OWN_TIMEOUT);
    return code ? skti_fail("group_wait", code) : 0;
}

int skt_group_cancel(skt_group *g)
{
    if (!usable("group_cancel", g))
        return -1;
    for (struct skti_task *t = inside(g)->first; t; t = t->group_next)
        skti_cancel_task(t);
    return 0;
}

int skt_group_close(skt_group *g)
{
    if (!g)
        return 0;
    if (!usable("group_close", g))
        return -1;
    if (skti_scheduler->running->group == inside(g))
        return skti_fail_argument("group_close", EDEADLK, "a task cannot wait for the end of its own group");
    inside(g)->closing = true;
    skt_group_cancel(g);
    wait_until_empty(inside(g), SKTI_FOREVER, false);
    while (inside(g)->inside > 0)
        skti_yield(); /* who waited too has been woken, and has yet to leave */
    skti_sys.free(g);
    return 0;
}
