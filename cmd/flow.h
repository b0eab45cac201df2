/* flow.h - the datagrams of skt measure: what stands in them, and what who receives them can tell.
 *
 *     | magic | kind | run | sequence | sent at |  ... up to the size
 *       4       4      8     8          8             big endian
 *
 * run is another number for each connection of each measurement, so that what is left of an earlier one is not taken
 * for this one's.  An echo server sends them back as they are.  To an ASK, skt discard answers with a REPORT, which
 * has counts where the others have nothing, and is as long as the ASK was: nobody gets more sent than he sent. */
#ifndef CMD_FLOW_H
#define CMD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flow_kind { FLOW_DATA = 1, FLOW_ASK, FLOW_REPORT };
enum { FLOW_HEADER = 32, FLOW_REPORT_SIZE = 96 };

struct flow_header {
    enum flow_kind kind;
    uint64_t run, sequence;
    int64_t sent_at; /* of the sender's clock */
};

/* What has come of a run. */
struct flow {
    uint64_t received, bytes;
    uint64_t next;       /* the sequence number after the greatest that has come */
    uint64_t reordered;  /* came after one with a greater number, */
    uint64_t duplicates; /* and had come before; of the last FLOW_WINDOW numbers */
    double jitter;       /* ns: RFC 3550, 6.4.1 */
    int64_t transit;     /* of the last one: ns, of two clocks */
    int64_t first_at, last_at;
    uint64_t seen[16]; /* a bit for each of the last FLOW_WINDOW numbers: number n is bit n % FLOW_WINDOW */
};
enum { FLOW_WINDOW = 64 * 16 };

/* Writes a header into buf, which has at least FLOW_HEADER bytes. */
void cmd_flow_write(char *buf, const struct flow_header *header);

/* Whether these bytes are such a datagram, and what is in it. */
bool cmd_flow_read(const char *buf, size_t len, struct flow_header *header);

/* Counts a datagram that has come. */
void cmd_flow_add(struct flow *f, const struct flow_header *header, size_t len, int64_t now);

/* The counts of a flow into a datagram of FLOW_REPORT_SIZE bytes, and back. */
void cmd_flow_write_report(char *buf, uint64_t run, const struct flow *f);
void cmd_flow_read_report(const char *buf, struct flow *f);

#endif
