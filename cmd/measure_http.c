/* measure_http.c - answers of HTTP/1: as much of it as is needed to know where an answer ends, and whether the
 * connection ends with it. */
#include "measure.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE = 8192, LINES = 200, ROOM = 64 << 10 };

/* What the head says of the body. */
struct head {
    int status;
    bool chunked, close;
    int64_t length; /* -1: until the connection ends */
};

static int strange(struct measure_connection *c, const char *what)
{
    measure_fail(c, "the server's answer is no HTTP: %s", what);
    return -1;
}

/* ---- Reading ---- */

static int fill(struct measure_connection *c)
{
    ssize_t n = measure_recv(c, c->buffer, ROOM);
    c->at = 0;
    c->held = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : -1;
}

/* A line without its end, which is a newline with or without a carriage return before it. */
static int read_line(struct measure_connection *c, char line[static LINE])
{
    size_t len = 0;
    for (;;) {
        if (c->held == 0 && fill(c) < 0)
            return -1;
        const char *from = c->buffer + c->at, *end = memchr(from, '\n', c->held);
        size_t n = end ? (size_t)(end - from) : c->held;
        if (len + n >= LINE)
            return strange(c, "a line of more than 8191 bytes");
        memcpy(line + len, from, n);
        len += n;
        n += end != NULL;
        c->at += n;
        c->held -= n;
        if (end)
            break;
    }
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    return 0;
}

static int skip(struct measure_connection *c, int64_t n)
{
    while (n > 0) {
        if (c->held == 0 && fill(c) < 0)
            return -1;
        size_t part = (int64_t)c->held < n ? c->held : (size_t)n;
        c->at += part;
        c->held -= part;
        n -= (int64_t)part;
    }
    return 0;
}

static int skip_to_end(struct measure_connection *c)
{
    ssize_t n;
    c->held = 0;
    while ((n = skt_recv(c->s, c->buffer, ROOM, 0)) > 0)
        c->thread->counts.in += (size_t)n;
    if (n == 0)
        return 0;
    measure_fail_call(c);
    return -1;
}

/* ---- The head ---- */

/* A whole number in this base, at most 2^62, up to the end or a character of `until`; or -1. */
static int64_t read_number(const char *text, int base, const char *until)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, base);
    bool digit = (*text >= '0' && *text <= '9') || (base == 16 && strchr("abcdefABCDEF", *text) && *text);
    return digit && errno == 0 && n <= 1LL << 62 && strchr(until, *end) ? n : -1;
}

static int read_field(struct measure_connection *c, const char *line, struct head *head)
{
    const char *colon = strchr(line, ':');
    if (!colon)
        return strange(c, "a header without a colon");
    size_t name = (size_t)(colon - line);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (name == 14 && !strncasecmp(line, "Content-Length", name)) {
        head->length = read_number(value, 10, " \t");
        if (head->length < 0)
            return strange(c, "a Content-Length that is no number");
    } else if (name == 17 && !strncasecmp(line, "Transfer-Encoding", name)) {
        head->chunked = strcasestr(value, "chunked");
    } else if (name == 10 && !strncasecmp(line, "Connection", name)) {
        head->close = strcasestr(value, "close") || (head->close && !strcasestr(value, "keep-alive"));
    }
    return 0;
}

static int read_head(struct measure_connection *c, struct head *head)
{
    char line[LINE];
    int minor;
    *head = (struct head){ .length = -1 };
    if (read_line(c, line) < 0)
        return -1;
    if (sscanf(line, "HTTP/1.%1d %3d", &minor, &head->status) != 2 || head->status < 100)
        return strange(c, "it does not begin with HTTP/1.1 and a status");
    head->close = minor == 0;
    for (int i = 0; i < LINES; i++) {
        if (read_line(c, line) < 0)
            return -1;
        if (!*line)
            return 0;
        if (read_field(c, line, head) < 0)
            return -1;
    }
    return strange(c, "a head of more than 200 lines");
}

/* ---- The body ---- */

static int skip_trailer(struct measure_connection *c)
{
    char line[LINE];
    for (int i = 0; i < LINES; i++) {
        if (read_line(c, line) < 0)
            return -1;
        if (!*line)
            return 0;
    }
    return strange(c, "a trailer of more than 200 lines");
}

static int skip_chunks(struct measure_connection *c)
{
    char line[LINE];
    for (;;) {
        if (read_line(c, line) < 0)
            return -1;
        int64_t n = read_number(line, 16, " \t;");
        if (n < 0)
            return strange(c, "a chunk without a length");
        if (n == 0)
            return skip_trailer(c);
        if (skip(c, n) < 0 || read_line(c, line) < 0)
            return -1;
        if (*line)
            return strange(c, "a chunk that is longer than it says");
    }
}

static int skip_body(struct measure_connection *c, struct head *head)
{
    if (head->status == 204 || head->status == 304)
        return 0;
    if (head->chunked)
        return skip_chunks(c);
    if (head->length >= 0)
        return skip(c, head->length);
    head->close = true;
    return skip_to_end(c);
}

int measure_http_answer(struct measure_connection *c)
{
    struct head head;
    c->at = c->held = 0;
    do
        if (read_head(c, &head) < 0)
            return -1;
    while (head.status < 200); /* only announced */
    if (skip_body(c, &head) < 0)
        return -1;
    if (c->held > 0)
        return strange(c, "more follows than it says");
    if (head.status >= 400)
        c->thread->counts.refused++;
    return !head.close;
}

char *measure_http_request(const struct measure_plan *plan)
{
    char *text;
    if (asprintf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: skt/" SKT_VERSION "\r\nAccept: */*\r\n\r\n",
                 plan->path, plan->host) < 0)
        return NULL;
    return text;
}
