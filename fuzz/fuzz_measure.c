/* fuzz_measure.c - what servers answer to skt measure: HTTP of any kind, in pieces of any size, and datagrams.  Each
 * answer ends, or fails once with a sentence, and nothing is read beyond what came.  The first byte is the size of the
 * pieces, or 0: it is a datagram. */
#include "../cmd/flow.c"
#include <skt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/types.h>

static const uint8_t *input;
static size_t left, piece;
static int failures;

static ssize_t next_piece(skt *s, void *buf, size_t len, int flags)
{
    size_t n = piece < left ? piece : left;
    (void)s, (void)flags;
    n = n < len ? n : len;
    memcpy(buf, input, n);
    input += n;
    left -= n;
    return (ssize_t)n;
}

#define skt_recv next_piece
#include "../cmd/measure_http.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void measure_fail(struct measure_connection *c, const char *format, ...)
{
    char text[256];
    va_list args;
    (void)c;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    failures++;
}

void measure_fail_call(struct measure_connection *c)
{
    measure_fail(c, "a call");
}

ssize_t measure_recv(struct measure_connection *c, char *buf, size_t len)
{
    ssize_t n = next_piece(NULL, buf, len, 0);
    if (n == 0)
        measure_fail(c, "the end");
    return n > 0 ? n : -1;
}

static void take_answer(void)
{
    static char buffer[ROOM];
    struct measure_thread thread = { .next = 0 };
    struct measure_connection c = { .thread = &thread, .buffer = buffer };
    failures = 0;
    int result = measure_http_answer(&c);
    if (failures != (result < 0) || result > 1)
        abort();
}

static void take_datagram(void)
{
    struct flow flow = { 0 };
    struct flow_header header;
    char report[FLOW_REPORT_SIZE];
    for (int i = 0; i < 3 && cmd_flow_read((const char *)input, left, &header); i++) {
        cmd_flow_add(&flow, &header, left, i * 1000);
        if (header.kind == FLOW_REPORT)
            cmd_flow_read_report((const char *)input, &flow);
        header.sequence += (uint64_t)i << 10;
    }
    cmd_flow_write_report(report, 1, &flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size); /* just so long, for AddressSanitizer */
    if (!copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    input = copy;
    left = size - 1;
    piece = data[0];
    if (piece > 0)
        take_answer();
    else
        take_datagram();
    free(copy);
    return 0;
}
