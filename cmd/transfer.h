/* transfer.h - what skt send and skt receive share.  docs/transfer.md has the protocol.
 *
 *   send.c receive.c      the subcommands
 *        |                transfer_link.c    connections, one after the other while they break
 *   send_file.c           one conversation, from the sender's side; send_source.c: the files
 *   receive_file.c        the same from the receiver's; receive_part.c: a file that is not whole yet
 *   transfer_raw.c        both without the protocol
 *        |
 *   transfer_wire.c       lines and data; transfer_message.c: what the lines say
 *   transfer_digest.c     SHA-256;  transfer_progress.c: bar and report;  transfer_signal.c: the end by a signal */
#ifndef CMD_TRANSFER_H
#define CMD_TRANSFER_H

#include "cmd.h"

/* ---- transfer_wire.c ---- */

#define TRANSFER_CHUNK 262144 /* bytes that the sender promises at once */
#define TRANSFER_LINE 512     /* bytes of a line at most, its newline included */
#define TRANSFER_REASON 200   /* bytes of a reason that is told to the peer */

/* What became of a conversation. */
enum transfer_outcome {
    TRANSFER_DONE,
    TRANSFER_BROKEN,   /* the connection: another one may succeed */
    TRANSFER_STRANGER, /* the peer is no skt that does the opposite */
    TRANSFER_FAILED,   /* something else: trying again is of no use */
};

/* A conversation.  Calls return 0, or -1 with outcome and why set; the first failure stays. */
struct transfer_wire {
    skt *sock;
    double idle; /* seconds of silence that break it, or SKT_NO_TIMEOUT */
    enum transfer_outcome outcome;
    char why[600];
    double waited; /* when we last told the peer that we are at work */
    size_t at, end;
    char buf[TRANSFER_CHUNK];
};

void transfer_wire_begin(struct transfer_wire *w, skt *sock, double idle);

/* Sets outcome and why, unless they are set; returns -1. */
int transfer_fail(struct transfer_wire *w, enum transfer_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the library's sentence, for a broken connection. */
int transfer_fail_socket(struct transfer_wire *w);

int transfer_send(struct transfer_wire *w, const void *buf, size_t len, int flags);

/* Returns how many bytes went: less than len where the file has no more. */
ssize_t transfer_sendfile(struct transfer_wire *w, int fd, int64_t offset, size_t len);

/* Sends a line; the newline is added. */
int transfer_say(struct transfer_wire *w, int flags, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Tells the peer, once a second, that we are at work and will go on. */
int transfer_say_wait(struct transfer_wire *w);

/* The next line, without its newline. */
int transfer_line(struct transfer_wire *w, char line[static TRANSFER_LINE]);

/* 1 and a line if one has come, else 0. */
int transfer_line_if_any(struct transfer_wire *w, char line[static TRANSFER_LINE]);

/* Bytes of data that have come, at most `most`, in *data; 0 at the end of input. */
ssize_t transfer_data(struct transfer_wire *w, size_t most, const char **data);

/* Says who we are ("send", "receive"), and hears whether the peer is the other. */
int transfer_greet(struct transfer_wire *w, const char *role, double timeout);

/* Reads and throws away until the peer has ended, for some seconds: data that is still on its way when a connection is
 * closed makes the system reset it, and the peer would never see why. */
void transfer_drain(struct transfer_wire *w);

/* ---- transfer_message.c ---- */

/* What a sender says of a file. */
struct transfer_file {
    int64_t size; /* -1: not known before its end */
    unsigned mode;
    bool has_mtime;
    struct timespec mtime;
    char name[256]; /* "": it has none */
};

/* What is behind the word, if the line begins with it; else NULL. */
const char *transfer_word(const char *line, const char *word);

/* A decimal number from 0 to most and nothing behind it. */
bool transfer_read_number(const char *text, int64_t most, int64_t *number);

/* "SIZE MODE MTIME NAME". */
bool transfer_read_file(const char *text, struct transfer_file *file);
void transfer_write_file(const struct transfer_file *file, char text[static TRANSFER_LINE]);

/* "LENGTH SHA256" */
bool transfer_read_have(const char *text, int64_t *length, char sha256[static 65]);
bool transfer_is_sha256(const char *text);

/* Whether a name is one that a peer may send or be sent: no slash, no control character, not "." or "..". */
bool transfer_is_name(const char *name);

/* Makes text harmless for a terminal. */
char *transfer_printable(char *text);

/* ---- transfer_digest.c ---- */

struct transfer_digest {
    void *context; /* NULL: there is no memory */
};

/* 0, or -1: no memory. */
int transfer_digest_begin(struct transfer_digest *d);
void transfer_digest_add(struct transfer_digest *d, const void *buf, size_t len);

/* Of what was added so far; more may be added.  false: no memory. */
bool transfer_digest_text(const struct transfer_digest *d, char sha256[static 65]);
void transfer_digest_end(struct transfer_digest *d);

/* Adds the first n bytes of a file; the peer is told that this takes time.  1 if it has fewer, or cannot be read. */
int transfer_digest_file(struct transfer_digest *d, struct transfer_wire *w, int fd, int64_t n);

/* ---- transfer_progress.c ---- */

struct transfer_progress {
    const struct cmd_settings *settings;
    const char *name, *done; /* what it was called, and "sent" or "received" */
    int64_t size, from, at;  /* size -1: not known; from: where this connection began */
    double begun, shown, rate;
    int64_t shown_at;
};

void transfer_progress_begin(struct transfer_progress *p, int64_t from);
void transfer_progress_add(struct transfer_progress *p, size_t n);

/* Reports a file that is done; sha256 may be NULL. */
void transfer_report(struct transfer_progress *p, const char *sha256);

/* ---- transfer_signal.c ---- */

/* From now on SIGINT, SIGTERM and SIGHUP say so, and then end the command as they would. */
void transfer_watch_signals(void);

/* What is said then, and which file is removed; NULL: none. */
void transfer_at_signal(const char *say, int dirfd, const char *file);

/* ---- transfer_link.c ---- */

/* A conversation over the wire, whose sock is set. */
typedef void transfer_talk(struct transfer_wire *w, void *arg);

/* Connects, or listens, and talks; with --retry again and again while the connection breaks.  Returns the exit
 * status, having said what failed. */
int transfer_run(const struct cmd_address *address, bool listening, const struct cmd_settings *settings,
                 transfer_talk *talk, void *arg);

/* Reads ADDRESS, or HOST PORT, at the beginning of the arguments (or at their end); *n becomes how many were taken. */
int transfer_address(const struct cmd_settings *settings, int *n, char **args, bool at_end,
                     struct cmd_address *address);

/* ---- send_source.c ---- */

/* A file to be sent. */
struct send_source {
    const char *path;
    struct transfer_file file;
    int fd;       /* -1: not open */
    bool streams; /* a pipe or its like: it can be read once */
    bool begun;   /* ... and has been */
};

/* Opens it.  0, or -1 with a sentence in why. */
int send_source_open(struct send_source *s, const char *path, char *why, size_t len);
void send_source_close(struct send_source *s);

/* Whether it is as it was when it was opened. */
bool send_source_is_unchanged(const struct send_source *s);

/* ---- send_file.c ---- */

struct send_job {
    const struct cmd_settings *settings;
    char **paths;
    int n, done;
    struct send_source source; /* of paths[done] */
};

void send_talk(struct transfer_wire *w, void *job);

/* ---- receive_target.c, receive_part.c ---- */

/* Where received files go. */
struct receive_target {
    const struct cmd_settings *settings;
    int out;           /* a stream to write to, or -1 */
    const char *shown; /* what out is called */
    int dirfd;         /* else a directory, ... */
    bool directory;    /* ... into which all files go by their own names, ... */
    char name[256];    /* ... or one by this name */
};

/* "-", a file or a directory.  0, or the exit status, having said why. */
int receive_target_open(struct receive_target *t, const char *path, const struct cmd_settings *settings);
void receive_target_close(struct receive_target *t);

/* A file that is being received. */
struct receive_part {
    const struct receive_target *target;
    int fd;
    char name[256]; /* its final name */
    char part[280]; /* its name until it is whole */
    bool whole;     /* fd is a file of the final name and the right size */
    bool resumable;
    int64_t have; /* bytes that are there from before */
};

/* All of these: 0, or -1 with a sentence in why. */
int receive_part_begin(struct receive_part *p, const struct receive_target *t, const struct transfer_file *file,
                       char *why, size_t len);
/* Throws away what is there from before. */
int receive_part_restart(struct receive_part *p, int64_t size, char *why, size_t len);
int receive_part_write(struct receive_part *p, const char *data, size_t n, char *why, size_t len);
int receive_part_finish(struct receive_part *p, const struct transfer_file *file, char *why, size_t len);

/* Gives up the file; what has come stays, if keep, under the name for what is not whole. */
void receive_part_leave(struct receive_part *p, bool keep);

/* ---- receive_file.c ---- */

struct receive_job {
    const struct cmd_settings *settings;
    struct receive_target target;
    int received;
};

void receive_talk(struct transfer_wire *w, void *job);

/* ---- transfer_raw.c ---- */

void send_raw(struct transfer_wire *w, void *job);
void receive_raw(struct transfer_wire *w, void *job);

#endif
