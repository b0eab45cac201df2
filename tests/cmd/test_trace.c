/* test_trace.c - what skt trace makes of packets that hardly any real conversation has: made by hand. */
#include "check.h"
#include "trace.h"
#include <net/ethernet.h>
#include <stdlib.h>

/* ---- Two ends, and what was drawn of what they said ---- */

static struct trace *trace;
static struct trace_row rows[64];
static unsigned numbers[64]; /* of their conversations */
static size_t n;
static int64_t now, delay;

static void keep(struct trace_writer *writer, const struct trace_row *row)
{
    (void)writer;
    numbers[n % 64] = row->talk->number;
    delay = row->talk->delay;
    rows[n++ % 64] = *row;
}

static void end(struct trace_writer *writer)
{
    (void)writer;
}

static struct trace_writer writer = { keep, end, NULL, NULL };

static void begin(bool wanted)
{
    n = 0;
    now = 1000000000;
    trace = trace_new("test");
    trace_add_writer(trace, &writer);
    if (wanted)
        trace_want(trace, &(struct trace_filter){ .protocol = 0 });
}

static struct trace_packet packet(int from, unsigned flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    struct trace_packet p = { .time = now += 1000,
                              .interface = 1,
                              .protocol = IPPROTO_TCP,
                              .bytes = bytes,
                              .flags = (uint8_t)flags,
                              .seq = seq,
                              .ack = ack,
                              .window = 1000 };
    struct trace_end ends[2] = { { { [15] = 1 }, 1000 }, { { [15] = 2 }, 80 } };
    p.from = ends[from];
    p.to = ends[!from];
    return p;
}

static const struct trace_row *say(int from, unsigned flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    struct trace_packet p = packet(from, flags, seq, ack, bytes);
    size_t before = n;
    trace_packet(trace, &p);
    CHECK_INT((int)n, (int)before + 1);
    return &rows[(n - 1) % 64];
}

static void check_states(const struct trace_row *row, enum tcp_state left, enum tcp_state right)
{
    CHECK_STR(trace_state_name(row->states[0]), trace_state_name(left));
    CHECK_STR(trace_state_name(row->states[1]), trace_state_name(right));
}

#define SAY(left, right, ...) check_states(say(__VA_ARGS__), STATE_##left, STATE_##right)

static void handshake(uint32_t a, uint32_t b)
{
    SAY(SYN_SENT, LISTEN, 0, TCP_SYN, a, 0, 0);
    SAY(ESTABLISHED, SYN_RECEIVED, 1, TCP_SYN | TCP_ACK, b, a + 1, 0);
    SAY(ESTABLISHED, ESTABLISHED, 0, TCP_ACK, a + 1, b + 1, 0);
}

/* ---- States ---- */

static void both_open(void)
{
    begin(true);
    SAY(SYN_SENT, LISTEN, 0, TCP_SYN, 100, 0, 0);
    SAY(SYN_RECEIVED, SYN_SENT, 1, TCP_SYN, 500, 0, 0);
    SAY(SYN_RECEIVED, ESTABLISHED, 0, TCP_SYN | TCP_ACK, 100, 501, 0);
    SAY(ESTABLISHED, ESTABLISHED, 1, TCP_SYN | TCP_ACK, 500, 101, 0);
    trace_free(trace);
}

static void both_close(void)
{
    begin(true);
    handshake(100, 500);
    SAY(FIN_WAIT_1, CLOSE_WAIT, 0, TCP_FIN | TCP_ACK, 101, 501, 0);
    trace_free(trace);
    begin(true);
    handshake(100, 500);
    SAY(FIN_WAIT_1, CLOSE_WAIT, 0, TCP_FIN | TCP_ACK, 101, 501, 10);
    SAY(CLOSING, CLOSING, 1, TCP_FIN | TCP_ACK, 501, 101, 0); /* it has not seen the other's yet */
    SAY(CLOSING, TIME_WAIT, 0, TCP_ACK, 112, 502, 0);
    SAY(TIME_WAIT, TIME_WAIT, 1, TCP_ACK, 502, 112, 0);
    trace_free(trace);
}

static void closed_with_the_acknowledgement(void)
{
    begin(true);
    handshake(100, 500);
    SAY(FIN_WAIT_1, CLOSE_WAIT, 0, TCP_FIN | TCP_ACK, 101, 501, 0);
    SAY(TIME_WAIT, LAST_ACK, 1, TCP_FIN | TCP_ACK, 501, 102, 0);
    SAY(TIME_WAIT, CLOSED, 0, TCP_ACK, 102, 502, 0);
    CHECK_INT((int)trace_counts(trace).open, 0);
    SAY(SYN_SENT, LISTEN, 0, TCP_SYN, 9000, 0, 0); /* the same ends anew */
    CHECK_INT((int)numbers[n - 1], 2);
    CHECK_INT((int)trace_counts(trace).open, 1);
    trace_free(trace);
}

static void a_fin_that_is_sent_again(void)
{
    begin(true);
    handshake(100, 500);
    say(0, TCP_FIN | TCP_ACK, 101, 501, 0);
    const struct trace_row *row = say(0, TCP_FIN | TCP_ACK, 101, 501, 0);
    CHECK_STR(row->note, "retransmission");
    check_states(row, STATE_FIN_WAIT_1, STATE_CLOSE_WAIT);
    trace_free(trace);
}

/* Half of the time from a SYN to its answer, or at the other side from this to the next packet; with a SYN that is sent
 * again nobody knows which was answered. */
static int64_t delay_of(int here, bool again)
{
    static const unsigned flags[] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK };
    begin(true);
    for (int i = 0; i < 3; i++) {
        struct trace_packet p = packet(i % 2, flags[i], i % 2 ? 500 : 100 + (unsigned)i / 2, i % 2 ? 101 : 501, 0);
        now += 20000000 - 1000;
        p.outgoing = i % 2 == here;
        trace_packet(trace, &p);
        if (i == 0 && again)
            trace_packet(trace, &p);
    }
    trace_free(trace);
    return delay;
}

static void delays(void)
{
    CHECK_INT(delay_of(0, false), 10000000);
    CHECK_INT(delay_of(1, false), 10000000);
    CHECK_INT(delay_of(0, true), 0);
}

/* ---- Sequence numbers ---- */

static void notes(uint32_t a, uint32_t b)
{
    begin(true);
    handshake(a, b);
    CHECK(say(0, TCP_ACK, a + 1, b + 1, 10)->note == NULL);
    CHECK_STR(say(0, TCP_ACK, a + 1, b + 1, 10)->note, "retransmission");
    CHECK_STR(say(0, TCP_ACK, a + 6, b + 1, 10)->note, "retransmission"); /* in part */
    CHECK_STR(say(0, TCP_ACK, a + 26, b + 1, 10)->note, "something before it not seen");
    CHECK(say(1, TCP_ACK, b + 1, a + 16, 0)->note == NULL);
    CHECK_STR(say(1, TCP_ACK, b + 1, a + 16, 0)->note, "duplicate ACK");
    CHECK_STR(say(0, TCP_ACK, a + 16, b + 1, 4)->note, "late, or retransmitted");
    CHECK_STR(say(0, TCP_ACK, a + 16, b + 1, 4)->note, "retransmission");
    CHECK_STR(say(0, TCP_ACK, a + 20, b + 1, 6)->note, "late, or retransmitted");
    CHECK(say(1, TCP_ACK, b + 1, a + 36, 0)->note == NULL);
    CHECK_STR(say(0, TCP_ACK, a + 35, b + 1, 0)->note, "keep-alive");
    CHECK_STR(say(0, TCP_ACK, a + 35, b + 1, 1)->note, "keep-alive");
    const struct trace_row *row = say(1, TCP_ACK | TCP_PSH, b + 1, a + 36, 5);
    CHECK(row->numbered && row->seq == 1 && row->ack == 36 && row->bytes == 5 && row->kind == KIND_DATA);
    CHECK_STR(row->what, "PSH ACK");
    trace_free(trace);
}

static void sequence_numbers(void)
{
    notes(100, 500);
    notes(UINT32_MAX - 20, UINT32_MAX); /* they wrap */
    notes(INT32_MAX - 5, 0);
}

static void windows(void)
{
    begin(true);
    handshake(100, 500);
    struct trace_packet full = packet(1, TCP_ACK, 501, 101, 0);
    full.window = 0;
    trace_packet(trace, &full);
    CHECK_STR(rows[n - 1].note, "window 0: no room");
    CHECK_STR(say(0, TCP_ACK, 100, 501, 0)->note, "window probe");
    CHECK_STR(say(1, TCP_ACK, 501, 101, 0)->note, "window open again");
    trace_free(trace);
}

static void labels(void)
{
    char text[100];
    struct trace_row row = { .what = "PSH ACK",
                             .bytes = 1234567,
                             .numbered = true,
                             .seq = 4000000000u,
                             .ack = 4000000001u,
                             .kind = KIND_AGAIN,
                             .note = "retransmission" };
    trace_label(&row, 100, text, sizeof text);
    CHECK_STR(text, "PSH ACK, 1234567 bytes, retransmission, seq 4000000000, ack 4000000001");
    trace_label(&row, 40, text, sizeof text);
    CHECK_STR(text, "PSH ACK, 1234567 bytes, retransmission");
    trace_label(&row, 0, text, sizeof text);
    CHECK_STR(text, "PSH ACK");
}

/* ---- Who wants what ---- */

/* The SYN comes before we know that it is ours. */
static void wanted_afterwards(void)
{
    begin(false);
    struct trace_packet syn = packet(0, TCP_SYN, 1, 0, 0), answer = packet(1, TCP_SYN | TCP_ACK, 1, 2, 0);
    for (int i = 0; i < 20000; i++) { /* others', more than are kept */
        struct trace_packet other = syn;
        other.from.port = 7;
        trace_packet(trace, &other);
    }
    trace_packet(trace, &syn);
    trace_packet(trace, &answer);
    CHECK_INT((int)n, 0);
    struct trace_filter ours = { .protocol = IPPROTO_TCP, .ours = syn.from, .theirs = syn.to, .is_ours = true };
    trace_want(trace, &ours);
    CHECK_INT((int)n, 2);
    CHECK(rows[0].time == 0 && rows[1].time == 1000 && rows[1].from == 1);
    trace_want(trace, &ours);
    CHECK_INT((int)n, 2); /* each once */
    trace_free(trace);
}

static void wanted_by_time(void)
{
    begin(false);
    struct trace_packet early = packet(0, TCP_SYN, 1, 0, 0), late;
    now += 1000000;
    late = packet(0, TCP_SYN, 1, 0, 0);
    late.from.port = 1001;
    trace_packet(trace, &early);
    trace_packet(trace, &late);
    trace_want(trace, &(struct trace_filter){ .theirs = late.to, .since = now - 1000, .until = now + 1000 });
    CHECK_INT((int)n, 1);
    trace_free(trace);
}

static void another_interface(void)
{
    begin(true);
    struct trace_packet p = packet(0, TCP_SYN, 1, 0, 0);
    trace_packet(trace, &p);
    p.interface = 2;
    trace_packet(trace, &p);
    CHECK_INT((int)n, 1);
    p = packet(1, TCP_SYN | TCP_ACK, 1, 2, 0);
    p.interface = 2; /* the way back may be another */
    trace_packet(trace, &p);
    CHECK_INT((int)n, 2);
    trace_free(trace);
}

/* More than are kept: the memory of those that have ended is used no more, and nothing is lost. */
static void many_conversations(void)
{
    begin(true);
    for (int i = 0; i < 20000; i++) {
        struct trace_packet p = packet(0, TCP_SYN, 1, 0, 0);
        p.from.port = (uint16_t)(1 + i);
        trace_packet(trace, &p);
        p.flags = TCP_RST;
        trace_packet(trace, &p);
    }
    CHECK_INT((int)trace_counts(trace).talks, 20000);
    CHECK_INT((int)trace_counts(trace).open, 0);
    CHECK_INT((int)n, 40000);
    trace_free(trace);
}

/* ---- Frames ---- */

/* IPv6 with what may stand before TCP, and at last two bytes of data. */
static const uint8_t extended[] = {
    0x60, 0,    0,   0,    0, 54, 0, 64, /* 54 bytes, next: hop by hop */
    0x20, 1,    0xd, 0xb8, 0, 0,  0, 0,  0, 0, 0,  0, 0,    0,    0, 1, 0x20, 1, 0xd, 0xb8, 0,   0,
    0,    0,    0,   0,    0, 0,  0, 0,  0, 2, 44, 0, 1,    4,    0, 0, 0,    0, /* next: fragment */
    60,   0,    0,   1,    0, 0,  0, 9,                                 /* the first, next: destination options */
    6,    1,    1,   12,   0, 0,  0, 0,  0, 0, 0,  0, 0,    0,    0, 0, /* 16 bytes, next: TCP */
    0x30, 0x39, 0,   80,   0, 0,  0, 7,  0, 0, 0,  9, 0x50, 0x18, 1, 0, 0,    0, 0,   0,    'h', 'i',
};

static void ipv6_extensions(void)
{
    struct trace_packet p;
    char text[TRACE_END_TEXT];
    CHECK(trace_parse(extended, sizeof extended, sizeof extended, ETHERTYPE_IPV6, &p));
    CHECK_STR(trace_end_text(&p.from, text), "[2001:db8::1]:12345");
    CHECK_STR(trace_end_text(&p.to, text), "[2001:db8::2]:80");
    CHECK(p.bytes == 2 && p.seq == 7 && p.ack == 9 && p.flags == (TCP_PSH | TCP_ACK) && p.window == 256);
    for (size_t size = 0; size < sizeof extended - 2; size++) /* cut off anywhere */
        CHECK(!trace_parse(extended, size, sizeof extended, ETHERTYPE_IPV6, &p));
    uint8_t later[sizeof extended];
    memcpy(later, extended, sizeof later);
    later[51] = 8; /* a fragment that is not the first */
    CHECK(!trace_parse(later, sizeof later, sizeof later, ETHERTYPE_IPV6, &p));
}

/* What a host says of a datagram of ours; only eight bytes of it are quoted. */
static void quoted_packets(void)
{
    static const uint8_t icmp[] = {
        0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1,  0, 0, 10, 0, 0, 9, 10, 0, 0, 1, 11,   0,    0, 0,  0, 0,  0, 0,
        0x45, 0, 0, 40, 0, 0, 0, 0, 1,  17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 53, 0, 20, 0, 0,
    };
    struct trace_packet p;
    char text[TRACE_END_TEXT];
    CHECK(trace_parse(icmp, sizeof icmp, sizeof icmp, ETHERTYPE_IP, &p));
    CHECK_STR(p.error, "time exceeded");
    CHECK_STR(trace_end_text(&p.from, text), "10.0.0.1:12345");
    CHECK_STR(trace_end_text(&p.to, text), "10.0.0.2:53");
    begin(true);
    p.time = now;
    trace_packet(trace, &p);
    CHECK_STR(rows[0].what, "ICMP time exceeded");
    CHECK_STR(rows[0].more, "from 10.0.0.9");
    CHECK_INT(rows[0].from, 1);
    trace_free(trace);
    CHECK(!trace_parse(icmp, sizeof icmp - 1, sizeof icmp, ETHERTYPE_IP, &p));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "both sides open at once", both_open },
        { "both sides close at once", both_close },
        { "FIN and ACK in one, and the same ends anew", closed_with_the_acknowledgement },
        { "a FIN that is sent again", a_fin_that_is_sent_again },
        { "the time that a packet takes", delays },
        { "notes on sequence numbers, which may wrap", sequence_numbers },
        { "windows", windows },
        { "labels of all widths", labels },
        { "packets from before they were wanted", wanted_afterwards },
        { "a connection whose port is forgotten", wanted_by_time },
        { "several interfaces", another_interface },
        { "many conversations", many_conversations },
        { "IPv6 with extension headers, cut off anywhere", ipv6_extensions },
        { "ICMP", quoted_packets },
    };
    return RUN_CASES_ON_THREAD(cases); /* nothing waits */
}
