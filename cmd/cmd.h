/* cmd.h - what the files of the command skt share.
 *
 * The command is built on skt.h alone: whatever is awkward to write here is a
 * fault of the library.  How to add a subcommand:
 *
 *   its file       cmd/WORD.c, in cmd/meson.build: run(), and at its end a struct command cmd_WORD, with examples first
 *   its row        in skt.c's table, and the extern declaration below
 *   its options    names in .options; a new one is a row of options.c (an option means the same everywhere: look
 *                  there first), and a field of struct cmd_settings, with its default if that is not 0
 *   its addresses  cmd_read_address, then cmd_dial or cmd_listen_at (dial.c, server.c), which see to all options that
 *                  concern a socket
 *   what it says   cmd_say, cmd_misuse, cmd_fail: one line each, on standard error; results on standard output, with
 *                  --json by json.h; live lines and colours by terminal.h; sizes, rates and times by units.h
 *   what is there  clock.h: the time; tcp.h: TCP's sockets; histogram.h: percentiles; chart.h: SVG; proxy.h: SOCKS
 *   its test       tests/cmd/WORD_....py, a story a file, in tests/cmd/meson.build
 *   its manual     skt.1: SYNOPSIS, DESCRIPTION, each new option under OPTIONS, an example
 *
 * Help and completion make themselves from the tables. */
#ifndef CMD_H
#define CMD_H

#include <skt.h>

/* What the command exits with (skt.1, EXIT STATUS). */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- skt.c: the table of subcommands ---- */

struct cmd_settings;

/* What may stand where. */
enum cmd_arguments {
    ARGUMENTS_MIXED, /* options and arguments in any order, until "--" */
    ARGUMENTS_LAST,  /* the first argument ends the options: trace skt connect -v ... */
    ARGUMENTS_RAW,   /* all is left to run(), which gets no settings; args[-1] is the command's name */
};

struct command {
    const char *name;
    /* Gets what the options say, and the n arguments behind them; returns the exit status. */
    int (*run)(const struct cmd_settings *settings, int n, char **args);
    const char *line;     /* what it does, in a line */
    const char *options;  /* the names of the options that it takes (options.c), "timeout idle | ttl dscp": help
                             explains those before the bar, and only names the others */
    const char *operands; /* what follows them: "ADDRESS", "FILE ADDRESS", "COMMAND" are known to completion */
    const char *examples; /* lines of two spaces, "skt ..." and at column 43 what it does */
    const char *rules;    /* what else to know, on the same screen; or NULL */
    enum cmd_arguments arguments;
};

extern const struct command cmd_connect, cmd_listen, cmd_relay, cmd_nc, cmd_send, cmd_receive, cmd_measure, cmd_echo,
    cmd_discard, cmd_chargen, cmd_ping, cmd_resolve, cmd_options, cmd_trace, cmd_help;

/* The i-th command, NULL after the last. */
const struct command *cmd_command(size_t i);

/* Runs the command of the name argv[0], and returns what the process is to exit with. */
int cmd_run(int argc, char **argv);

/* ---- help.c ---- */

/* The command of this name, or NULL, having said which one was probably meant. */
const struct command *cmd_find(const char *name);

void cmd_print_help(const struct command *command);
void cmd_print_overview(void);

/* ---- say.c: what is told to the user ---- */

/* What we say begins with it: "skt", or "nc" for who calls us so. */
extern const char *cmd_name;

/* Writes "skt: ", the text and a newline to standard error. */
void cmd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same without the name in front. */
void cmd_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says a mistake in how the command was called; returns STATUS_USAGE. */
int cmd_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says the library's sentence on what failed last, and returns the status for it:
 * STATUS_USAGE if the library refused an argument. */
int cmd_fail(void);

/* ---- nearest.c ---- */

/* The word in a table that `wrong` was probably meant to be, or NULL.  name(i)
 * is the i-th word, NULL after the last. */
const char *cmd_nearest(const char *wrong, const char *(*name)(size_t i));

/* ---- options.c ---- */

/* Which of its ends ends a conversation. */
enum cmd_end { END_BOTH, END_PEER, END_INPUT };
/* What skt measure moves without waiting for answers. */
enum cmd_bulk { BULK_NONE, BULK_UP, BULK_DOWN, BULK_BOTH };
/* How it knows that a request has been answered. */
enum cmd_answer { ANSWER_DEFAULT, ANSWER_ECHO, ANSWER_LINE, ANSWER_HTTP, ANSWER_NONE };
enum cmd_shell { SHELL_NONE, SHELL_BASH, SHELL_ZSH };

/* The values of an option that may be given several times. */
struct cmd_list {
    const char *items[64];
    size_t n;
};

/* What the options say. */
struct cmd_settings {
    int family;     /* AF_INET, AF_INET6, or AF_UNSPEC for either */
    double timeout; /* seconds to wait for a peer, or SKT_NO_TIMEOUT */
    double idle;    /* seconds of silence that end a conversation, or SKT_NO_TIMEOUT */
    int end;        /* enum cmd_end */
    bool connect;   /* connect to ADDRESS, where it would not be done */

    /* For a socket (sockopt.c). */
    const char *source;                  /* where to connect from, or NULL */
    const char *interface;               /* or NULL */
    int ttl;                             /* 0: the system's */
    int dscp;                            /* 0 to 63, or -1 */
    int64_t send_buffer, receive_buffer; /* 0: the system's */
    struct cmd_list socket_options;      /* NAME=VALUE, all of them known */

    /* For connect and listen. */
    bool keep, broadcast;
    double retry; /* seconds between attempts, or SKT_NO_TIMEOUT: one is enough */
    char **exec;  /* a program and its arguments, or NULL */
    const char *shell;
    struct cmd_list send_fd;
    const char *record; /* a file, "-", or NULL */

    /* For trace. */
    const char *svg;    /* file for the picture */
    const char *output; /* file for the results; "-": standard output; NULL: as the command likes */
    int port;           /* whose packets; 0: a command's */

    /* For those who measure. */
    double interval; /* seconds from one to the next, or -1: the command's own */
    int64_t size;    /* bytes of data in each, or -1: the command's own */
    int count;       /* 0: no end */
    int connections, threads;
    int pace;                   /* messages per second over all connections; 0: as fast as answers come */
    int bulk;                   /* enum cmd_bulk */
    int answer;                 /* enum cmd_answer */
    double duration;            /* seconds */
    double every;               /* seconds between lines */
    const char *request, *plot; /* or NULL */
    bool tcp;                   /* skt ping: connect */

    bool reverse; /* skt resolve: names of addresses, too */
    bool calls;   /* skt trace: draw these, not packets */

    /* For send and receive. */
    bool listen, raw, replace;

    /* For relay. */
    bool accept_proxy;
    int send_proxy;       /* the version, or 0 */
    int max;              /* connections; 0: no limit */
    int64_t rate;         /* bytes per second; 0: no limit */
    double grace;         /* seconds */
    const char *handover; /* a path, or NULL */
    const char *log;      /* likewise */

    bool json;
    bool verbose;
    int completion; /* enum cmd_shell */
    bool help;      /* --help: print it and do nothing else */
};

/* Reads a command's options; its other arguments are at argv[optind] and on, up to *argc, which becomes
 * less where an option takes all that follows it.  0, or STATUS_USAGE, having said why. */
int cmd_read_options(const struct command *command, int *argc, char **argv, struct cmd_settings *settings);

/* Prints a line for each option of the command. */
void cmd_print_options(const struct command *command);

/* ---- address.c ---- */

struct cmd_scheme;

/* What an ADDRESS on the command line says. */
struct cmd_address {
    const struct cmd_scheme *scheme;
    const char *text; /* as it was written */
    int type;         /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
    bool ip;          /* host and port count, otherwise, unless one of the next two says else, addr */
    int fd;           /* fd:N, a socket that we were started with; otherwise -1 */
    bool stdio;       /* -: standard input and output */
    bool listening;   /* fd is a listener */
    char host[256];   /* "": every address of this machine */
    int port;
    skt_addr addr;
};

/* Reads ADDRESS, or HOST PORT, from n arguments.  0, or STATUS_USAGE, having said why. */
int cmd_read_address(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address);

/* Reads ADDRESS from one argument, which may be "-" too. */
int cmd_read_one_address(const struct cmd_settings *settings, const char *text, struct cmd_address *address);

/* What the i-th form of ADDRESS begins with, NULL after the last. */
const char *cmd_scheme_prefix(size_t i);

/* Prints a line for each form of ADDRESS. */
void cmd_print_schemes(void);

/* Where a socket of this kind of address is bound, in the form of the command line. */
void cmd_address_of(const struct cmd_address *address, skt *s, char *buf, size_t len);

/* The rows of a host's addresses, for a datagram socket.  As skt_getaddrinfo. */
ssize_t cmd_look_up(const struct cmd_address *address, const struct cmd_settings *settings, int flags,
                    skt_addrinfo **list);

/* ---- dial.c, server.c: a socket from an address, with all that the options say of it ---- */

/* A socket that is connected there, without a timeout.  0, or the exit status, having said why. */
int cmd_dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s);

/* One that listens there or, for datagrams, is bound.  0, or the exit status, having said why. */
int cmd_listen_at(const struct cmd_address *address, const struct cmd_settings *settings, skt **s);

/* Tries once, without a word where it fails: for --retry.  0, -1 with the library's record, or a status, having
 * said why there is no use in trying again. */
int cmd_try_dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s);

/* redial.c: as cmd_dial; with --retry, until somebody is there. */
int cmd_dial_until(const struct cmd_address *address, const struct cmd_settings *settings, skt **s);

/* ---- sockopt.c ---- */

/* The number of a class of RFC 2474 and its like ("EF", "af41", "46"), or -1. */
int cmd_dscp(const char *text);

/* Sets on a new socket, before it is bound or connected, what the options say.  0, or -1 with errno, having said why.
 */
int cmd_prepare(skt *s, const struct cmd_settings *settings);

/* ---- descriptors.c ---- */

/* Makes room for as many descriptors as the system allows us; how many that are. */
int cmd_raise_descriptor_limit(void);

/* ---- cleanup.c ---- */

/* Binds; if that makes a file for an AF_UNIX socket, the file is removed when the
 * command ends, by a signal too. */
int cmd_bind(skt *s, skt_addr addr);

/* Removes the file now. */
void cmd_remove_socket_file(void);

/* ---- traced.c ---- */

/* Whether this process is the command of a skt trace, and what that draws: packets where there are some, or calls. */
extern enum cmd_traced { TRACED_NOT, TRACED_PACKETS, TRACED_CALLS } cmd_traced;

/* Whether the socket's data may pass by the library (splice(2)), whose calls the trace would miss. */
bool cmd_may_splice(skt *s);

/* ---- peer.c: whom we talk to ---- */

struct cmd_peer {
    skt *sock;
    bool messages;  /* what is sent at once arrives at once, or not at all */
    bool endless;   /* datagrams: no end of the peer's data can be seen */
    const int *fds; /* nfds descriptors that are to go with the first byte (AF_UNIX) */
    size_t nfds;
    skt_addr addr;                             /* the peer's */
    bool addressed;                            /* sock is not connected: addr, and the two below, tell where to send */
    _Alignas(struct cmsghdr) char control[64]; /* the address that the peer knows us by */
    size_t controllen;
};

/* A connected socket as a peer. */
struct cmd_peer cmd_peer_connected(skt *s);

/* Waits for the first datagram, whose sender becomes the peer; the datagram itself
 * is left to be received. */
int cmd_peer_await(struct cmd_peer *peer, skt *s);

/* All of buf, or one datagram. 0, or -1 with ... */
int cmd_peer_send(struct cmd_peer *peer, const void *buf, size_t len);

/* ... this sentence on why. */
const char *cmd_peer_send_error(const struct cmd_peer *peer);

/* As skt_recv; of a message longer than len, its whole length. */
ssize_t cmd_peer_recv(struct cmd_peer *peer, void *buf, size_t len, int flags);

/* Asks for the address that datagrams come to, so that they can be answered from there; where the kernel
 * cannot tell, it chooses. */
void cmd_peer_ask_for_local_address(skt *s);

/* Takes a datagram, with its sender, as one to be answered.  As skt_recv, which with MSG_TRUNC tells the whole length.
 */
ssize_t cmd_peer_take(skt *s, void *buf, size_t len, int flags, struct cmd_peer *from);

/* What the peer is called, in messages and in the record: its address, or "peer". */
char *cmd_peer_name(const struct cmd_peer *peer, char buf[static SKT_ADDR_TEXT_MAX]);

/* ---- talk.c ---- */

/* Whether the options of connect and listen go together; opens the record; puts the descriptors of --send-fd into
 * fds, which has room for as many as the list can have.  0, or the exit status, having said why. */
int cmd_check_talk(const struct cmd_settings *settings, const struct cmd_address *address, int *fds);

/* Talks to the peer, or becomes the program that does.  Returns the exit status; may be called once. */
int cmd_talk(struct cmd_peer *peer, const struct cmd_settings *settings, const int *fds);

/* ---- record.c: --record ---- */

/* 0, or the exit status, having said why. */
int cmd_record_open(const char *path);

/* Writes down what has gone to the peer ('>') or come from it ('<').  Does nothing where no record is kept. */
void cmd_record(char direction, const struct cmd_peer *peer, const void *buf, size_t len);

/* Whether all could be written; what could not has been said. */
bool cmd_record_is_whole(void);

/* ---- exec.c: --exec, --shell ---- */

/* Becomes the program, with the descriptor as its input and output.  Returns only on failure: a status, having said
 * why. */
int cmd_become(const struct cmd_settings *settings, int fd);

/* Starts the program beside us; fd stays ours to close.  peer, local: whom fd connects, if fd does
 * not know; or NULL.  0, or a status, having said why. */
int cmd_start_program(const struct cmd_settings *settings, int fd, const char *peer, const char *local);

/* ---- crowd.c: --keep ---- */

/* Serves all who come, until a signal ends it.  Returns the exit status. */
int cmd_crowd(skt *server, const struct cmd_settings *settings);

/* ---- pump.c ---- */

/* Sends standard input to the peer and writes what the peer sends to standard
 * output, until the conversation is over.  Returns the exit status.  May be
 * called once, and the process is to end after it. */
int cmd_pump(const struct cmd_peer *peer, const struct cmd_settings *settings);

#endif
