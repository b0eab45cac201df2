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

static void read_line(void *unused)
{
    char line[64];
    (void)unused;
    CHECK(fgets(line, sizeof line, file));
    CHECK_STR(line, "a whole line\n");
    CHECK(!ferror(file) && !feof(file));
    step('r');
}

static void disturb_reader(void *mode)
{
    char line[64];
    for (int i = 0; i < 2; i++) {
        CHECK(!fgets(line, sizeof line, file));
        check_refused("recv");
        CHECK_INT(fgetc(file), EOF);
        check_refused("recv");
        skt_yield();
    }
    if (strcmp(mode, "rw") == 0) {
        CHECK(fputs("refused too", file) == EOF);
        check_refused("send");
    }
}

static void read_disturbed(const char *mode)
{
    file = skt_makefile(pair[0], mode);
    go(read_line, NULL);
    skt_yield();
    CHECK_INT(skt_sendall(pair[1], "a whole", 7, 0), 0);
    CHECK_INT(skt_sleep(1e-4), 0);
    go(disturb_reader, (void *)(uintptr_t)mode);
    skt_yield();
    skt_yield();
    CHECK_INT(skt_sendall(pair[1], " line\n", 6, 0), 0);
    CHECK_INT(skt_sleep(1e-3), 0);
    while (!strchr(steps, 'r'))
        CHECK_INT(skt_sleep(1e-4), 0);
    go(read_line, NULL); /* and it can be used as before */
    CHECK_INT(skt_sendall(pair[1], "a whole line\n", 13, 0), 0);
    CHECK_INT(skt_sleep(1e-4), 0);
    while (steps[strlen(steps) - 1] != 'r' || steps[strlen(steps) - 2] != 'r')
        CHECK_INT(skt_sleep(1e-4), 0);
    CHECK_INT(fclose(file), 0);
}

static void read_in_both_modes(void *unused)
{
    (void)unused;
    read_disturbed("r");
    CHECK_STR(steps, "xxxxrr");
    steps_begin();
    read_disturbed("rw");
    CHECK_STR(steps, "xxxxxrr");
}

static void reading(void)
{
    with_pair(read_in_both_modes);
}

/* ---- Writing ---- */

static size_t filled;

static void write_line(void *unused)
{
    (void)unused;
    CHECK(fputs("first\n", file) >= 0);
    CHECK_INT(fflush(file), 0);
    CHECK(!ferror(file));
    step('w');
}

static void disturb_writer(void *unused)
{
    (void)unused;
    CHECK_INT(fputs("second\n", file), EOF);
    check_refused("send");
}

static void drain(void)
{
    char block[4096];
    while (filled > 0) {
        ssize_t n = skt_recv(pair[1], block, filled < sizeof block ? filled : sizeof block, 0);
        CHECK(n > 0);
        filled -= (size_t)n;
    }
}

/* Only what was not refused arrives, in one piece. */
static void write_disturbed(void *unused)
{
    char buf[64];
    (void)unused;
    filled = fill_up(pair[0]);
    file = skt_makefile(pair[0], "w");
    go(write_line, NULL);
    skt_yield();
    go(disturb_writer, NULL);
    skt_yield();
    CHECK_STR(steps, "x");
    drain();
    CHECK_INT(skt_recv(pair[1], buf, 6, MSG_WAITALL), 6);
    CHECK(!memcmp(buf, "first\n", 6));
    while (!strchr(steps, 'w'))
        CHECK_INT(skt_sleep(1e-4), 0);
    go(write_line, NULL);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, 0), 6);
    CHECK(!memcmp(buf, "first\n", 6));
    CHECK_INT(fclose(file), 0);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, MSG_DONTWAIT), -1);
}

static void writing(void)
{
#ifdef __GLIBC__
    with_pair(write_disturbed);
#else
    (void)write_disturbed, (void)disturb_writer;
    SKIP("only glibc's FILEs tell of a second writer at once");
#endif
}

/* Who does not take no for an answer is told of, and what the first one writes is whole. */
static void write_in_vain(void *unused)
{
    (void)unused;
    CHECK(fputs("first\n", file) >= 0);
    CHECK(fflush(file) == EOF && errno == EBUSY);
    CHECK_STR(skt_strerror(), "send: another task has written to this FILE meanwhile, and that is lost");
    CHECK_INT(skt_error_record()->done, 6);
    step('w');
}

static void try_twice(void *unused)
{
    (void)unused;
    while (fputs("second\n", file) < 0)
        skt_yield();
    step('t');
}

static void write_stubbornly(void *unused)
{
    char buf[64];
    (void)unused;
    filled = fill_up(pair[0]);
    file = skt_makefile(pair[0], "w");
    go(write_in_vain, NULL);
    skt_yield();
    go(try_twice, NULL);
    skt_yield();
    skt_yield();
    CHECK_STR(steps, "t");
    drain();
    CHECK_INT(skt_recv(pair[1], buf, 6, MSG_WAITALL), 6);
    CHECK(!memcmp(buf, "first\n", 6));
    while (!strchr(steps, 'w'))
        CHECK_INT(skt_sleep(1e-4), 0);
    CHECK(ferror(file) && fclose(file) == 0);
    CHECK_INT(skt_recv(pair[1], buf, sizeof buf, MSG_DONTWAIT), -1);
}

static void stubborn(void)
{
    with_pair(write_stubbornly);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "each task its own FILEs", dialogues },
        { "a second reader is refused, and the first one loses nothing", reading },
        { "a second writer is refused, and the first one's line is whole", writing },
        { "a second writer that insists", stubborn },
    };
    return RUN_CASES(cases);
}
