/* proxy.c - the words of SOCKS and of HTTP's CONNECT: what to ask a proxy, and what its answer means.
 *
 * Each answer is a row of steps: wait for `need` bytes, then call `next`, which looks at them and says what is needed
 * next.  Not a byte more is taken than belongs to the answer, since the connection's own follow it. */
#include "proxy.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#define HEADER_MOST 65536 /* bytes of HTTP's answer: who sends more is no proxy */

/* ---- Steps ---- */

__attribute__((format(printf, 2, 3))) static void refuse(struct proxy_talk *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->why, sizeof t->why, format, args);
    va_end(args);
    t->state = PROXY_REFUSED;
}

static void put(struct proxy_talk *t, const void *data, size_t n)
{
    if (n > sizeof t->out - t->outlen) {
        refuse(t, "the request does not fit: name, user and password are too long");
        return;
    }
    memcpy(t->out + t->outlen, data, n);
    t->outlen += n;
}

static void put_byte(struct proxy_talk *t, int byte)
{
    unsigned char b = (unsigned char)byte;
    put(t, &b, 1);
}

static void put_text(struct proxy_talk *t, const char *text)
{
    put(t, text, strlen(text));
}

static void put_port(struct proxy_talk *t)
{
    put_byte(t, t->port >> 8);
    put_byte(t, t->port);
}

/* A length of one byte, and the text. */
static void put_counted(struct proxy_talk *t, const char *what, const char *text)
{
    size_t n = strlen(text);
    if (n > 255) {
        refuse(t, "SOCKS has 255 bytes for %s, not %zu", what, n);
        return;
    }
    put_byte(t, (int)n);
    put(t, text, n);
}

static void wait_for(struct proxy_talk *t, size_t bytes, void (*next)(struct proxy_talk *t))
{
    t->need = bytes;
    t->next = next;
}

/* The same from the beginning of the next message. */
static void wait_for_message(struct proxy_talk *t, size_t bytes, void (*next)(struct proxy_talk *t))
{
    t->have = 0;
    wait_for(t, bytes, next);
}

static void open_now(struct proxy_talk *t)
{
    t->state = PROXY_OPEN;
}

/* ---- SOCKS 4 and 4A ---- */

static void socks4_answered(struct proxy_talk *t)
{
    static const char *const reasons[] = { "request rejected or failed", "it cannot ask our identd",
                                           "our identd tells another user" };
    int code = t->in[1];
    if (t->in[0] != 0)
        refuse(t, "its answer is not SOCKS 4's");
    else if (code == 90)
        open_now(t);
    else if (code >= 91 && code <= 93)
        refuse(t, "SOCKS 4: %s", reasons[code - 91]);
    else
        refuse(t, "SOCKS 4: unknown answer %d", code);
}

/* 4A: the address 0.0.0.1 says that a name follows. */
static void socks4_ask(struct proxy_talk *t)
{
    struct in_addr address = { htonl(1) };
    bool by_name = inet_pton(AF_INET, t->host, &address) != 1;
    if (by_name && t->proxy->protocol == PROXY_SOCKS4) {
        refuse(t, "SOCKS 4 takes IPv4 addresses only, not '%.100s'", t->host);
        return;
    }
    const char *user = t->proxy->user ? t->proxy->user : "";
    put_byte(t, 4);
    put_byte(t, 1); /* CONNECT */
    put_port(t);
    put(t, &address, sizeof address);
    put(t, user, strlen(user) + 1);
    if (by_name)
        put(t, t->host, strlen(t->host) + 1);
    wait_for(t, 8, socks4_answered);
}

/* ---- SOCKS 5 ---- */

static void socks5_refused(struct proxy_talk *t)
{
    static const char *const reasons[] = {
        [1] = "general failure",          [2] = "forbidden by its rules",
        [3] = "Network is unreachable",   [4] = "No route to host",
        [5] = "Connection refused",       [6] = "TTL expired",
        [7] = "it does not know CONNECT", [8] = "it does not know this kind of address"
    };
    unsigned code = t->in[1];
    if (code < sizeof reasons / sizeof *reasons)
        refuse(t, "SOCKS 5: %s", reasons[code]);
    else
        refuse(t, "SOCKS 5: unknown answer %u", code);
}

/* version, answer, reserved, kind of address, and a byte of that: how long the rest is. */
static void socks5_answered(struct proxy_talk *t)
{
    static const size_t lengths[] = { [1] = 4, [4] = 16 };
    unsigned kind = t->in[3];
    if (t->in[0] != 5)
        refuse(t, "its answer is not SOCKS 5's");
    else if (t->in[1] != 0)
        socks5_refused(t);
    else if (kind == 3)
        wait_for(t, 4 + 1 + (size_t)t->in[4] + 2, open_now);
    else if (kind == 1 || kind == 4)
        wait_for(t, 4 + lengths[kind] + 2, open_now);
    else
        refuse(t, "SOCKS 5: it answers with an unknown kind of address, %u", kind);
}

static void socks5_ask(struct proxy_talk *t)
{
    unsigned char address[16];
    put(t, "\5\1\0", 3); /* CONNECT */
    if (inet_pton(AF_INET, t->host, address) == 1) {
        put_byte(t, 1);
        put(t, address, 4);
    } else if (inet_pton(AF_INET6, t->host, address) == 1) {
        put_byte(t, 4);
        put(t, address, 16);
    } else {
        put_byte(t, 3);
        put_counted(t, "a name", t->host);
    }
    put_port(t);
    wait_for_message(t, 5, socks5_answered);
}

static void socks5_password_answered(struct proxy_talk *t)
{
    if (t->in[0] != 1)
        refuse(t, "its answer is not SOCKS 5's");
    else if (t->in[1] != 0)
        refuse(t, "SOCKS 5: it does not accept this user and password");
    else
        socks5_ask(t);
}

static void socks5_chosen(struct proxy_talk *t)
{
    const char *password = t->proxy->password ? t->proxy->password : "";
    if (t->in[0] != 5) {
        refuse(t, "its answer is not SOCKS 5's");
    } else if (t->in[1] == 0) {
        socks5_ask(t);
    } else if (t->in[1] == 2 && t->proxy->user) {
        put_byte(t, 1);
        put_counted(t, "a user", t->proxy->user);
        put_counted(t, "a password", password);
        wait_for_message(t, 2, socks5_password_answered);
    } else if (t->in[1] == 0xff) {
        refuse(t, "SOCKS 5: it wants %s", t->proxy->user ? "another proof of who we are" : "a user and a password");
    } else {
        refuse(t, "SOCKS 5: it chose a method that was not offered, %d", t->in[1]);
    }
}

static void socks5_greet(struct proxy_talk *t)
{
    if (t->proxy->user)
        put(t, "\5\2\0\2", 4); /* nothing, or a user and a password */
    else
        put(t, "\5\1\0", 3);
    wait_for(t, 2, socks5_chosen);
}

/* ---- HTTP CONNECT ---- */

static void put_base64(struct proxy_talk *t, const unsigned char *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned long bits = (unsigned long)data[i] << 16 | (i + 1 < n ? (unsigned long)data[i + 1] << 8 : 0) |
                             (i + 2 < n ? data[i + 2] : 0);
        char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63], i + 1 < n ? digits[bits >> 6 & 63] : '=',
                         i + 2 < n ? digits[bits & 63] : '=' };
        put(t, four, 4);
    }
}

static void put_credentials(struct proxy_talk *t)
{
    char text[600];
    int n = snprintf(text, sizeof text, "%s:%s", t->proxy->user, t->proxy->password ? t->proxy->password : "");
    if (n >= (int)sizeof text) {
        refuse(t, "user and password are too long");
        return;
    }
    put_text(t, "Proxy-Authorization: Basic ");
    put_base64(t, (unsigned char *)text, (size_t)n);
    put_text(t, "\r\n");
}

/* The reason stands in the line after "HTTP/1.1 403"; what is not printable is none of ours to print. */
static void http_refused(struct proxy_talk *t, const char *reason)
{
    char text[100];
    size_t n = 0;
    for (; *reason && n < sizeof text - 1; reason++)
        text[n++] = *reason < ' ' || *reason > '~' ? '?' : *reason;
    text[n] = '\0';
    refuse(t, "HTTP status %d%s", t->status, text);
}

static void http_status(struct proxy_talk *t)
{
    const char *line = (const char *)t->in;
    int minor = 0, used = 0;
    if (sscanf(line, "HTTP/1.%1d %3d%n", &minor, &t->status, &used) < 2 || used != 12 || t->status < 100)
        refuse(t, "its answer is not HTTP's");
    else if (t->status / 100 != 2 && t->status != 407)
        http_refused(t, line + used);
}

/* The empty line has come that ends the header. */
static void http_ended(struct proxy_talk *t)
{
    if (t->status != 407)
        t->state = PROXY_OPEN;
    else if (t->told)
        refuse(t, "HTTP status 407: it does not accept this user and password");
    else if (!t->proxy->user)
        refuse(t, "HTTP status 407: it wants a user and a password");
    else
        t->state = PROXY_UNKNOWN_US;
}

/* A byte has come: of a line, of which what does not fit is passed over, or its end. */
static void http_byte(struct proxy_talk *t)
{
    if (++t->header > HEADER_MOST)
        refuse(t, "its answer does not end");
    if (t->in[t->have - 1] == '\n') {
        size_t len = t->have - 1;
        if (len > 0 && t->in[len - 1] == '\r')
            len--;
        t->in[len] = '\0';
        if (t->lines++ == 0)
            http_status(t);
        else if (len == 0)
            http_ended(t);
        t->have = 0;
    } else if (t->have == sizeof t->in) {
        t->have--;
    }
    t->need = t->have + 1;
}

/* In a request line a host's bytes may not end the line. */
static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 127)
            return false;
    return true;
}

static void http_ask(struct proxy_talk *t, bool credentials)
{
    char target[400];
    bool colons = strchr(t->host, ':');
    int len = snprintf(target, sizeof target, "%s%s%s:%d", colons ? "[" : "", t->host, colons ? "]" : "", t->port);
    if (!is_clean(t->host) || len >= (int)sizeof target) {
        refuse(t, "'%.100s' is no host", t->host);
        return;
    }
    put_text(t, "CONNECT ");
    put_text(t, target);
    put_text(t, " HTTP/1.1\r\nHost: ");
    put_text(t, target);
    put_text(t, "\r\n");
    if (credentials)
        put_credentials(t);
    put_text(t, "\r\n");
    t->told = credentials;
    wait_for(t, 1, http_byte);
}

/* ---- All of them ---- */

void proxy_begin(struct proxy_talk *t, const struct proxy *proxy, const char *host, int port, bool credentials)
{
    memset(t, 0, sizeof *t);
    t->proxy = proxy;
    t->host = host;
    t->port = port;
    t->state = PROXY_ASKING;
    if (proxy->protocol == PROXY_HTTP)
        http_ask(t, credentials && proxy->user);
    else if (proxy->protocol == PROXY_SOCKS5)
        socks5_greet(t);
    else
        socks4_ask(t);
}

size_t proxy_take(struct proxy_talk *t, const unsigned char *data, size_t n)
{
    size_t taken = 0;
    while (taken < n && t->state == PROXY_ASKING) {
        size_t part = t->need - t->have < n - taken ? t->need - t->have : n - taken;
        memcpy(t->in + t->have, data + taken, part);
        t->have += part;
        taken += part;
        if (t->have == t->need)
            t->next(t);
    }
    return taken;
}

void proxy_ended(struct proxy_talk *t)
{
    bool begun = t->have > 0 || t->header > 0;
    refuse(t,
           begun ? "it ended the connection in the midst of its answer" : "it ended the connection without an answer");
}
