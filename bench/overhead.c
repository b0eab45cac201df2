/* overhead.c - what skt_recv and skt_send cost beside the bare system calls.
 *
 * Run under callgrind by bench/overhead, which counts the instructions of each
 * function here; every one does the same number of rounds of one byte through
 * a socketpair, so that the difference divided by the rounds is the price of
 * a call. */
#include <skt.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 10000

/* Not inlined and not static: callgrind finds them by name. */
__attribute__((noinline)) void bare_rounds(int a, int b);
__attribute__((noinline)) void skt_rounds(skt *a, skt *b);
__attribute__((noinline)) void skt_rounds_with_timeout(skt *a, skt *b);

void bare_rounds(int a, int b)
{
    char byte = 'x';
    for (int i = 0; i < ROUNDS; i++)
        if (send(a, &byte, 1, MSG_NOSIGNAL) != 1 || recv(b, &byte, 1, 0) != 1)
            abort();
}

void skt_rounds(skt *a, skt *b)
{
    char byte = 'x';
    for (int i = 0; i < ROUNDS; i++)
        if (skt_send(a, &byte, 1, 0) != 1 || skt_recv(b, &byte, 1, 0) != 1)
            abort();
}

void skt_rounds_with_timeout(skt *a, skt *b)
{
    skt_settimeout(a, 5);
    skt_settimeout(b, 5);
    skt_rounds(a, b);
}

int main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    skt *pair[2];
    if (skt_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        skt_die("overhead");
    if (!strcmp(which, "bare"))
        bare_rounds(skt_fileno(pair[0]), skt_fileno(pair[1]));
    else if (!strcmp(which, "skt"))
        skt_rounds(pair[0], pair[1]);
    else if (!strcmp(which, "timeout"))
        skt_rounds_with_timeout(pair[0], pair[1]);
    else
        return 2;
    skt_close(pair[0]);
    skt_close(pair[1]);
}
