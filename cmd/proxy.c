/* proxy.c - what to ask a proxy, and what its answer means: SOCKS, and what it shares with HTTP (proxy_http.c).
 *
 * Each answer is a row of steps: wait for `need` bytes, then call `next`, which looks at them and says what is needed
 * next.  Not a byte more is taken than belongs to the answer, since the connection's own follow it. */
#include "proxy_words.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

/* ---- Steps ---- */

void proxy_refuse(struct proxy_talk *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->why, sizeof t->why, format, args);
    va_end(args);
    t->state = PROXY_REFUSED;
}

void proxy_put(struct proxy_talk *t, const void *data, size_t n)
{
    if (n > sizeof t->out - t->outlen) {
        proxy_refuse(t, "the request does not fit: name, user and password are too long");
        return;
    }
    memcpy(t->out + t->outlen, data, n);
    t->outlen += n;
}

static void put_byte(struct proxy_talk *t, int byte)
{
    unsigned char b = (unsigned char)byte;
    proxy_put(t, &b, 1);
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
        proxy_refuse(t, "SOCKS has 255 bytes for %s, not %zu", what, n);
        return;
    }
    put_byte(t, (int)n);
    proxy_put(t, text, n);
}

void proxy_wait_for(struct proxy_talk *t, size_t bytes, void (*next)(struct proxy_talk *t))
{
    t->need = bytes;
    t->next = next;
}

/* The same from the beginning of the next message. */
static void wait_for_message(struct proxy_talk *t, size_t bytes, void (*next)(struct proxy_talk *t))
{
    t->have = 0;
    proxy_wait_for(t, bytes, next);
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
        proxy_refuse(t, "its answer is not SOCKS 4's");
    else if (code == 90)
        open_now(t);
    else if (code >= 91 && code <= 93)
        proxy_refuse(t, "SOCKS 4: %s", reasons[code - 91]);
    else
        proxy_refuse(t, "SOCKS 4: unknown answer %d", code);
}

/* 4A: the address 0.0.0.1 says that a name follows. */
static void socks4_ask(struct proxy_talk *t)
{
    struct in_addr address = { htonl(1) };
    bool by_name = inet_pton(AF_INET, t->host, &address) != 1;
    if (by_name && t->proxy->protocol == PROXY_SOCKS4) {
        proxy_refuse(t, "SOCKS 4 takes IPv4 addresses only, not '%.100s'", t->host);
        return;
    }
    const char *user = t->proxy->user ? t->proxy->user : "";
    put_byte(t, 4);
    put_byte(t, 1); /* CONNECT */
    put_port(t);
    proxy_put(t, &address, sizeof address);
    proxy_put(t, user, strlen(user) + 1);
    if (by_name)
        proxy_put(t, t->host, strlen(t->host) + 1);
    proxy_wait_for(t, 8, socks4_answered);
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
        proxy_refuse(t, "SOCKS 5: %s", reasons[code]);
    else
        proxy_refuse(t, "SOCKS 5: unknown answer %u", code);
}

/* version, answer, reserved, kind of address, and a byte of that: how long the rest is. */
static void socks5_answered(struct proxy_talk *t)
{
    static const size_t lengths[] = { [1] = 4, [4] = 16 };
    unsigned kind = t->in[3];
    if (t->in[0] != 5)
        proxy_refuse(t, "its answer is not SOCKS 5's");
    else if (t->in[1] != 0)
        socks5_refused(t);
    else if (kind == 3)
        proxy_wait_for(t, 4 + 1 + (size_t)t->in[4] + 2, open_now);
    else if (kind == 1 || kind == 4)
        proxy_wait_for(t, 4 + lengths[kind] + 2, open_now);
    else
        proxy_refuse(t, "SOCKS 5: it answers with an unknown kind of address, %u", kind);
}

static void socks5_ask(struct proxy_talk *t)
{
    unsigned char address[16];
    proxy_put(t, "\5\1\0", 3); /* CONNECT */
    if (inet_pton(AF_INET, t->host, address) == 1) {
        put_byte(t, 1);
        proxy_put(t, address, 4);
    } else if (inet_pton(AF_INET6, t->host, address) == 1) {
        put_byte(t, 4);
        proxy_put(t, address, 16);
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
        proxy_refuse(t, "its answer is not SOCKS 5's");
    else if (t->in[1] != 0)
        proxy_refuse(t, "SOCKS 5: it does not accept this user and password");
    else
        socks5_ask(t);
}

static void socks5_chosen(struct proxy_talk *t)
{
    const char *password = t->proxy->password ? t->proxy->password : "";
    if (t->in[0] != 5) {
        proxy_refuse(t, "its answer is not SOCKS 5's");
    } else if (t->in[1] == 0) {
        socks5_ask(t);
    } else if (t->in[1] == 2 && t->proxy->user) {
        put_byte(t, 1);
        put_counted(t, "a user", t->proxy->user);
        put_counted(t, "a password", password);
        wait_for_message(t, 2, socks5_password_answered);
    } else if (t->in[1] == 0xff) {
        proxy_refuse(t, "SOCKS 5: it wants %s",
                     t->proxy->user ? "another proof of who we are" : "a user and a password");
    } else {
        proxy_refuse(t, "SOCKS 5: it chose a method that was not offered, %d", t->in[1]);
    }
}

static void socks5_greet(struct proxy_talk *t)
{
    if (t->proxy->user)
        proxy_put(t, "\5\2\0\2", 4); /* nothing, or a user and a password */
    else
        proxy_put(t, "\5\1\0", 3);
    proxy_wait_for(t, 2, socks5_chosen);
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
        proxy_http_ask(t, credentials && proxy->user);
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
    proxy_refuse(t, begun ? "it ended the connection in the midst of its answer"
                          : "it ended the connection without an answer");
}
