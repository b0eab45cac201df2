/* trace_talk.c - which conversation a packet belongs to, and whether anybody wants it.
 *
 * A packet may come before we know that it is wanted: connect(2) chooses the port of a connection, and the SYN is
 * on its way before the traced command can say which it was.  So the last packets that nobody wanted are kept. */
#include "trace.h"
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1024,
    UNWANTED = 8192, /* packets that are kept */
    ENDED = 4096,    /* conversations that are kept, for what comes late */
};

struct trace {
    char name[32];
    struct trace_writer *writers;
    struct trace_filter *filters;
    size_t n_filters, room;
    struct trace_talk *talks[BUCKETS];
    struct trace_packet *unwanted; /* a ring */
    uint64_t n_unwanted;           /* of all so far */
    struct trace_talk *ended[ENDED];
    size_t n_ended;
    struct trace_counts counts;
    int64_t first; /* the time of the first row; 0: none yet */
};

struct trace *trace_new(const char *name)
{
    struct trace *t = calloc(1, sizeof *t);
    struct trace_packet *unwanted = calloc(UNWANTED, sizeof *unwanted);
    if (!t || !unwanted) {
        free(t);
        free(unwanted);
        return NULL;
    }
    t->unwanted = unwanted;
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    for (struct trace_writer *w = t->writers, *next; w; w = next) {
        next = w->next;
        w->end(w);
    }
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct trace_talk *talk = t->talks[i], *next; talk; talk = next) {
            next = talk->next;
            free(talk);
        }
    free(t->filters);
    free(t->unwanted);
    free(t);
}

void trace_add_writer(struct trace *t, struct trace_writer *writer)
{
    writer->next = t->writers;
    t->writers = writer;
}

struct trace_counts trace_counts(const struct trace *t)
{
    return t->counts;
}

unsigned trace_next_number(struct trace *t)
{
    return ++t->counts.talks;
}

void trace_write(struct trace *t, struct trace_row *row)
{
    if (t->first == 0)
        t->first = row->time;
    row->time -= t->first;
    t->counts.rows++;
    for (struct trace_writer *w = t->writers; w; w = w->next) {
        w->row(w, row);
        if (w->file)
            trace_note_file(w->file);
    }
}

/* ---- Filters ---- */

static bool is_any(const struct trace_end *end)
{
    static const uint8_t six[16], four[16] = { [10] = 0xff, [11] = 0xff };
    return !memcmp(end->addr, six, 16) || !memcmp(end->addr, four, 16);
}

static bool same_end(const struct trace_end *a, const struct trace_end *b)
{
    return a->port == b->port && !memcmp(a->addr, b->addr, sizeof a->addr);
}

static bool fits(const struct trace_end *filter, const struct trace_end *end)
{
    return (filter->port == 0 || filter->port == end->port) &&
           (is_any(filter) || !memcmp(filter->addr, end->addr, sizeof end->addr));
}

static bool in_time(const struct trace_filter *f, int64_t time)
{
    return (f->since == 0 || time >= f->since) && (f->until == 0 || time <= f->until);
}

/* Which end of the packet is the filter's own: 0 from, 1 to; -1: it is not wanted. */
static int side_of(const struct trace_filter *f, const struct trace_packet *p)
{
    bool fitting = f->protocol ? f->protocol == p->protocol : p->protocol != IPPROTO_ICMP;
    if (!fitting || !in_time(f, p->time))
        return -1;
    if (fits(&f->ours, &p->from) && fits(&f->theirs, &p->to))
        return 0;
    return fits(&f->ours, &p->to) && fits(&f->theirs, &p->from) ? 1 : -1;
}

static const struct trace_filter *find_filter(const struct trace *t, const struct trace_packet *p, int *side)
{
    for (size_t i = 0; i < t->n_filters; i++)
        if ((*side = side_of(&t->filters[i], p)) >= 0)
            return &t->filters[i];
    return NULL;
}

/* ---- Conversations ---- */

static unsigned bucket_of(const struct trace_packet *p)
{
    unsigned sum = (unsigned)p->from.port + p->to.port; /* the same for both directions */
    for (int i = 0; i < 16; i++)
        sum += (unsigned)(p->from.addr[i] + p->to.addr[i]) << i % 4;
    return sum % BUCKETS;
}

static struct trace_talk *find_talk(const struct trace *t, const struct trace_packet *p, int *side)
{
    for (struct trace_talk *talk = t->talks[bucket_of(p)]; talk; talk = talk->next)
        for (*side = 0; talk->protocol == p->protocol && *side < 2; ++*side)
            if (same_end(&talk->ends[*side], &p->from) && same_end(&talk->ends[!*side], &p->to))
                return talk;
    return NULL;
}

static void name_ends(const struct trace *t, struct trace_talk *talk)
{
    char text[TRACE_END_TEXT];
    for (int i = 0; i < 2; i++) {
        trace_end_text(&talk->ends[i], text);
        if (talk->protocol == IPPROTO_ICMP)
            *strrchr(text, ':') = '\0'; /* it has no ports */
        snprintf(talk->names[i], sizeof talk->names[i], "%s", text);
    }
    snprintf(talk->command, sizeof talk->command, "%s", t->name);
}

static struct trace_talk *new_talk(struct trace *t, const struct trace_packet *p, int ours)
{
    struct trace_talk *talk = calloc(1, sizeof *talk), **list = &t->talks[bucket_of(p)];
    if (!talk)
        return NULL; /* the packet counts as not seen */
    talk->number = trace_next_number(t);
    talk->protocol = p->protocol;
    talk->ends[0] = p->from;
    talk->ends[1] = p->to;
    talk->ours = ours;
    name_ends(t, talk);
    t->counts.open += p->protocol == IPPROTO_TCP;
    t->counts.datagrams += p->protocol != IPPROTO_TCP;
    talk->next = *list;
    *list = talk;
    return talk;
}

static void remove_talk(struct trace *t, struct trace_talk *talk)
{
    struct trace_packet ends = { .from = talk->ends[0], .to = talk->ends[1] };
    struct trace_talk **place = &t->talks[bucket_of(&ends)];
    while (*place != talk)
        place = &(*place)->next;
    *place = talk->next;
    free(talk);
}

/* It is kept a while; then its memory is wanted for others. */
static void note_end(struct trace *t, struct trace_talk *talk)
{
    bool over = true;
    for (int i = 0; i < 2; i++)
        over &= talk->tcp[i].state == STATE_CLOSED || talk->tcp[i].state == STATE_TIME_WAIT;
    if (!over || talk->ended)
        return;
    struct trace_talk **place = &t->ended[t->n_ended++ % ENDED];
    if (*place)
        remove_talk(t, *place);
    *place = talk;
    talk->ended = true;
    t->counts.open--;
}

/* The same ends once more: it begins as a new one does. */
static void begin_anew(struct trace *t, struct trace_talk *talk, int side)
{
    struct trace_end from = talk->ends[side], to = talk->ends[!side];
    int ours = talk->ours < 0 ? -1 : talk->ours == side ? 0 : 1;
    for (size_t i = 0; i < ENDED; i++)
        if (t->ended[i] == talk)
            t->ended[i] = NULL;
    struct trace_talk *next = talk->next;
    *talk = (struct trace_talk){ .protocol = IPPROTO_TCP, .ends = { from, to }, .ours = ours, .next = next };
    talk->number = trace_next_number(t);
    t->counts.open++;
    name_ends(t, talk);
}

/* ---- Packets ---- */

/* From a router, which is none of the two. */
static void name_reporter(const struct trace_packet *p, struct trace_row *row)
{
    char text[TRACE_END_TEXT];
    struct trace_end reporter = { .port = 0 };
    if (!memcmp(p->reporter, p->to.addr, sizeof p->reporter))
        return;
    memcpy(reporter.addr, p->reporter, sizeof reporter.addr);
    trace_end_text(&reporter, text);
    text[strlen(text) - 2] = '\0'; /* the port */
    snprintf(row->more, sizeof row->more, "from %s", text);
}

static void write_packet(struct trace *t, struct trace_talk *talk, int side, const struct trace_packet *p)
{
    struct trace_row row = { .talk = talk,
                             .time = p->time,
                             .from = side,
                             .bytes = p->bytes,
                             .kind = KIND_DATA,
                             .outgoing = p->outgoing,
                             .interface = p->interface };
    if (p->error) {
        snprintf(row.what, sizeof row.what, "ICMP %s", p->error);
        row.from = !side; /* back to who sent the packet that it quotes */
        row.kind = KIND_ERROR;
        row.bytes = -1;
        name_reporter(p, &row);
        for (int i = 0; i < 2; i++) {
            row.states[i] = talk->tcp[i].state;
            row.supposed[i] = talk->tcp[i].supposed;
        }
    } else if (p->protocol == IPPROTO_TCP) {
        trace_tcp_follow(talk, side, p, &row);
        note_end(t, talk);
    } else {
        snprintf(row.what, sizeof row.what, "%s", p->echo ? p->echo : "UDP");
        row.numbered = p->echo != NULL;
        row.seq = p->seq;
    }
    trace_write(t, &row);
}

/* One that passes several interfaces (a VLAN's and the one below it) is seen on each. */
static bool seen_elsewhere(struct trace_talk *talk, int side, const struct trace_packet *p)
{
    if (p->error)
        return false;
    if (talk->interfaces[side] == 0)
        talk->interfaces[side] = p->interface;
    return talk->interfaces[side] != p->interface;
}

/* Whether somebody wants it; then it is written. */
static bool try_packet(struct trace *t, const struct trace_packet *p)
{
    int side, ours;
    struct trace_talk *talk = find_talk(t, p, &side);
    if (!talk) {
        const struct trace_filter *filter = find_filter(t, p, &ours);
        if (!filter || !(talk = new_talk(t, p, filter->is_ours ? ours : -1)))
            return false;
        side = 0;
    } else if (!p->error && p->protocol == IPPROTO_TCP && trace_tcp_begins_anew(talk, side, p) &&
               !seen_elsewhere(talk, side, p)) {
        begin_anew(t, talk, side);
        side = 0;
    }
    if (!seen_elsewhere(talk, side, p))
        write_packet(t, talk, side, p);
    return true;
}

void trace_packet(struct trace *t, const struct trace_packet *p)
{
    if (!try_packet(t, p))
        t->unwanted[t->n_unwanted++ % UNWANTED] = *p;
}

/* ---- What is wanted ---- */

/* Packets that nobody wanted until now; whether there was one. */
static bool look_again(struct trace *t, const struct trace_filter *filter)
{
    uint64_t n = t->n_unwanted, i = n > UNWANTED ? n - UNWANTED : 0;
    bool found = false;
    for (; i < n; i++) {
        struct trace_packet *p = &t->unwanted[i % UNWANTED];
        if (p->time != 0 && side_of(filter, p) >= 0 && try_packet(t, p)) {
            p->time = 0; /* used up */
            found = true;
        }
    }
    return found;
}

static bool has_filter(const struct trace *t, const struct trace_filter *filter)
{
    for (size_t i = 0; i < t->n_filters; i++)
        if (!memcmp(&t->filters[i], filter, sizeof *filter))
            return true;
    return false;
}

static bool add_filter(struct trace *t, const struct trace_filter *filter)
{
    if (t->n_filters == t->room) {
        size_t room = t->room ? 2 * t->room : 16;
        struct trace_filter *more = realloc(t->filters, room * sizeof *more);
        if (!more)
            return false; /* its packets count as not seen */
        t->filters = more;
        t->room = room;
    }
    t->filters[t->n_filters++] = *filter;
    return true;
}

/* A filter for one conversation that has begun is of no more use. */
void trace_want(struct trace *t, const struct trace_filter *filter)
{
    bool one = filter->ours.port && filter->theirs.port;
    if (has_filter(t, filter) || !add_filter(t, filter))
        return;
    if (look_again(t, filter) && one)
        t->n_filters--;
}
