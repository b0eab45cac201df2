/* cmd.h - what the files of the command skt share.
 *
 * The command is built on skt.h alone: whatever is awkward to write here is a
 * fault of the library. */
#ifndef CMD_H
#define CMD_H

#include <skt.h>

/* What the command exits with (skt.1, EXIT STATUS). */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- skt.c: the table of subcommands ---- */

struct cmd_settings;

struct command {
    const char *name;
    /* Gets what the options say, and the n arguments behind them; returns the exit status. */
    int (*run)(const struct cmd_settings *settings, int n, char **args);
    const char *line;    /* what it does, in a line */
    const char *options; /* the letters of the options that it takes (options.c) */
    const char *help;    /* examples first, then the rules; the options are added to it */
};

extern const struct command cmd_connect, cmd_listen;

/* ---- say.c: what is told to the user ---- */

/* Writes "skt: ", the text and a newline to standard error. */
void cmd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

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

/* What the options say. */
struct cmd_settings {
    int family;     /* AF_INET, AF_INET6, or AF_UNSPEC for either */
    double timeout; /* seconds to wait for a peer, or SKT_NO_TIMEOUT */
    double idle;    /* seconds of silence that end a conversation, or SKT_NO_TIMEOUT */
    enum cmd_end end;
    bool verbose;
    bool help; /* --help: print it and do nothing else */
};

/* Reads a command's options; its other arguments are at argv[optind] and on.  0,
 * or STATUS_USAGE, having said why. */
int cmd_read_options(const struct command *command, int argc, char **argv, struct cmd_settings *settings);

/* Prints a line for each option in letters. */
void cmd_print_options(const char *letters);

/* ---- address.c ---- */

struct cmd_scheme;

/* What an ADDRESS on the command line says. */
struct cmd_address {
    const struct cmd_scheme *scheme;
    const char *text; /* as it was written */
    int type;         /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
    bool ip;          /* host and port count, otherwise addr */
    char host[256];   /* "": every address of this machine */
    int port;
    skt_addr addr;
};

/* Reads ADDRESS, or HOST PORT, from n arguments.  0, or STATUS_USAGE, having said why. */
int cmd_read_address(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address);

/* Prints a line for each form of ADDRESS. */
void cmd_print_schemes(void);

/* Where a socket of this kind of address is bound, in the form of the command line. */
void cmd_address_of(const struct cmd_address *address, skt *s, char *buf, size_t len);

/* The rows of a host's addresses, for a datagram socket.  As skt_getaddrinfo. */
ssize_t cmd_look_up(const struct cmd_address *address, const struct cmd_settings *settings, int flags,
                    skt_addrinfo **list);

/* ---- cleanup.c ---- */

/* Binds; if that makes a file for an AF_UNIX socket, the file is removed when the
 * command ends, by a signal too. */
int cmd_bind(skt *s, skt_addr addr);

/* Removes the file now. */
void cmd_remove_socket_file(void);

/* ---- peer.c: whom we talk to ---- */

struct cmd_peer {
    skt *sock;
    bool messages;  /* what is sent at once arrives at once, or not at all */
    bool endless;   /* datagrams: no end of the peer's data can be seen */
    bool addressed; /* sock is not connected: the three below tell where the peer is */
    skt_addr addr;
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

/* What the peer has sent and is there now: as skt_recv with MSG_DONTWAIT. */
ssize_t cmd_peer_recv(struct cmd_peer *peer, void *buf, size_t len);

/* ---- pump.c ---- */

/* Sends standard input to the peer and writes what the peer sends to standard
 * output, until the conversation is over.  Returns the exit status.  May be
 * called once, and the process is to end after it. */
int cmd_pump(const struct cmd_peer *peer, const struct cmd_settings *settings);

#endif
