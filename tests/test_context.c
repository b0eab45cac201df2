/* test_context.c - the change of stacks, whichever of its forms is built: what has to be as it was
 * when a stack goes on, and what is the thread's. */
#include "check.h"
#include "context.h"
#include "registers.h"
#include "task.h"
#include <signal.h>
#include <stdlib.h>

#define STACK (64 << 10)

static void *main_stack, *other_stack;

static char *new_stack(void (*run)(void *arg), void *arg)
{
    char *low = aligned_alloc(64, STACK);
    CHECK(low != NULL);
    other_stack = skti_context(low + STACK, run, arg);
    return low;
}

/* ---- A stack begins, and goes on ---- */

static int steps[4], step;

static void take_steps(void *arg)
{
    CHECK(arg == steps);
    CHECK_INT((uintptr_t)__builtin_frame_address(0) % 16, 0);
    for (;;) {
        steps[step++] = 2;
        skti_switch(&other_stack, main_stack);
    }
}

static void beginning(void)
{
    char *low = new_stack(take_steps, steps);
    unsigned id = skti_fibre_map(low, low + STACK);
    for (step = 0; step < 4;) {
        steps[step++] = 1;
        skti_switch(&main_stack, other_stack);
    }
    for (int i = 0; i < 4; i++)
        CHECK_INT(steps[i], i % 2 + 1);
    skti_fibre_unmap(id);
    free(low);
}

/* ---- Registers ---- */

#ifdef REGISTERS
#define TURNS 10

/* No two alike: of any register, turn or owner. */
static void make_pattern(uint64_t *pattern, uint64_t owner, uint64_t turn)
{
    for (uint64_t i = 0; i < REGISTERS; i++)
        pattern[i] = (owner << 32 | turn << 16 | (i + 1)) * 0x9e3779b97f4a7c15ull;
}

static void check_pattern(const uint64_t *before, const uint64_t *after)
{
    for (int i = 0; i < REGISTERS; i++)
        if (after[i] != before[i])
            check_failed(__FILE__, __LINE__, "register %d was %#llx, and is %#llx", i, (unsigned long long)before[i],
                         (unsigned long long)after[i]);
}

/* Calls with values of its own in the registers, and looks whether they are still there. */
static void keep_registers(uint64_t owner, uint64_t turn, void (*call)(void *first, void *second), void *first,
                           void *second)
{
    uint64_t before[REGISTERS], after[REGISTERS] = { 0 };
    make_pattern(before, owner, turn);
    registers_over(before, after, call, first, second);
    check_pattern(before, after);
}

/* skti_switch itself is what is called: a function in between might save registers of its own. */
static void (*const bare_switch)(void *from, void *to) = (void (*)(void *, void *))skti_switch;

static void keep_registers_there(void *unused)
{
    (void)unused;
    for (uint64_t turn = 0;; turn++)
        keep_registers(2, turn, bare_switch, &other_stack, main_stack);
}

static void registers(void)
{
    char *low = new_stack(keep_registers_there, NULL);
    unsigned id = skti_fibre_map(low, low + STACK);
    for (uint64_t turn = 0; turn < TURNS; turn++)
        keep_registers(1, turn, bare_switch, &main_stack, other_stack);
    skti_fibre_unmap(id);
    free(low);
}

#define TASKS 50

static int kept;

static void yield(void *first, void *second)
{
    (void)first, (void)second;
    skt_yield();
}

static void nap(void *first, void *second)
{
    (void)first, (void)second;
    skt_sleep(0.0001);
}

static void keep_registers_in_task(void *number)
{
    for (uint64_t turn = 0; turn < TURNS; turn++)
        keep_registers((uintptr_t)number, turn, turn % 2 ? nap : yield, NULL, NULL);
    kept++;
}

static void begin_tasks(void *unused)
{
    (void)unused;
    for (uintptr_t i = 1; i <= TASKS; i++)
        CHECK_INT(skt_go(keep_registers_in_task, (void *)i), 0);
}

static void run_tasks(void *unused, void *unused_too)
{
    (void)unused, (void)unused_too;
    CHECK_INT(skt_run(begin_tasks, NULL), 0);
}

/* Also those of whoever called skt_run. */
static void registers_of_tasks(void)
{
    kept = 0;
    keep_registers(0, 0, run_tasks, NULL, NULL);
    CHECK_INT(kept, TASKS);
}
#else
static void registers(void)
{
    SKIP("which registers a call keeps is not known here for this processor");
}

static void registers_of_tasks(void)
{
    registers();
}
#endif

/* ---- Numbers: whatever the compiler keeps where, in every register there is ---- */

static double sum_with_yields(double start)
{
    double a = start, b = start * 2, c = start * 3, d = start * 5;
    long e = (long)start, f = e * 7, g = e * 11, h = e * 13;
    for (int i = 0; i < 20; i++) {
        a += b, e += f;
        skt_yield();
        b += c, f += g;
        skt_yield();
        c += d, g += h;
    }
    return a + b + c + d + (double)(e + f + g + h);
}

static double sums[8];

static void sum(void *arg)
{
    double *result = arg;
    *result = sum_with_yields((double)(result - sums + 1));
}

static void begin_sums(void *unused)
{
    (void)unused;
    for (int i = 0; i < 8; i++)
        CHECK_INT(skt_go(sum, &sums[i]), 0);
}

static void numbers(void)
{
    CHECK_INT(skt_run(begin_sums, NULL), 0);
    for (int i = 0; i < 8; i++)
        CHECK(sums[i] == sum_with_yields(i + 1));
}

/* ---- What is the thread's ---- */

static bool is_blocked(int signo)
{
    sigset_t mask;
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return sigismember(&mask, signo);
}

static void set_blocked(int how, int signo)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    CHECK_INT(pthread_sigmask(how, &set, NULL), 0);
}

static void see_mask(void *unused)
{
    (void)unused;
    CHECK(!is_blocked(SIGUSR1));
    skt_yield(); /* the other blocks it ... */
    CHECK(is_blocked(SIGUSR1));
    skt_yield(); /* ... and lets it in again */
    CHECK(!is_blocked(SIGUSR1));
}

static void change_mask(void *unused)
{
    CHECK_INT(skt_go(see_mask, unused), 0);
    skt_yield();
    set_blocked(SIG_BLOCK, SIGUSR1);
    skt_yield();
    CHECK(is_blocked(SIGUSR1));
    set_blocked(SIG_UNBLOCK, SIGUSR1);
    skt_yield();
    set_blocked(SIG_BLOCK, SIGUSR2); /* as the last task leaves it */
}

static void signal_mask(void)
{
    CHECK_INT(skt_run(change_mask, NULL), 0);
    CHECK(!is_blocked(SIGUSR1));
    CHECK(is_blocked(SIGUSR2));
    set_blocked(SIG_UNBLOCK, SIGUSR2);
}

static const struct test_case cases[] = {
    { "a stack begins with its argument, and goes on where it was left", beginning },
    { "a switch keeps the registers that a call keeps", registers },
    { "so do tasks that wait, and skt_run", registers_of_tasks },
    { "calculations go on over a wait", numbers },
    { "the signal mask is the thread's", signal_mask },
};

int main(void)
{
    return RUN_CASES_ON_THREAD(cases);
}
