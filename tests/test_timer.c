/* test_timer.c - the heap of deadlines, against a list that is looked through from end to end. */
#include "check.h"
#include "timer.h"
#include <stdlib.h>

#define TIMERS 200
#define STEPS 20000

static struct skti_timers timers;
static struct skti_timer all[TIMERS];
static int64_t model[TIMERS]; /* INT64_MAX: not set */
static uint64_t seed;

static uint64_t chance(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static int64_t next_in_model(void)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < TIMERS; i++)
        first = model[i] < first ? model[i] : first;
    return first;
}

static void set_one(size_t i, int64_t at)
{
    skti_timer_set(&timers, &all[i], at);
    model[i] = at;
}

static void remove_one(size_t i)
{
    skti_timer_remove(&timers, &all[i]);
    model[i] = INT64_MAX;
}

/* In order, each once, and none too early. */
static void expire(int64_t now)
{
    struct skti_timer *t;
    while ((t = skti_timers_expired(&timers, now))) {
        CHECK(t >= all && t < all + TIMERS);
        CHECK_INT(model[t - all], next_in_model());
        CHECK(model[t - all] <= now);
        model[t - all] = INT64_MAX;
    }
    CHECK(next_in_model() > now);
}

static void check_all(void)
{
    CHECK_INT(skti_timers_next(&timers), next_in_model());
    for (size_t i = 0; i < TIMERS; i++)
        CHECK_INT(skti_timer_at(&timers, &all[i]), model[i]);
}

static void by_chance(void)
{
    for (uint64_t round = 1; round <= 5; round++) {
        int64_t now = 0;
        seed = round;
        memset(all, 0, sizeof all);
        for (size_t i = 0; i < TIMERS; i++)
            model[i] = INT64_MAX;
        CHECK(skti_timers_reserve(&timers, TIMERS));
        for (int i = 0; i < STEPS; i++) {
            size_t which = chance(TIMERS);
            uint64_t what = chance(10);
            if (what < 6)
                set_one(which,
                        now + (int64_t)chance(round % 2 ? 10 : 100000)); /* few times that are the same, or many */
            else if (what < 9)
                remove_one(which);
            else
                expire(now += (int64_t)chance(50));
            if (i % 16 == 0)
                check_all();
        }
        expire(INT64_MAX - 1);
        check_all();
        skti_timers_destroy(&timers);
    }
}

static void few(void)
{
    struct skti_timer a = { 0 }, b = { 0 };
    CHECK_INT(skti_timers_next(&timers), INT64_MAX);
    CHECK(!skti_timers_expired(&timers, INT64_MAX));
    skti_timer_remove(&timers, &a); /* never set */
    CHECK(skti_timers_reserve(&timers, 2));
    skti_timer_set(&timers, &a, 5);
    skti_timer_set(&timers, &b, 5);
    skti_timer_set(&timers, &b, 4);
    CHECK(!skti_timers_expired(&timers, 3));
    CHECK(skti_timers_expired(&timers, 5) == &b && skti_timers_expired(&timers, 5) == &a);
    CHECK(!skti_timers_expired(&timers, 5));
    skti_timer_set(&timers, &a, INT64_MAX);
    CHECK_INT(skti_timer_at(&timers, &a), INT64_MAX);
    skti_timer_remove(&timers, &a);
    skti_timer_remove(&timers, &a);
    CHECK_INT(timers.n, 0);
    skti_timers_destroy(&timers);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "none, one and two", few },
        { "setting, moving, removing and expiring by chance", by_chance },
    };
    return RUN_CASES_ON_THREAD(cases);
}
