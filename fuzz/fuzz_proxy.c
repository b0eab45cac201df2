/* fuzz_proxy.c - any answer of a proxy, in any pieces: it is taken to its end and no further, and means the same
 * however it is cut.
 *
 * The first byte chooses the protocol (the lower two bits), whether there is a user and password, whether HTTP is told
 * of them, and the kind of host; the second how the answer, which is the rest, is cut. */
#include "../cmd/proxy.c" /* all of it: who builds fuzzers need not know of it */
#include "../cmd/proxy_http.c"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Gives the answer in pieces of at most `piece` bytes; how many were taken. */
static size_t answer(struct proxy_talk *t, const uint8_t *data, size_t size, size_t piece)
{
    size_t taken = 0;
    while (taken < size && t->state == PROXY_ASKING) {
        size_t n = size - taken < piece ? size - taken : piece;
        uint8_t *copy = malloc(n); /* so that a byte too far is seen */
        must(copy != NULL);
        memcpy(copy, data + taken, n);
        size_t now = proxy_take(t, copy, n);
        free(copy);
        must(now <= n && (now == n || t->state != PROXY_ASKING));
        must(t->outlen <= sizeof t->out && t->have <= sizeof t->in);
        must(t->state != PROXY_ASKING || t->have < t->need);
        must(t->state == PROXY_REFUSED ? *t->why : !*t->why);
        taken += now;
    }
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = { "127.0.0.1", "::1", "example.org", "a name\r\n" };
    struct proxy_talk whole, cut;
    if (size < 2)
        return 0;
    struct proxy proxy = { .protocol = data[0] & 3, .host = "proxy", .port = 1080 };
    if (data[0] & 4) {
        proxy.user = "joe";
        proxy.password = "secret";
    }
    const char *host = hosts[data[0] >> 4 & 3];
    proxy_begin(&whole, &proxy, host, 80, data[0] & 8);
    proxy_begin(&cut, &proxy, host, 80, data[0] & 8);
    size_t all = answer(&whole, data + 2, size - 2, SIZE_MAX);
    size_t pieces = answer(&cut, data + 2, size - 2, data[1] % 16 + 1);
    must(all == pieces && whole.state == cut.state && whole.outlen == cut.outlen);
    must(!memcmp(whole.out, cut.out, whole.outlen) && !strcmp(whole.why, cut.why));
    if (whole.state == PROXY_ASKING) {
        proxy_ended(&whole);
        must(whole.state == PROXY_REFUSED);
    }
    return 0;
}
