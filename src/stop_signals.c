/* stop_signals.c - SIGTERM and SIGINT end skt_serve gracefully, the second one at once. */
#include "serve.h"
#include "wait.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>

#define MOST 16

static const int signals[] = { SIGTERM, SIGINT };
#define SIGNALS (sizeof signals / sizeof *signals)

/* The handler reads it without the lock.  stop is the eventfd's number + 1; 0: the place is free. */
static struct {
    pthread_mutex_t lock;
    unsigned used;
    int inside; /* handlers that are running, on any thread: they may be about to write to an eventfd */
    struct sigaction before[SIGNALS];
    struct place {
        int stop, hurry, received;
    } places[MOST];
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_signal(int signo)
{
    int keep = errno;
    (void)signo;
    __atomic_add_fetch(&state.inside, 1, __ATOMIC_SEQ_CST);
    for (struct place *p = state.places; p < state.places + MOST; p++) {
        int stop = __atomic_load_n(&p->stop, __ATOMIC_SEQ_CST);
        if (stop > 0)
            skti_set_off(__atomic_fetch_add(&p->received, 1, __ATOMIC_RELAXED) ? p->hurry : stop - 1);
    }
    __atomic_sub_fetch(&state.inside, 1, __ATOMIC_SEQ_CST);
    errno = keep;
}

static void take_signals(void)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        sigaction(signals[i], NULL, &state.before[i]);
        if (state.before[i].sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}

static void give_signals_back(void)
{
    struct sigaction now;
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == on_signal)
            sigaction(signals[i], &state.before[i], NULL);
}

void skti_stop_signals(int stop, int hurry)
{
    pthread_mutex_lock(&state.lock);
    for (struct place *p = state.places; p < state.places + MOST; p++) {
        if (p->stop > 0)
            continue;
        p->hurry = hurry;
        p->received = 0;
        __atomic_store_n(&p->stop, stop + 1, __ATOMIC_RELEASE);
        if (state.used++ == 0)
            take_signals();
        break;
    }
    pthread_mutex_unlock(&state.lock);
}

void skti_stop_signals_end(int stop)
{
    pthread_mutex_lock(&state.lock);
    for (struct place *p = state.places; p < state.places + MOST; p++) {
        if (p->stop != stop + 1)
            continue;
        __atomic_store_n(&p->stop, 0, __ATOMIC_SEQ_CST);
        if (--state.used == 0)
            give_signals_back();
    }
    while (__atomic_load_n(&state.inside, __ATOMIC_SEQ_CST) > 0)
        sched_yield();
    pthread_mutex_unlock(&state.lock);
}
