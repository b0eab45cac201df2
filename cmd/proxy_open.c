/* proxy_open.c - a connection through a proxy: the words of proxy.c over a socket. */
#include "proxy.h"
#include <errno.h>
#include <string.h>

/* Takes what has come of the answer, and leaves in the socket what follows it: looks first. */
static int take_some(skt *s, struct proxy_talk *t)
{
    unsigned char buf[4096];
    ssize_t n = skt_recv(s, buf, sizeof buf, MSG_PEEK);
    if (n < 0)
        return -1;
    if (n == 0) {
        proxy_ended(t);
        return 0;
    }
    size_t taken = proxy_take(t, buf, (size_t)n);
    return skt_recv(s, buf, taken, MSG_WAITALL) == (ssize_t)taken ? 0 : -1;
}

/* Until the proxy has answered; -1: the connection failed. */
static int converse(skt *s, struct proxy_talk *t)
{
    while (t->state == PROXY_ASKING) {
        if (t->outlen > 0 && skt_sendall(s, t->out, t->outlen, 0) < 0)
            return -1;
        t->outlen = 0;
        if (take_some(s, t) < 0)
            return -1;
    }
    return 0;
}

/* SOCKS 5 may ask for the password at any time; HTTP when it has said so. */
static bool have_password(struct proxy *proxy, const struct proxy_dialer *dialer, enum proxy_state state)
{
    bool wanted = proxy->user && !proxy->password && (state == PROXY_UNKNOWN_US || proxy->protocol == PROXY_SOCKS5);
    if (wanted)
        proxy->password = dialer->password(dialer->arg);
    return !wanted || proxy->password;
}

skt *proxy_open(struct proxy *proxy, const struct proxy_dialer *dialer, const char *host, int port, char *why,
                size_t len)
{
    struct proxy_talk t = { .state = PROXY_ASKING };
    *why = '\0';
    for (;;) {
        if (!have_password(proxy, dialer, t.state)) {
            snprintf(why, len, "there is no password for user '%.100s'", proxy->user);
            return NULL;
        }
        skt *s = dialer->dial(dialer->arg);
        if (!s)
            return NULL;
        proxy_begin(&t, proxy, host, port, t.state == PROXY_UNKNOWN_US);
        int result = converse(s, &t);
        if (result == 0 && t.state == PROXY_OPEN)
            return s;
        snprintf(why, len, "%s", result < 0 ? skt_strerror() : t.why);
        skt_close(s);
        if (result < 0 || t.state != PROXY_UNKNOWN_US)
            return NULL;
    }
}
