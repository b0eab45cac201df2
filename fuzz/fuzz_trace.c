/* fuzz_trace.c - any frames: nothing is read beyond their ends, and each row that they make can be written.
 *
 * The input is frames, one after the other: a byte that says the type (ETH_P_) and the time, a byte of how many
 * follow, and these. */
#include "trace.h"
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* In memory of its own size, so that a step too far is seen. */
static void put_frame(struct trace *trace, unsigned head, const uint8_t *bytes, size_t len, int64_t *now)
{
    static const unsigned types[] = { ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_VLAN, ETHERTYPE_ARP };
    struct trace_packet packet;
    uint8_t *copy = malloc(len + 1);
    must(copy != NULL);
    memcpy(copy, bytes, len);
    *now += head >> 4 << (head & 15);
    if (trace_parse(copy, len, len + (head >> 6), types[head % 4], &packet)) {
        must(packet.protocol == IPPROTO_TCP || packet.protocol == IPPROTO_UDP || packet.protocol == IPPROTO_ICMP);
        packet.time = *now;
        packet.interface = 1;
        packet.outgoing = head & 4;
        trace_packet(trace, &packet);
    }
    free(copy);
}

static void check_text(const char *text, size_t size)
{
    size_t column = 0;
    for (size_t i = 0; i < size; i++, column++) {
        must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
        must(column <= 80 || text[i] == '\n');
        if (text[i] == '\n')
            column = (size_t)-1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL, *others = NULL;
    size_t text_size = 0, others_size = 0;
    FILE *file = open_memstream(&text, &text_size), *sink = open_memstream(&others, &others_size);
    struct trace *trace = trace_new("fuzz");
    int64_t now = 1;
    must(file && sink && trace);
    trace_add_writer(trace, trace_text(file));
    trace_add_writer(trace, trace_json(sink));
    trace_add_writer(trace, trace_svg(sink, "fuzz"));
    trace_want(trace, &(struct trace_filter){ .protocol = 0 });
    trace_want(trace, &(struct trace_filter){ .protocol = IPPROTO_ICMP });
    for (size_t i = 0; i + 2 <= size; i += 2 + data[i + 1]) {
        size_t left = size - i - 2;
        put_frame(trace, data[i], data + i + 2, data[i + 1] < left ? data[i + 1] : left, &now);
    }
    trace_free(trace);
    fclose(file);
    fclose(sink);
    check_text(text, text_size);
    free(text);
    free(others);
    return 0;
}
