/* fuzz_proxy_header.c - any bytes as a PROXY header: nothing is read beyond their end, the answer does not depend on
 * how they are cut into pieces, and what is written from the addresses is read as the same. */
#include "../cmd/proxy_header.c"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* A copy of its own, so that the sanitizer sees its end. */
static enum proxy_header_state read_copy(const uint8_t *data, size_t size, struct proxy_header *header, size_t *used)
{
    const char *why = NULL;
    unsigned char *copy = malloc(size ? size : 1);
    must(copy != NULL);
    memcpy(copy, data, size);
    enum proxy_header_state state = proxy_header_read(copy, size, header, used, &why);
    must(state != PROXY_HEADER_WRONG || (why && *why));
    must(state != PROXY_HEADER_DONE || *used <= size);
    free(copy);
    return state;
}

/* A header is complete with its last byte, and not before. */
static void check_pieces(const uint8_t *data, size_t used)
{
    struct proxy_header header;
    size_t n;
    for (size_t len = 0; len < used; len++)
        must(read_copy(data, len, &header, &n) == PROXY_HEADER_MORE);
    must(read_copy(data, used, &header, &n) == PROXY_HEADER_DONE && n == used);
}

static void check_round(int version, const struct proxy_header *h)
{
    unsigned char buf[PROXY_HEADER_LONGEST];
    struct proxy_header again;
    size_t used, n = proxy_header_write(version, SOCK_STREAM, &h->source, &h->destination, buf);
    must(n <= sizeof buf && read_copy(buf, n, &again, &used) == PROXY_HEADER_DONE && used == n &&
         again.version == version);
    bool mapped = h->source.family == AF_INET6 && again.source.family == AF_INET;
    bool known = version == 2 || h->source.family != AF_UNIX;
    must(again.local == !known);
    must(again.local || mapped ||
         (skt_addr_equal(&again.source, &h->source) && skt_addr_equal(&again.destination, &h->destination)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header;
    size_t used;
    if (size > PROXY_HEADER_LONGEST)
        size = PROXY_HEADER_LONGEST;
    if (read_copy(data, size, &header, &used) != PROXY_HEADER_DONE)
        return 0;
    check_pieces(data, used);
    if (!header.local) {
        check_round(1, &header);
        check_round(2, &header);
    }
    return 0;
}
