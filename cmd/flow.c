/* flow.c - the datagrams of skt measure: written by one end, counted by the other, which need not be the same
 * program. */
#include "flow.h"
#include <endian.h>
#include <math.h>
#include <string.h>

#define MOST_JITTER 1e18 /* ns: a peer may claim anything */

static const char magic[4] = { 's', 'k', 't', '1' };

static void put64(char *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof number);
}

static uint64_t get64(const char *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return be64toh(number);
}

void cmd_flow_write(char *buf, const struct flow_header *header)
{
    uint32_t kind = htobe32(header->kind);
    memcpy(buf, magic, 4);
    memcpy(buf + 4, &kind, 4);
    put64(buf + 8, header->run);
    put64(buf + 16, header->sequence);
    put64(buf + 24, (uint64_t)header->sent_at);
}

bool cmd_flow_read(const char *buf, size_t len, struct flow_header *header)
{
    uint32_t kind;
    if (len < FLOW_HEADER || memcmp(buf, magic, 4) != 0)
        return false;
    memcpy(&kind, buf + 4, 4);
    header->kind = be32toh(kind);
    header->run = get64(buf + 8);
    header->sequence = get64(buf + 16);
    header->sent_at = (int64_t)get64(buf + 24);
    return header->kind == FLOW_DATA ||
           ((header->kind == FLOW_ASK || header->kind == FLOW_REPORT) && len >= FLOW_REPORT_SIZE);
}

static void mark(struct flow *f, uint64_t sequence)
{
    f->seen[sequence % FLOW_WINDOW / 64] |= 1ULL << sequence % 64;
}

static bool is_marked(const struct flow *f, uint64_t sequence)
{
    return f->seen[sequence % FLOW_WINDOW / 64] >> sequence % 64 & 1;
}

/* The window moves up to a new greatest number; those between have not come. */
static void advance(struct flow *f, uint64_t sequence)
{
    if (sequence - f->next >= FLOW_WINDOW)
        memset(f->seen, 0, sizeof f->seen);
    else
        for (uint64_t n = f->next; n < sequence; n++)
            f->seen[n % FLOW_WINDOW / 64] &= ~(1ULL << n % 64);
    mark(f, sequence);
    f->next = sequence + 1;
}

static void late(struct flow *f, uint64_t sequence)
{
    bool in_window = f->next - sequence <= FLOW_WINDOW;
    if (in_window && is_marked(f, sequence)) {
        f->duplicates++;
        return;
    }
    f->reordered++;
    if (in_window)
        mark(f, sequence);
}

/* (Unsigned, since a peer may have written any number there.) */
void cmd_flow_add(struct flow *f, const struct flow_header *header, size_t len, int64_t now)
{
    int64_t transit = (int64_t)((uint64_t)now - (uint64_t)header->sent_at);
    if (f->received == 0)
        f->first_at = now;
    else
        f->jitter += (fabs((double)transit - (double)f->transit) - f->jitter) / 16;
    f->transit = transit;
    f->last_at = now;
    f->received++;
    f->bytes += len;
    if (header->sequence >= f->next)
        advance(f, header->sequence);
    else
        late(f, header->sequence);
}

static double at_most(double value, double most)
{
    return value < most ? value : most;
}

void cmd_flow_write_report(char *buf, uint64_t run, const struct flow *f)
{
    const uint64_t counts[] = { f->received,
                                f->bytes,
                                f->next,
                                f->reordered,
                                f->duplicates,
                                (uint64_t)at_most(f->jitter, MOST_JITTER),
                                (uint64_t)(f->last_at - f->first_at) };
    memset(buf, 0, FLOW_REPORT_SIZE);
    cmd_flow_write(buf, &(struct flow_header){ .kind = FLOW_REPORT, .run = run });
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        put64(buf + FLOW_HEADER + 8 * i, counts[i]);
}

void cmd_flow_read_report(const char *buf, struct flow *f)
{
    uint64_t counts[7];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        counts[i] = get64(buf + FLOW_HEADER + 8 * i);
    *f = (struct flow){ .received = counts[0],
                        .bytes = counts[1],
                        .next = counts[2],
                        .reordered = counts[3],
                        .duplicates = counts[4],
                        .jitter = at_most((double)counts[5], MOST_JITTER),
                        .last_at = (int64_t)(counts[6] & INT64_MAX) };
}
