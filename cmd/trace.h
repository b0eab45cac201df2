/* trace.h - what the files of skt trace share.
 *
 *      trace_ring       AF_PACKET: frames          trace_child      the command, and what it calls
 *          |                                           |
 *      trace_packet     a frame, read                  |
 *          |                                           |
 *      trace_talk       whose conversation it belongs to
 *          |            trace_tcp: states, what is sent again
 *          |                                       trace_calls      the same from calls alone
 *          +---------------------+---------------------+
 *                              a row
 *          +---------------------+---------------------+
 *      trace_text            trace_svg             trace_json
 */
#ifndef CMD_TRACE_H
#define CMD_TRACE_H

#include "cmd.h"

/* ---- trace_packet.c ---- */

/* One end of a conversation; an IPv4 address is ::ffff:a.b.c.d, and :: any address of both. */
struct trace_end {
    uint8_t addr[16];
    uint16_t port; /* 0 in a filter: any */
};

#define TRACE_END_TEXT 64

/* "127.0.0.1:80", "[::1]:80".  Returns buf. */
char *trace_end_text(const struct trace_end *end, char buf[static TRACE_END_TEXT]);

/* From a sockaddr of IP, or false. */
bool trace_end_from(struct trace_end *end, const struct sockaddr *sa, socklen_t len);

/* Flags of TCP, as in its header. */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128 };

struct trace_packet {
    int64_t time; /* nanoseconds since 1970 */
    struct trace_end from, to;
    unsigned interface;
    bool outgoing;
    uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, or IPPROTO_ICMP for an echo, of IPv6 too */
    const char *echo; /* IPPROTO_ICMP: which it is */
    uint32_t bytes;   /* of data */
    uint8_t flags;    /* TCP_..., and what follows */
    uint32_t seq, ack;
    uint16_t window;
    const char
        *error; /* ICMP: what it says of the packet that it quotes, to which from, to and protocol belong; else NULL */
    uint8_t reporter[16]; /* ICMP: who says so */
};

/* Reads a frame from its network header on: the first `captured` bytes of `length`, with the ETH_P_ number of the link
 * layer.  Sets all but time, interface and outgoing.  false: nothing of TCP or UDP, or not the beginning of it. */
bool trace_parse(const uint8_t *bytes, size_t captured, size_t length, unsigned ethertype, struct trace_packet *packet);

/* "SYN ACK" */
char *trace_flags_text(unsigned flags, char buf[static 40]);

/* ---- trace_tcp.c: one conversation of TCP, followed from its segments ---- */

enum tcp_state {
    STATE_NONE, /* UDP, or not known */
    STATE_CLOSED,
    STATE_LISTEN,
    STATE_SYN_SENT,
    STATE_SYN_RECEIVED,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
};

const char *trace_state_name(enum tcp_state state); /* "" for STATE_NONE */

struct tcp_gap {
    uint32_t from, to;
};

struct tcp_side {
    enum tcp_state state;
    bool supposed;       /* the state: nothing that this side has sent shows it */
    bool known;          /* base is */
    uint32_t base, next; /* sequence numbers: the first, and the one behind the last sent */
    bool fin;
    uint32_t fin_end; /* behind the FIN */
    bool acked;
    uint32_t last_ack;
    uint16_t window;
    struct tcp_gap gaps[4]; /* what is missing before next; empty ones have from == to */
};

/* ---- trace_talk.c ---- */

struct trace_talk {
    unsigned number; /* 1, 2 ... */
    uint8_t protocol;
    struct trace_end ends[2]; /* [0] has sent the first packet seen */
    struct tcp_side tcp[2];
    unsigned interfaces[2]; /* where what [i] sends is looked at: it may pass several (VLANs, bridges) */
    int ours;               /* which end is the traced command's, or -1 */
    bool ended;
    int64_t asked;           /* when the SYN was, for the time to the answer; 0: not known */
    int64_t delay;           /* half of that time: what a packet takes one way */
    char names[2][128];      /* of the ends */
    char command[32];        /* the traced one */
    struct trace_talk *next; /* in its list */
};

enum trace_kind {
    KIND_OPEN,
    KIND_DATA,
    KIND_ACK,
    KIND_CLOSE,
    KIND_RESET,
    KIND_AGAIN,
    KIND_ERROR, /* ICMP, a call that has failed */
    KINDS,
};

const char *trace_kind_name(enum trace_kind kind);

/* An arrow of the diagram. */
struct trace_row {
    const struct trace_talk *talk; /* while the row is being written */
    int64_t time;                  /* nanoseconds since the first */
    int from;                      /* the end that the arrow begins at */
    enum trace_kind kind;
    char what[64];                 /* "SYN ACK", "send" */
    int64_t bytes;                 /* or -1: it has none */
    bool numbered;                 /* the next two are */
    uint32_t seq, ack;             /* from the base */
    const char *note;              /* or NULL */
    char more[TRACE_END_TEXT + 8]; /* or "" */
    enum tcp_state states[2];
    bool supposed[2], changed[2];
    bool outgoing; /* seen where it was sent, not where it came to */
    unsigned interface;
};

/* Follows the packet, which is TCP and of this talk, and sets the row's kind, note, numbers and states. */
void trace_tcp_follow(struct trace_talk *talk, int from, const struct trace_packet *packet, struct trace_row *row);

/* Whether this begins another conversation between the same ends. */
bool trace_tcp_begins_anew(const struct trace_talk *talk, int from, const struct trace_packet *packet);

/* Whose packets are wanted. */
struct trace_filter {
    uint8_t protocol; /* 0: TCP and UDP */
    struct trace_end ours, theirs;
    int64_t since, until; /* the conversation's beginning; 0: any */
    bool is_ours;         /* `ours` is the traced command's */
};

/* How rows are written: text, SVG, JSON. */
struct trace_writer {
    void (*row)(struct trace_writer *writer, const struct trace_row *row);
    void (*end)(struct trace_writer *writer); /* all is written, and memory freed */
    FILE *file;                               /* may be NULL */
    struct trace_writer *next;
};

struct trace; /* all conversations */

/* name: the traced command, for its end of the conversations; "" if there is none.  NULL: no memory. */
struct trace *trace_new(const char *name);
void trace_free(struct trace *trace);
void trace_add_writer(struct trace *trace, struct trace_writer *writer);

/* Also looks again at the packets that nobody had wanted before. */
void trace_want(struct trace *trace, const struct trace_filter *filter);
void trace_packet(struct trace *trace, const struct trace_packet *packet);

/* The number of the next conversation. */
unsigned trace_next_number(struct trace *trace);

/* A row of a conversation, for all writers; row->time is since 1970 before. */
void trace_write(struct trace *trace, struct trace_row *row);

struct trace_counts {
    uint64_t rows;      /* packets of conversations, or calls */
    unsigned talks;     /* conversations */
    unsigned open;      /* those of TCP that have not ended */
    unsigned datagrams; /* those without states */
};
struct trace_counts trace_counts(const struct trace *trace);

/* ---- trace_file.c ---- */

/* To be written; "-" is standard output, NULL what else there is.  NULL, having said why. */
FILE *trace_open_file(const char *path, FILE *otherwise);

/* After something was written: keeps errno of the first failure, for ... */
void trace_note_file(FILE *file);

/* ... this: 0, or a status, having said why.  file may be NULL. */
int trace_close_file(FILE *file, const char *path);

/* ---- trace_ring.c: every interface's packets ---- */

struct trace_ring;

/* interface "": all.  NULL, with the library's record (EPERM: no right to). */
struct trace_ring *trace_ring_open(const char *interface);
int trace_ring_fileno(const struct trace_ring *ring);

/* Hands over those that are there, but not for ever. */
void trace_ring_read(struct trace_ring *ring, struct trace *trace);

/* How many the kernel had no room for. */
uint64_t trace_ring_dropped(struct trace_ring *ring);
void trace_ring_close(struct trace_ring *ring);

/* ---- trace_child.c: the traced command ---- */

/* One of its calls. */
struct trace_event {
    char name[12];
    int fd;
    int error;
    int64_t result, size, time, began; /* of the clock that packets have */
    bool shown;                        /* to be drawn; else it only tells the addresses */
    uint8_t protocol;                  /* as in struct trace_packet, or 0 */
    bool datagrams;
    bool has_local, has_remote;
    struct trace_end local, remote;
    char peer[120]; /* the other end, as text */
    bool has_info;
    enum tcp_state state;
    unsigned retransmissions;
};

struct trace_child {
    pid_t pid;
    int pipe; /* where events come from, until it ends */
};

/* Begins the command.  packets: calls on IP sockets need only tell the addresses.  0, or -1 with errno. */
int trace_child_start(struct trace_child *child, int argc, char **argv, bool packets);

/* 1: an event; 0: none is there now; -1: there will be no more. */
int trace_child_read(struct trace_child *child, struct trace_event *event);

/* ---- trace_calls.c ---- */

struct trace_calls;
struct trace_calls *trace_calls_new(struct trace *trace, const char *name);
void trace_calls_free(struct trace_calls *calls);
void trace_call(struct trace_calls *calls, const struct trace_event *event);

/* ---- Writers; NULL: no memory ---- */

/* "TCP", "UDP", "ICMP", or "". */
const char *trace_protocol_name(unsigned protocol);

/* The name of an end, and whose it is if that is the command. */
#define TRACE_NAME 200
char *trace_name(const struct trace_talk *talk, int side, char buf[static TRACE_NAME]);

/* What stands at an arrow, in at most `columns` columns as far as that can be. */
void trace_label(const struct trace_row *row, int columns, char *buf, size_t len);

struct trace_writer *trace_text(FILE *file);
struct trace_writer *trace_json(FILE *file);
struct trace_writer *trace_svg(FILE *file, const char *title);

#endif
