/* trace_tcp.c - TCP's state on both sides of a conversation, followed from the segments that pass.
 *
 * It is followed as if each segment arrived: one that is lost arrives with its retransmission, and what is lost is
 * then acknowledged by nobody.  Sequence numbers are compared as TCP does, by their difference. */
#include "trace.h"

/* ---- States: RFC 9293, figure 5, by what is sent and what arrives ---- */

enum tcp_event {
    SENDS_SYN,
    SENDS_SYN_ACK,
    SENDS_FIN,
    GETS_SYN,
    GETS_SYN_ACK,
    GETS_ACK_OF_SYN,
    GETS_ACK_OF_FIN,
    GETS_FIN,
};

static const struct {
    enum tcp_state state;
    enum tcp_event event;
    enum tcp_state next;
} changes[] = {
    { STATE_CLOSED, SENDS_SYN, STATE_SYN_SENT },
    { STATE_LISTEN, SENDS_SYN_ACK, STATE_SYN_RECEIVED },
    { STATE_LISTEN, SENDS_SYN, STATE_SYN_SENT }, /* both sides begin; the other was only supposed to listen */
    { STATE_SYN_SENT, GETS_SYN, STATE_SYN_RECEIVED },
    { STATE_SYN_SENT, GETS_SYN_ACK, STATE_ESTABLISHED },
    { STATE_SYN_RECEIVED, GETS_SYN_ACK, STATE_ESTABLISHED },
    { STATE_SYN_RECEIVED, GETS_ACK_OF_SYN, STATE_ESTABLISHED },
    { STATE_SYN_RECEIVED, SENDS_FIN, STATE_FIN_WAIT_1 },
    { STATE_ESTABLISHED, SENDS_FIN, STATE_FIN_WAIT_1 },
    { STATE_ESTABLISHED, GETS_FIN, STATE_CLOSE_WAIT },
    { STATE_CLOSE_WAIT, SENDS_FIN, STATE_LAST_ACK },
    { STATE_FIN_WAIT_1, GETS_ACK_OF_FIN, STATE_FIN_WAIT_2 },
    { STATE_FIN_WAIT_1, GETS_FIN, STATE_CLOSING },
    { STATE_FIN_WAIT_2, GETS_FIN, STATE_TIME_WAIT },
    { STATE_CLOSING, GETS_ACK_OF_FIN, STATE_TIME_WAIT },
    { STATE_LAST_ACK, GETS_ACK_OF_FIN, STATE_CLOSED },
};

const char *trace_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        [STATE_NONE] = "",
        [STATE_CLOSED] = "CLOSED",
        [STATE_LISTEN] = "LISTEN",
        [STATE_SYN_SENT] = "SYN-SENT",
        [STATE_SYN_RECEIVED] = "SYN-RECEIVED",
        [STATE_ESTABLISHED] = "ESTABLISHED",
        [STATE_FIN_WAIT_1] = "FIN-WAIT-1",
        [STATE_FIN_WAIT_2] = "FIN-WAIT-2",
        [STATE_CLOSE_WAIT] = "CLOSE-WAIT",
        [STATE_CLOSING] = "CLOSING",
        [STATE_LAST_ACK] = "LAST-ACK",
        [STATE_TIME_WAIT] = "TIME-WAIT",
    };
    return names[state];
}

static void on(struct tcp_side *side, enum tcp_event event)
{
    for (size_t i = 0; i < COUNT(changes); i++)
        if (changes[i].state == side->state && changes[i].event == event) {
            side->state = changes[i].next;
            side->supposed = false;
            return;
        }
}

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void change_states(struct tcp_side *from, struct tcp_side *to, const struct trace_packet *p)
{
    bool ack = p->flags & TCP_ACK;
    if (p->flags & TCP_RST) {
        from->state = to->state = STATE_CLOSED;
        from->supposed = to->supposed = false;
        return;
    }
    if (p->flags & TCP_SYN) {
        on(from, ack ? SENDS_SYN_ACK : SENDS_SYN);
        on(to, ack ? GETS_SYN_ACK : GETS_SYN);
    } else if (ack) {
        on(to, GETS_ACK_OF_SYN);
    }
    if (ack && to->fin && !before(p->ack, to->fin_end))
        on(to, GETS_ACK_OF_FIN);
    if (p->flags & TCP_FIN) {
        if (from->state == STATE_CLOSE_WAIT && !(ack && !before(p->ack, to->fin_end)))
            from->state = STATE_CLOSING; /* the other's FIN was still on its way: both close at once */
        on(from, SENDS_FIN);
        on(to, GETS_FIN);
    }
    from->supposed = false; /* it is there, and sends what one in this state does */
}

/* ---- Sequence numbers ---- */

/* Of a side that has been silent so far, the other's acknowledgement tells. */
static void learn_bases(struct tcp_side *from, struct tcp_side *to, const struct trace_packet *p)
{
    if (p->flags & TCP_RST)
        return; /* from a port where nobody listens its numbers mean nothing */
    if (!from->known) {
        from->known = true;
        from->base = p->flags & TCP_SYN ? p->seq : p->seq - 1;
        from->next = p->seq;
    }
    if (!to->known && p->flags & TCP_ACK) {
        to->known = true;
        to->base = p->ack - 1;
        to->next = p->ack;
    }
}

static void note_gap(struct tcp_side *side, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < COUNT(side->gaps); i++)
        if (side->gaps[i].from == side->gaps[i].to) {
            side->gaps[i] = (struct tcp_gap){ from, to };
            return;
        }
}

/* Whether it is something that we have not seen before though what follows it has passed. */
static bool fill_gap(struct tcp_side *side, uint32_t seq, uint32_t end)
{
    for (size_t i = 0; i < COUNT(side->gaps); i++) {
        struct tcp_gap *gap = &side->gaps[i];
        if (gap->from == gap->to || before(seq, gap->from) || before(gap->to, end))
            continue;
        uint32_t to = gap->to;
        gap->to = seq;
        if (end != to)
            note_gap(side, end, to);
        return true;
    }
    return false;
}

/* What to say of a segment that takes up sequence numbers. */
static const char *note_sent(struct tcp_side *from, uint32_t seq, uint32_t end, enum trace_kind *kind)
{
    if (before(seq, from->next)) {
        *kind = KIND_AGAIN;
        if (fill_gap(from, seq, end))
            return "late, or retransmitted";
        if (before(from->next, end))
            from->next = end;
        return "retransmission";
    }
    bool gap = seq != from->next;
    if (gap)
        note_gap(from, from->next, seq);
    from->next = end;
    return gap ? "something before it not seen" : NULL;
}

/* What to say of one that takes up none. */
static const char *note_ack(const struct tcp_side *from, const struct tcp_side *to, const struct trace_packet *p)
{
    if (p->seq == from->next - 1)
        return to->acked && to->window == 0 ? "window probe" : "keep-alive";
    if (p->window == 0)
        return "window 0: no room";
    if (from->acked && from->last_ack == p->ack && from->window == p->window && before(p->ack, to->next))
        return "duplicate ACK";
    if (from->acked && from->window == 0)
        return "window open again";
    return NULL;
}

static enum trace_kind kind_of(const struct trace_packet *p)
{
    return p->flags & TCP_RST   ? KIND_RESET
           : p->flags & TCP_SYN ? KIND_OPEN
           : p->flags & TCP_FIN ? KIND_CLOSE
           : p->bytes > 0       ? KIND_DATA
                                : KIND_ACK;
}

static void follow_numbers(struct tcp_side *from, struct tcp_side *to, const struct trace_packet *p,
                           struct trace_row *row)
{
    uint32_t end = p->seq + p->bytes + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);
    learn_bases(from, to, p);
    row->kind = kind_of(p);
    if (p->flags & TCP_RST)
        return;
    bool probe = p->bytes == 1 && end == from->next && from->acked && !(p->flags & (TCP_SYN | TCP_FIN | TCP_PSH));
    if (probe && before(p->seq, from->next))
        row->note = to->acked && to->window == 0 ? "window probe" : "keep-alive";
    else
        row->note = end != p->seq ? note_sent(from, p->seq, end, &row->kind) : note_ack(from, to, p);
    if (p->flags & TCP_FIN) {
        from->fin = true;
        from->fin_end = end;
    }
    row->numbered = true;
    row->seq = p->seq - from->base;
    row->ack = p->flags & TCP_ACK ? p->ack - to->base : 0;
}

static void note_acknowledged(struct tcp_side *from, const struct trace_packet *p)
{
    if (!(p->flags & TCP_ACK) || p->flags & TCP_RST)
        return;
    from->acked = true;
    from->last_ack = p->ack;
    from->window = p->window;
}

/* ---- A segment ---- */

/* Where nothing was seen before: from its beginning, or from the middle on. */
static void begin(struct tcp_side *from, struct tcp_side *to, const struct trace_packet *p)
{
    if (from->state != STATE_NONE)
        return;
    bool first = p->flags & TCP_SYN, answer = first && p->flags & TCP_ACK;
    from->state = answer ? STATE_LISTEN : first ? STATE_CLOSED : STATE_ESTABLISHED;
    to->state = answer ? STATE_SYN_SENT : first ? STATE_LISTEN : STATE_ESTABLISHED;
    from->supposed = to->supposed = true;
}

/* The time from a SYN to its answer and, seen at the other side, from the answer to the next ACK. */
static void measure_delay(struct trace_talk *talk, const struct trace_packet *p, bool again)
{
    if (again)
        talk->asked = 0; /* which of them is answered, nobody knows */
    else if (p->flags & TCP_SYN && p->outgoing)
        talk->asked = p->time;
    else if (talk->asked && !p->outgoing) {
        talk->delay = (p->time - talk->asked) / 2;
        talk->asked = 0;
    }
}

void trace_tcp_follow(struct trace_talk *talk, int side, const struct trace_packet *p, struct trace_row *row)
{
    struct tcp_side *from = &talk->tcp[side], *to = &talk->tcp[!side];
    enum tcp_state states[2] = { talk->tcp[0].state, talk->tcp[1].state };
    trace_flags_text(p->flags, row->what);
    begin(from, to, p);
    follow_numbers(from, to, p, row);
    measure_delay(talk, p, row->kind == KIND_AGAIN);
    change_states(from, to, p);
    note_acknowledged(from, p);
    for (int i = 0; i < 2; i++) {
        row->states[i] = talk->tcp[i].state;
        row->supposed[i] = talk->tcp[i].supposed;
        row->changed[i] = talk->tcp[i].state != states[i];
    }
}

bool trace_tcp_begins_anew(const struct trace_talk *talk, int side, const struct trace_packet *p)
{
    const struct tcp_side *from = &talk->tcp[side];
    return (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && talk->ended && !(from->known && p->seq == from->base);
}
