/* overflow.c - a stack overflow runs into the guard page below the stack: see overflow.h.
 *
 * The handler needs a stack of its own, since the task's is full: one for each thread that runs tasks. */
#include "overflow.h"
#include "sys.h"
#include "task.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_STACK ((size_t)32 << 10)

static struct {
    pthread_mutex_t lock;
    unsigned threads;
    struct sigaction before;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local stack_t stack_before;
static _Thread_local char *own_stack;

static void say(const struct skti_task *t)
{
    static const char words[] = ": stack overflow (see stack_size of skt_run_options)\n";
    char message[160] = "skt: ";
    size_t len = 5 + skti_task_label(t, message + 5, 64);
    memcpy(message + len, words, sizeof words);
    if (write(STDERR_FILENO, message, len + sizeof words - 1) < 0)
        return;
}

/* Whether the program's own handler has been asked, which may set things right and go on. */
static bool ask_before(int signo, siginfo_t *info, void *context)
{
    if (state.before.sa_flags & SA_SIGINFO)
        state.before.sa_sigaction(signo, info, context);
    else if (state.before.sa_handler != SIG_DFL && state.before.sa_handler != SIG_IGN)
        state.before.sa_handler(signo);
    else
        return false;
    return true;
}

/* The fault happens again after the return, and then takes its course. */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    struct skti_scheduler *s = skti_scheduler;
    if (s && s->running != &s->main && skti_stack_guards(&s->stacks, s->running->top, info->si_addr))
        say(s->running);
    else if (ask_before(signo, info, context))
        return;
    sigaction(signo, &state.before, NULL);
}

static void give_stack(void)
{
    own_stack = skti_sys.malloc(OWN_STACK);
    stack_t stack = { .ss_sp = own_stack, .ss_size = OWN_STACK };
    if (own_stack && sigaltstack(&stack, &stack_before) < 0) {
        skti_sys.free(own_stack);
        own_stack = NULL;
    }
}

void skti_overflow_watch(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    give_stack();
    pthread_mutex_lock(&state.lock);
    if (state.threads++ == 0)
        sigaction(SIGSEGV, &action, &state.before);
    pthread_mutex_unlock(&state.lock);
}

void skti_overflow_unwatch(void)
{
    struct sigaction now;
    pthread_mutex_lock(&state.lock);
    if (--state.threads == 0 && sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == on_fault)
        sigaction(SIGSEGV, &state.before, NULL);
    pthread_mutex_unlock(&state.lock);
    if (own_stack)
        sigaltstack(&stack_before, NULL);
    skti_sys.free(own_stack);
    own_stack = NULL;
}
