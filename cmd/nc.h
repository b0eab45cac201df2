/* nc.h - what the files of skt nc share: OpenBSD's netcat by its flags.
 *
 *   nc.c          the subcommand
 *   nc_client.c   clients: ports, scanning, one connection after the other
 *   nc_options.c  the flags
 *   nc_socket.c   sockets as the flags want them
 *   nc_proxy.c    a connection through -x
 *   nc_listen.c   -l
 *   nc_talk.c     the conversation; nc_text.c: what -C and -t do to its bytes; nc_write.c: its output */
#ifndef NC_H
#define NC_H

#include "cmd.h"
#include "proxy.h"

/* Whether the flags say so, by their letters where nothing else is said. */
struct nc {
    int family; /* -4, -6: AF_INET, AF_INET6; -U: AF_UNIX; or AF_UNSPEC */
    bool broadcast, crlf, debug, detached, pass_fd, help, keep, listen, shut, numeric, shuffle, telnet, udp, verbose,
        scan;
    double interval;                     /* -i: seconds, or 0 */
    double quit;                         /* -q: seconds, or SKT_NO_TIMEOUT */
    double wait;                         /* -w */
    int64_t receive_buffer, send_buffer; /* -I, -O; 0: the system's */
    int ttl, least_ttl;                  /* -M, -m; 0: any */
    int tos;                             /* -T, or -1 */
    int limit;                           /* -W: how many pieces to receive, or 0 */
    const char *source, *source_port;    /* -s, -p */
    int local_port;                      /* what -p says */
    const char *vrf;                     /* -V */
    const char *proxy_text;              /* -x */
    const char *host;                    /* or the path of -U; NULL: none */
    struct proxy proxy;                  /* -x, -X, -P; of no host where there is none */
};

/* Reads the flags, and says at which of the n args they end; -1, having said what is
 * wrong. */
int nc_read_options(struct nc *nc, int n, char **args);

/* A port by number or name, or -1, having said why it is none. */
int nc_port(const struct nc *nc, const char *text);

/* ---- nc_socket.c ---- */

/* A new socket of this family with what the flags say of it; not bound to -s and -p.  NULL, with the library's record.
 */
skt *nc_socket(const struct nc *nc, int family);

/* Sets on a socket what the flags say.  0; -1 with the library's record. */
int nc_prepare(const struct nc *nc, skt *s);

/* SOCK_STREAM or SOCK_DGRAM. */
int nc_type(const struct nc *nc);

/* "tcp" or "udp". */
const char *nc_protocol(const struct nc *nc);

/* Binds a client's socket to -s and -p, where they are given.  0; -1 with the library's record. */
int nc_bind_source(const struct nc *nc, skt *s);

/* The address of an AF_UNIX socket; @name is an abstract one. */
skt_addr nc_unix(const char *path);

/* "host port" of an address, as names unless -n is given. */
void nc_addr_text(const struct nc *nc, const skt_addr *addr, char *buf, size_t len);

/* ---- nc_client.c ---- */

/* Connects to each of the ports in n words, and talks.  The exit status. */
int nc_client(struct nc *nc, int n, char **words);

/* The same to an AF_UNIX socket. */
int nc_client_unix(struct nc *nc);

/* ---- nc_proxy.c ---- */

/* Takes apart what -x says.  0; -1, having said what is wrong. */
int nc_read_proxy(struct nc *nc);

/* A connection to host and port through the proxy.  NULL, having said why. */
skt *nc_through_proxy(struct nc *nc, const char *host, int port);

/* ---- nc_listen.c ---- */

/* Serves one peer, or with -k all who come.  The exit status. */
int nc_listen(const struct nc *nc, int port);

/* ---- nc_talk.c ---- */

/* Talks to the peer that s is connected to, or, if it is not, only listens to all who send.  The exit status; s stays
 * the caller's. */
int nc_talk(const struct nc *nc, skt *s, bool connected);

/* ---- nc_write.c ---- */

/* write(2) to standard output, once poll(2) has called it writable, that never waits. */
ssize_t nc_write(const void *buf, size_t len);

/* ---- nc_text.c ---- */

/* -C: copies n bytes, with a CR before each LF that has none; out has room for 2 * n.  *last is the byte before data,
 * and becomes the last one. */
size_t nc_crlf(char *out, const char *data, size_t n, char *last);

/* Where in a telnet command the data is. */
enum nc_telnet { TELNET_DATA, TELNET_COMMAND, TELNET_DO, TELNET_WILL };

/* -t: looks for requests in n bytes from the peer, and writes a refusal of each to out, which has room for 3 * n.
 * How many bytes these are. */
size_t nc_telnet(unsigned char *out, const unsigned char *data, size_t n, enum nc_telnet *state);

#endif
