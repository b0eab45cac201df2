/* ping_tally.c - which questions have gone, and what became of each: see ping_tally.h. */
#include "ping_tally.h"
#include <math.h>

static struct ping_probe *slot(struct ping_tally *t, uint32_t number)
{
    return &t->probes[number % PING_WINDOW];
}

static void set_recent(struct ping_tally *t, uint32_t number, double seconds)
{
    if (t->sent - number < PING_RECENT)
        t->recent[number % PING_RECENT] = seconds;
}

bool ping_tally_has_room(const struct ping_tally *t)
{
    return t->probes[(t->sent + 1) % PING_WINDOW].state != PING_WAITING;
}

uint32_t ping_tally_send(struct ping_tally *t, int64_t now)
{
    t->sent++;
    *slot(t, t->sent) = (struct ping_probe){ .state = PING_WAITING, .sent = now };
    set_recent(t, t->sent, NAN);
    t->waiting++;
    if (t->oldest == 0)
        t->oldest = 1;
    return t->sent;
}

uint32_t ping_tally_number(const struct ping_tally *t, uint32_t low)
{
    uint32_t ago = (t->sent - low) & 0xffff;
    return ago < t->sent && ago < PING_WINDOW ? t->sent - ago : 0;
}

struct ping_probe *ping_tally_probe(struct ping_tally *t, uint32_t number)
{
    if (number == 0 || number > t->sent || t->sent - number >= PING_WINDOW)
        return NULL;
    return slot(t, number);
}

/* The counter of a state, or NULL. */
static uint64_t *counter(struct ping_tally *t, enum ping_state state)
{
    uint64_t *const counters[] = { [PING_WAITING] = &t->waiting, [PING_ANSWERED] = &t->answered, [PING_LATE] = &t->late,
                                   [PING_LOST] = &t->lost,       [PING_FAILED] = &t->failed,     [PING_NONE] = NULL };
    return counters[state];
}

static void become(struct ping_tally *t, struct ping_probe *probe, enum ping_state state)
{
    --*counter(t, probe->state);
    ++*counter(t, state);
    probe->state = state;
}

enum ping_verdict ping_tally_answer(struct ping_tally *t, uint32_t number, int64_t at, int64_t *took)
{
    struct ping_probe *probe = ping_tally_probe(t, number);
    if (!probe)
        return PING_STRANGE;
    *took = at > probe->sent ? at - probe->sent : 0;
    if (probe->state == PING_ANSWERED || probe->state == PING_LATE) {
        t->duplicates++;
        return PING_DUPLICATE;
    }
    bool late = *took > t->timeout;
    become(t, probe, late ? PING_LATE : PING_ANSWERED);
    cmd_histogram_add(&t->times, *took);
    set_recent(t, number, (double)*took / 1e9);
    return late ? PING_TOO_LATE : PING_IN_TIME;
}

bool ping_tally_fail(struct ping_tally *t, uint32_t number)
{
    struct ping_probe *probe = ping_tally_probe(t, number);
    if (!probe || (probe->state != PING_WAITING && probe->state != PING_LOST))
        return false;
    become(t, probe, PING_FAILED);
    return true;
}

/* The oldest that is waiting, or NULL. */
static struct ping_probe *oldest(struct ping_tally *t)
{
    while (t->oldest > 0 && t->oldest <= t->sent && slot(t, t->oldest)->state != PING_WAITING)
        t->oldest++;
    return t->waiting ? slot(t, t->oldest) : NULL;
}

uint32_t ping_tally_expire(struct ping_tally *t, int64_t now)
{
    struct ping_probe *probe = oldest(t);
    if (!probe || now - probe->sent < t->timeout)
        return 0;
    become(t, probe, PING_LOST);
    return t->oldest;
}

int64_t ping_tally_next_loss(struct ping_tally *t)
{
    const struct ping_probe *probe = oldest(t);
    return probe ? probe->sent + t->timeout : INT64_MAX;
}

double ping_tally_loss(const struct ping_tally *t)
{
    uint64_t over = t->answered + t->late + t->lost + t->failed;
    return over ? (double)(t->lost + t->failed) / (double)over : 0;
}
