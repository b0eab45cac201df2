/* proxy_http.c - HTTP's CONNECT: the request, and an answer that is looked at byte by byte, since only its empty line
 * tells where it ends. */
#include "proxy_words.h"
#include <string.h>

#define HEADER_MOST 65536 /* bytes of the answer: who sends more is no proxy */

static void proxy_put_text(struct proxy_talk *t, const char *text)
{
    proxy_put(t, text, strlen(text));
}

static void put_base64(struct proxy_talk *t, const unsigned char *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned long bits = (unsigned long)data[i] << 16 | (i + 1 < n ? (unsigned long)data[i + 1] << 8 : 0) |
                             (i + 2 < n ? data[i + 2] : 0);
        char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63], i + 1 < n ? digits[bits >> 6 & 63] : '=',
                         i + 2 < n ? digits[bits & 63] : '=' };
        proxy_put(t, four, 4);
    }
}

static void put_credentials(struct proxy_talk *t)
{
    char text[600];
    int n = snprintf(text, sizeof text, "%s:%s", t->proxy->user, t->proxy->password ? t->proxy->password : "");
    if (n >= (int)sizeof text) {
        proxy_refuse(t, "user and password are too long");
        return;
    }
    proxy_put_text(t, "Proxy-Authorization: Basic ");
    put_base64(t, (unsigned char *)text, (size_t)n);
    proxy_put_text(t, "\r\n");
}

/* The reason stands in the line after "HTTP/1.1 403"; what is not printable is none of ours to print. */
static void http_refused(struct proxy_talk *t, const char *reason)
{
    char text[100];
    size_t n = 0;
    for (; *reason && n < sizeof text - 1; reason++)
        text[n++] = *reason < ' ' || *reason > '~' ? '?' : *reason;
    text[n] = '\0';
    proxy_refuse(t, "HTTP status %d%s", t->status, text);
}

static void http_status(struct proxy_talk *t)
{
    const char *line = (const char *)t->in;
    int minor = 0, used = 0;
    if (sscanf(line, "HTTP/1.%1d %3d%n", &minor, &t->status, &used) < 2 || used != 12 || t->status < 100)
        proxy_refuse(t, "its answer is not HTTP's");
    else if (t->status / 100 != 2 && t->status != 407)
        http_refused(t, line + used);
}

/* The empty line has come that ends the header. */
static void http_ended(struct proxy_talk *t)
{
    if (t->status != 407)
        t->state = PROXY_OPEN;
    else if (t->told)
        proxy_refuse(t, "HTTP status 407: it does not accept this user and password");
    else if (!t->proxy->user)
        proxy_refuse(t, "HTTP status 407: it wants a user and a password");
    else
        t->state = PROXY_UNKNOWN_US;
}

/* A byte has come: of a line, of which what does not fit is passed over, or its end. */
static void http_byte(struct proxy_talk *t)
{
    if (++t->header > HEADER_MOST)
        proxy_refuse(t, "its answer does not end");
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

void proxy_http_ask(struct proxy_talk *t, bool credentials)
{
    char target[400];
    bool colons = strchr(t->host, ':');
    int len = snprintf(target, sizeof target, "%s%s%s:%d", colons ? "[" : "", t->host, colons ? "]" : "", t->port);
    if (!is_clean(t->host) || len >= (int)sizeof target) {
        proxy_refuse(t, "'%.100s' is no host", t->host);
        return;
    }
    proxy_put_text(t, "CONNECT ");
    proxy_put_text(t, target);
    proxy_put_text(t, " HTTP/1.1\r\nHost: ");
    proxy_put_text(t, target);
    proxy_put_text(t, "\r\n");
    if (credentials)
        put_credentials(t);
    proxy_put_text(t, "\r\n");
    t->told = credentials;
    proxy_wait_for(t, 1, http_byte);
}
