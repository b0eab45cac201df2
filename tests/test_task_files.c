/* test_task_files.c - FILEs in tasks: each its own, and what becomes of one that two of them use. */
#include "check.h"
#include "peer.h"
#include "task.h"
#include "task_time.h"

static skt *pair[2];
static FILE *file;

/* A dialogue in lines, a hundred at a time. */
struct dialogue {
    skt *ends[2];
    int number;
};

static void answer_lines(void *arg)
{
    struct dialogue *d = arg;
    char line[64];
    FILE *own = skt_makefile(d->ends[1], "rw");
    while (fgets(line, sizeof line, own))
        // cppcheck-suppress IOWithoutPositioning ; skt's FILEs can
        CHECK(fprintf(own, "got %s", line) > 0);
    CHECK(feof(own) && !ferror(own) && fclose(own) == 0);
    skt_close(d->ends[1]);
}

static void ask_in_lines(void *arg)
{
    struct dialogue *d = arg;
    char line[64], expected[64];
    FILE *in = skt_makefile(d->ends[0], "r"), *out = skt_makefile(d->ends[0], "w");
    for (int i = 0; i < 20; i++) {
        CHECK(fprintf(out, "line %d of %d\n", i, d->number) > 0 && fflush(out) == 0);
        CHECK(fgets(line, sizeof line, in));
        snprintf(expected, sizeof expected, "got line %d of %d\n", i, d->number);
        CHECK_STR(line, expected);
    }
    CHECK_INT(skt_shutdown(d->ends[0], SHUT_WR), 0);
    CHECK(fgetc(in) == EOF && feof(in));
    CHECK(fclose(in) == 0 && fclose(out) == 0);
    skt_close(d->ends[0]);
}

static void start_dialogues(void *arg)
{
    struct dialogue *all = arg;
    for (int i = 0; i < 100; i++) {
        all[i].number = i;
        CHECK_INT(skt_socketpair(0, 0, 0, all[i].ends), 0);
        go(answer_lines, &all[i]);
        go(ask_in_lines, &all[i]);
    }
}

static void dialogues(void)
{
    static struct dialogue all[100];
    for (uint64_t seed = 0; seed < 3; seed++) {
        skti_task_seed = seed;
        run_tasks(start_dialogues, all);
        skti_task_seed = 0;
    }
}

static void with_pair(void (*fn)(void *unused))
{
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    steps_begin();
    run_tasks(fn, NULL);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void check_refused(const char *call)
{
    char sentence[128];
    CHECK_INT(errno, EBUSY);
    snprintf(sentence, sizeof sentence, "%s: another task is using this FILE: give each task its own (skt_makefile)",
             call);
    CHECK_STR(skt_strerror(), sentence);
    step('x');
}

/* ---- Reading ---- */

/* What it reads is not said: the other's attempt may have disturbed stdio's buffer. */
static void read_line(void *unused)
{
    char line[64];
    (void)unused;
    CHECK(fgets(line, sizeof line, file));
    step('r');
}

static void disturb(void *mode)
{
    char line[64];
    CHECK(!fgets(line, sizeof line, file));
    check_refused("recv");
    if (strcmp(mode, "rw") == 0) {
        CHECK(fputs("refused too", file) == EOF);
        check_refused("send");
    }
}

static void read_disturbed(const char *mode)
{
    file = skt_makefile(pair[0], mode);
    go(read_line, NULL);
    skt_yield(); /* it waits */
    go(disturb, (void *)(uintptr_t)mode);
    skt_yield();
    CHECK_INT(skt_sendall(pair[1], "a whole line\n", 13, 0), 0);
    while (!strchr(steps, 'r'))
        CHECK_INT(skt_sleep(1e-4), 0);
    CHECK_INT(fclose(file), 0);
}

static void read_in_both_modes(void *unused)
{
    (void)unused;
    read_disturbed("r");
    CHECK_STR(steps, "xr");
    steps_begin();
    read_disturbed("rw");
    CHECK_STR(steps, "xxr");
}

static void refusing(void)
{
    if (MUSL)
        SKIP("with musl a second reader may find in the buffer what the first one's read has put there");
    with_pair(read_in_both_modes);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "each task its own FILEs", dialogues },
        { "a FILE in which a task waits refuses another, with a sentence", refusing },
    };
    return RUN_CASES_ON_THREAD(cases);
}
