/* transfer_wire.c - the connection of a transfer: short lines, and data whose length a line has told.
 *
 * What the peer sends is never believed: a line is at most TRANSFER_LINE bytes of text, data is taken in the pieces
 * that come. */
#include "clock.h"
#include "transfer.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define VERSION "1"
#define DRAIN_SECONDS 10
#define GREETING_SECONDS 30

void transfer_wire_begin(struct transfer_wire *w, skt *sock, double idle)
{
    w->sock = sock;
    w->idle = idle;
    w->outcome = TRANSFER_DONE;
    w->why[0] = '\0';
    w->waited = cmd_now();
    w->at = w->end = 0;
    skt_settimeout(sock, idle);
}

int transfer_fail(struct transfer_wire *w, enum transfer_outcome outcome, const char *format, ...)
{
    va_list args;
    if (w->outcome != TRANSFER_DONE)
        return -1;
    w->outcome = outcome;
    va_start(args, format);
    vsnprintf(w->why, sizeof w->why, format, args);
    va_end(args);
    transfer_printable(w->why);
    return -1;
}

int transfer_fail_socket(struct transfer_wire *w)
{
    if (skt_timed_out())
        return transfer_fail(w, TRANSFER_BROKEN, "nothing has come or gone for %g seconds", skt_gettimeout(w->sock));
    return transfer_fail(w, TRANSFER_BROKEN, "%s", skt_strerror());
}

/* ---- Sending ---- */

/* A timeout in which something has gone is not silence. */
static bool goes_on(void)
{
    return skt_timed_out() && skt_error_record()->done > 0;
}

int transfer_send(struct transfer_wire *w, const void *buf, size_t len, int flags)
{
    const char *at = buf;
    while (skt_sendall(w->sock, at, len, flags) < 0) {
        if (!goes_on())
            return transfer_fail_socket(w);
        at += skt_error_record()->done;
        len -= skt_error_record()->done;
    }
    return 0;
}

ssize_t transfer_sendfile(struct transfer_wire *w, int fd, int64_t offset, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = skt_sendfile(w->sock, fd, offset + (int64_t)done, len - done);
        if (n >= 0)
            return (ssize_t)done + n;
        if (!goes_on())
            return transfer_fail_socket(w);
        done += skt_error_record()->done;
    }
    return (ssize_t)done;
}

int transfer_say(struct transfer_wire *w, int flags, const char *format, ...)
{
    char line[TRANSFER_LINE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    line[len] = '\n';
    return transfer_send(w, line, len + 1, flags);
}

int transfer_say_wait(struct transfer_wire *w)
{
    double now = cmd_now();
    if (now - w->waited < 1)
        return 0;
    w->waited = now;
    return transfer_say(w, 0, "wait");
}

/* ---- Receiving ---- */

/* Takes what comes next into the buffer, behind what is there.  How much; 0 at the end of input. */
static ssize_t take(struct transfer_wire *w, int flags)
{
    memmove(w->buf, w->buf + w->at, w->end - w->at);
    w->end -= w->at;
    w->at = 0;
    ssize_t n = skt_recv(w->sock, w->buf + w->end, sizeof w->buf - w->end, flags);
    if (n > 0)
        w->end += (size_t)n;
    return n;
}

static int strange(struct transfer_wire *w, const char *text, size_t len)
{
    char shown[61];
    snprintf(shown, sizeof shown, "%.*s", (int)len, text);
    return transfer_fail(w, TRANSFER_STRANGER, "the peer does not speak as skt send and receive do, but says '%s'",
                         transfer_printable(shown));
}

/* 1 and the line if the buffer has it, else 0. */
static int line_in_buffer(struct transfer_wire *w, char *line)
{
    size_t n = w->end - w->at;
    const char *text = w->buf + w->at, *newline = memchr(text, '\n', n < TRANSFER_LINE ? n : TRANSFER_LINE);
    size_t len = newline ? (size_t)(newline - text) : n;
    for (size_t i = 0; i < len && i < TRANSFER_LINE; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return strange(w, text, len);
    if (!newline)
        return n < TRANSFER_LINE ? 0 : strange(w, text, n);
    memcpy(line, text, len);
    line[len] = '\0';
    w->at += len + 1;
    return 1;
}

static int ended(struct transfer_wire *w)
{
    return transfer_fail(w, TRANSFER_BROKEN, "the peer has closed the connection");
}

/* As transfer_line_if_any, but waits with flags 0. */
static int next_line(struct transfer_wire *w, char *line, int flags)
{
    for (;;) {
        int got = line_in_buffer(w, line);
        if (got < 0 || (got > 0 && strcmp(line, "wait") != 0))
            return got;
        if (got > 0)
            continue;
        ssize_t n = take(w, flags);
        if (n < 0 && errno == EAGAIN && flags)
            return 0;
        if (n < 0)
            return transfer_fail_socket(w);
        if (n == 0)
            return ended(w);
    }
}

int transfer_line(struct transfer_wire *w, char line[static TRANSFER_LINE])
{
    return next_line(w, line, 0) < 0 ? -1 : 0;
}

int transfer_line_if_any(struct transfer_wire *w, char line[static TRANSFER_LINE])
{
    return next_line(w, line, MSG_DONTWAIT);
}

ssize_t transfer_data(struct transfer_wire *w, size_t most, const char **data)
{
    if (w->at == w->end) {
        ssize_t n = take(w, 0);
        if (n <= 0)
            return n < 0 ? transfer_fail_socket(w) : 0;
    }
    size_t n = w->end - w->at < most ? w->end - w->at : most;
    *data = w->buf + w->at;
    w->at += n;
    return (ssize_t)n;
}

/* ---- The beginning and the end ---- */

static int check_greeting(struct transfer_wire *w, const char *role, const char *line)
{
    bool sending = strcmp(role, "send") == 0;
    const char *version = transfer_word(line, sending ? "skt-receive" : "skt-send");
    if (version && !strcmp(version, VERSION))
        return 0;
    if (version)
        return transfer_fail(w, TRANSFER_STRANGER, "the peer speaks version '%.20s' of the protocol, and we " VERSION,
                             version);
    if (transfer_word(line, sending ? "skt-send" : "skt-receive"))
        return transfer_fail(w, TRANSFER_STRANGER, "the peer is another skt %s; one side has to send, one to receive",
                             role);
    return strange(w, line, strlen(line));
}

int transfer_greet(struct transfer_wire *w, const char *role, double timeout)
{
    char line[TRANSFER_LINE] = "";
    skt_settimeout(w->sock, timeout < 0 ? GREETING_SECONDS : timeout);
    int result = transfer_say(w, 0, "skt-%s " VERSION, role) < 0 ? -1 : transfer_line(w, line);
    if (result == 0)
        result = check_greeting(w, role, line);
    skt_settimeout(w->sock, w->idle);
    return result;
}

void transfer_drain(struct transfer_wire *w)
{
    skt_deadline deadline = skt_deadline_begin(DRAIN_SECONDS);
    skt_shutdown(w->sock, SHUT_WR);
    while (skt_recv(w->sock, w->buf, sizeof w->buf, 0) > 0)
        ;
    skt_deadline_end(deadline);
}
