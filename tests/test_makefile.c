/* test_makefile.c - FILEs on connections: stdio's own functions, modes, ends and timeouts. */
#include "check.h"
#include "fake_time.h"
#include "peer.h"
#include <stdlib.h>
#include <unistd.h>

static void modes(void)
{
    skt *pair[2];
    char line[32];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    static const char *const bad[] = { "x", "r+", "a", "rwx", "rwb+", "R" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERRNO(skt_makefile(pair[0], bad[i]), EINVAL);
        CHECK(strstr(skt_strerror(), "makefile: "));
    }
    static const char *const good[] = { "rw", "wr", "rwb", "rbw", "brw" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        FILE *file = skt_makefile(pair[0], good[i]);
        CHECK(file != NULL);
        CHECK(fputs("to\n", file) >= 0 && skt_recv(pair[1], line, sizeof line, 0) == 3);
        CHECK_INT(skt_sendall(pair[1], "from\n", 5, 0), 0);
        CHECK(fgets(line, sizeof line, file) && !strcmp(line, "from\n"));
        CHECK_INT(fclose(file), 0);
    }
    FILE *reads = skt_makefile(pair[0], "rb"), *writes = skt_makefile(pair[0], "w");
    CHECK(fputc('x', reads) == EOF && fgetc(writes) == EOF);
    CHECK(fclose(reads) == 0 && fclose(writes) == 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void less_than_was_asked_for(void)
{
    skt *pair[2];
    char data[10], block[100];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    FILE *file = skt_makefile(pair[0], "rw");
    CHECK_INT(setvbuf(file, block, _IOFBF, sizeof block), 0); /* by itself stdio asks for one byte */
    CHECK_INT(skt_sendall(pair[1], "abc", 3, 0), 0);
    CHECK_INT(skt_shutdown(pair[1], SHUT_WR), 0);
    CHECK_INT(fread(data, 1, sizeof data, file), 3);
    CHECK(!memcmp(data, "abc", 3) && feof(file) && !ferror(file));
    CHECK_INT(fclose(file), 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* A dialogue by turns, as SMTP and HTTP have it, with one FILE and no fseek. */
static void serve_lines(void *arg)
{
    char line[4096];
    FILE *file = skt_makefile(arg, "rw");
    for (int i = 0; i < 500; i++)
        // cppcheck-suppress IOWithoutPositioning ; skt's FILEs can
        CHECK(fgets(line, sizeof line, file) && fprintf(file, "got %s", line) > 0);
    CHECK(fgets(line, sizeof line, file) == NULL && feof(file) && !ferror(file));
    CHECK_INT(fclose(file), 0);
}

static void by_turns(void)
{
    for (int timeout = 0; timeout < 2; timeout++) {
        skt *pair[2];
        struct peer peer;
        char line[4096], expected[64];
        tcp_pair(pair);
        for (int i = 0; i < 2; i++)
            CHECK_INT(skt_settimeout(pair[i], timeout ? 60 : SKT_NO_TIMEOUT), 0);
        start_peer(&peer, serve_lines, pair[1]);
        FILE *file = skt_makefile(pair[0], "rw");
        for (int i = 0; i < 500; i++) {
            // cppcheck-suppress IOWithoutPositioning ; skt's FILEs can
            CHECK(fprintf(file, "line %d\n", i) > 0 && fgets(line, sizeof line, file));
            snprintf(expected, sizeof expected, "got line %d\n", i);
            CHECK_STR(line, expected);
        }
        CHECK_INT(skt_shutdown(pair[0], SHUT_WR), 0);
        join_peer(&peer);
        CHECK_INT(fclose(file), 0);
        skt_close(pair[0]);
        skt_close(pair[1]);
    }
}

/* What was read ahead stays with its FILE, and is there after writing too. */
static void reading_ahead(void)
{
    skt *pair[2];
    char line[16];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    FILE *file = skt_makefile(pair[0], "rw");
    CHECK_INT(skt_sendall(pair[1], "one\ntwo\nthree", 13, 0), 0);
    CHECK(fgets(line, sizeof line, file) && !strcmp(line, "one\n"));
    CHECK(fputs("between", file) >= 0);
    CHECK_INT(skt_recv(pair[1], line, sizeof line, 0), 7);
    CHECK(fgets(line, sizeof line, file) && !strcmp(line, "two\n"));
    CHECK_INT(skt_shutdown(pair[1], SHUT_WR), 0);
    CHECK(fgets(line, sizeof line, file) && !strcmp(line, "three"));
    CHECK(fgetc(file) == EOF && feof(file) && !ferror(file));
    CHECK_INT(fclose(file), 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void whole_of_stdio(void)
{
    skt *pair[2];
    int number = 0;
    char word[16], *line = NULL;
    size_t size = 0;
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    FILE *out = skt_makefile(pair[0], "w"), *in = skt_makefile(pair[1], "r");
    fprintf(out, "%d %s\n", 42, "words");
    fputs("a line of any length\n", out);
    putc('c', out);
    fwrite("block", 1, 5, out);
    CHECK_INT(skt_recv(pair[1], word, 1, MSG_DONTWAIT), -1); /* buffered */
    CHECK(fflush(out) == 0 && fclose(out) == 0);
    CHECK_INT(skt_shutdown(pair[0], SHUT_WR), 0);
    CHECK(fscanf(in, "%d %15s\n", &number, word) == 2 && number == 42 && !strcmp(word, "words"));
    CHECK(getline(&line, &size, in) == 21 && !strcmp(line, "a line of any length\n"));
    CHECK(getc(in) == 'c' && ungetc('k', in) == 'k' && getc(in) == 'k');
    CHECK_INT(fread(word, 1, sizeof word, in), 5);
    CHECK(feof(in));
    free(line);
    CHECK(fseek(in, 0, SEEK_SET) == -1 && fclose(in) == 0);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* The connection ends when the socket and all FILEs are closed, in any order. */
static void closing_in_any_order(void)
{
    for (int order = 0; order < 2; order++) {
        skt *pair[2];
        char c;
        CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
        FILE *one = skt_makefile(pair[0], "w"), *two = skt_makefile(pair[0], "r");
        fputc('x', one);
        if (order == 0)
            CHECK_INT(skt_close(pair[0]), 0);
        CHECK_INT(fclose(two), 0);
        CHECK_ERRNO(skt_recv(pair[1], &c, 1, MSG_DONTWAIT), EAGAIN); /* still open, and nothing flushed */
        CHECK_INT(fclose(one), 0);
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 1);
        if (order == 1) {
            CHECK_ERRNO(skt_recv(pair[1], &c, 1, MSG_DONTWAIT), EAGAIN);
            CHECK_INT(skt_close(pair[0]), 0);
        }
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 0);
        skt_close(pair[1]);
    }
}

static void timed_out_for_good(void)
{
    skt *pair[2];
    char line[16];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    CHECK_INT(skt_settimeout(pair[0], 5), 0);
    FILE *file = skt_makefile(pair[0], "r");
    CHECK_INT(skt_sendall(pair[1], "half a line", 11, 0), 0);
    fake_time_begin();
    CHECK(fgets(line, sizeof line, file) == NULL && errno == ETIMEDOUT && skt_timed_out() && ferror(file));
    CHECK_INT(fake_slept, 5 * SECOND);
    fake_time_end();
    clearerr(file);
    CHECK_INT(skt_sendall(pair[1], "the rest\n", 9, 0), 0);
    CHECK(fgetc(file) == EOF && errno == EIO);
    CHECK_STR(skt_strerror(), "recv: cannot read from timed out object");
    CHECK_INT(fclose(file), 0);
    CHECK_INT(skt_recv(pair[0], line, 3, 0), 3); /* the socket itself goes on */
    skt_close(pair[0]);
    skt_close(pair[1]);
}

static void writing_to_the_full(void)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    fill_up(pair[0]);
    CHECK_INT(skt_settimeout(pair[0], 5), 0);
    FILE *file = skt_makefile(pair[0], "w");
    fputs("too much", file);
    fake_time_begin();
    CHECK(fflush(file) == EOF && errno == ETIMEDOUT && skt_timed_out());
    fake_time_end();
    fclose(file);
    CHECK_INT(skt_settimeout(pair[0], 0), 0);
    file = skt_makefile(pair[0], "rw");
    CHECK(fputc('x', file) == EOF && errno == EAGAIN);
    clearerr(file);
    CHECK(fgetc(file) == EOF && errno == EAGAIN);
    fclose(file);
    skt_close(pair[0]);
    skt_close(pair[1]);
}

/* The peer has gone: an error and no signal. */
static void writing_to_nobody(void)
{
    skt *pair[2];
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    skt_close(pair[1]);
    FILE *file = skt_makefile(pair[0], "w");
    fputs("lost", file);
    CHECK(fflush(file) == EOF && errno == EPIPE);
    CHECK_INT(skt_error_record()->done, 0);
    fclose(file);
    skt_close(pair[0]);
}

int main(void)
{
    static const struct test_case cases[] = {
        { "modes", modes },
        { "reading and writing by turns", by_turns },
        { "the end comes before all that was asked for", less_than_was_asked_for },
        { "what was read ahead stays", reading_ahead },
        { "all of stdio", whole_of_stdio },
        { "closing in any order", closing_in_any_order },
        { "once reading has timed out it fails for good", timed_out_for_good },
        { "a write that cannot go on", writing_to_the_full },
        { "a peer that has gone is EPIPE", writing_to_nobody },
    };
    return RUN_CASES(cases);
}
