/* proxy.h - what is said to a proxy before it carries a connection: SOCKS 4, 4A and 5 (RFC 1928, RFC 1929), and
 * HTTP's CONNECT (RFC 9110, section 9.3.6).
 *
 * proxy.c and proxy_http.c know the words and make no system call; proxy_open.c says them over a socket. */
#ifndef PROXY_H
#define PROXY_H

#include <skt.h>

enum proxy_protocol { PROXY_SOCKS4, PROXY_SOCKS4A, PROXY_SOCKS5, PROXY_HTTP };

struct proxy {
    enum proxy_protocol protocol;
    char host[256];
    int port;
    const char *user;     /* or NULL: nobody in particular */
    const char *password; /* or NULL */
};

enum proxy_state {
    PROXY_ASKING,     /* out is to be sent, then the answer to be taken */
    PROXY_OPEN,       /* what follows is the connection's */
    PROXY_REFUSED,    /* why tells */
    PROXY_UNKNOWN_US, /* HTTP 407, and we have not said who we are: ask again over a new connection */
};

/* One request to a proxy. */
struct proxy_talk {
    const struct proxy *proxy;
    const char *host; /* where to */
    int port;
    enum proxy_state state;
    void (*next)(struct proxy_talk *t); /* what to do once `need` bytes are in */
    unsigned char out[2048];            /* what is to be sent next ... */
    size_t outlen;                      /* ... and how much; the sender sets it to 0 */
    unsigned char in[300];              /* SOCKS: the answer so far; HTTP: the line */
    size_t have, need;
    size_t lines, header; /* HTTP: lines that have ended, bytes of all of them */
    int status;           /* HTTP's */
    bool told;            /* HTTP: our request said who we are */
    char why[400];
};

/* Begins the request.  credentials: HTTP is told who we are at once (SOCKS asks if it wants to know). */
void proxy_begin(struct proxy_talk *t, const struct proxy *proxy, const char *host, int port, bool credentials);

/* Takes n bytes of the answer, as many as belong to it, and returns how many. */
size_t proxy_take(struct proxy_talk *t, const unsigned char *data, size_t n);

/* The proxy has ended the connection instead of answering. */
void proxy_ended(struct proxy_talk *t);

/* Makes connections to a proxy, for proxy_open. */
struct proxy_dialer {
    skt *(*dial)(void *arg);            /* NULL: could not, and the user was told */
    const char *(*password)(void *arg); /* asked for when the proxy wants one and has none; NULL: there is none */
    void *arg;
};

/* A connection through the proxy, to be used as if it led to host and port; NULL, with the reason in why, or with ""
 * where dial has told it.  The deadline is the caller's (skt_deadline_begin). */
skt *proxy_open(struct proxy *proxy, const struct proxy_dialer *dialer, const char *host, int port, char *why,
                size_t len);

#endif
