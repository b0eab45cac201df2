/* nc_client.c - netcat's clients: the ports that are asked for, one after the other. */
#include "nc.h"
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- One connection ---- */

/* "host (address)", or the address alone. */
static void name_of(const char *host, const char *address, char *buf, size_t len)
{
    if (!*address || !strcmp(host, address))
        snprintf(buf, len, "%s", host);
    else
        snprintf(buf, len, "%s (%s)", host, address);
}

/* Scanning is silent without -v, as who waits for a port wants it. */
static void tell_failure(const struct nc *nc, const char *address, int port)
{
    char name[600];
    int code = errno;
    if (nc->scan && !nc->verbose)
        return;
    name_of(nc->host, address, name, sizeof name);
    if (skt_timed_out())
        cmd_say("connect to %s port %d (%s) timed out", name, port, nc_protocol(nc));
    else
        cmd_say("connect to %s port %d (%s) failed: %s", name, port, nc_protocol(nc), strerror(code));
}

static void tell_success(const struct nc *nc, const char *address, int port)
{
    char name[600], service[64];
    if (nc->numeric || skt_getservbyport(port, nc_protocol(nc), service, sizeof service) < 0)
        snprintf(service, sizeof service, "*");
    name_of(nc->host, address, name, sizeof name);
    cmd_tell("Connection to %s %d port [%s/%s] succeeded!", name, port, nc_protocol(nc), service);
}

/* The same address with a port. */
static skt_addr with_port(const skt_addr *addr, int port)
{
    return addr->family == AF_INET ? skt_inet(skt_host(addr), port) : skt_inet6(skt_host(addr), port, 0, 0);
}

static skt *connect_one(const struct nc *nc, const skt_addrinfo *row, int port)
{
    skt *s = nc_socket(nc, row->family);
    if (!s || nc_bind_source(nc, s) < 0) {
        cmd_fail();
        skt_close(s);
        return NULL;
    }
    skt_settimeout(s, nc->wait);
    if (skt_connect(s, with_port(&row->addr, port)) == 0 && skt_settimeout(s, SKT_NO_TIMEOUT) == 0)
        return s;
    tell_failure(nc, skt_host(&row->addr), port);
    skt_close(s);
    return NULL;
}

/* ---- UDP: whether somebody is there ---- */

/* Sends four datagrams within a second: refused is who says so.  An answer is proof at once. */
static bool probe(const struct nc *nc, skt *s, const char *address, int port)
{
    struct pollfd one = { .fd = skt_fileno(s), .events = POLLIN };
    for (int i = 0; i < 4; i++) {
        if (skt_send(s, "X", 1, MSG_DONTWAIT) < 0) {
            tell_failure(nc, address, port);
            return false;
        }
        if (skt_poll(&one, 1, 0.25) > 0)
            break;
    }
    char byte;
    if (skt_recv(s, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno == EAGAIN)
        return true;
    tell_failure(nc, address, port);
    return false;
}

/* ---- A port ---- */

/* -F: whoever reads our standard output gets the connection. */
static int pass_fd(skt *s)
{
    skt *output = skt_fromfd(STDOUT_FILENO);
    int fd = skt_fileno(s);
    if (!output || skt_send_fds(output, "", 1, &fd, 1, 0) < 0) {
        cmd_say("-F: standard output: %s", skt_strerror());
        return STATUS_FAILED;
    }
    skt_detach(output);
    return STATUS_OK;
}

static int use(const struct nc *nc, skt *s, const char *address, int port)
{
    if (nc->scan && nc->udp && !probe(nc, s, address, port))
        return STATUS_FAILED;
    if (nc->verbose)
        tell_success(nc, address, port);
    if (nc->pass_fd)
        return pass_fd(s);
    return nc->scan ? STATUS_OK : nc_talk(nc, s, true);
}

static int visit(struct nc *nc, const skt_addrinfo *list, ssize_t n, int port)
{
    const char *address = "";
    skt *s = NULL;
    if (nc->proxy_text)
        s = nc_through_proxy(nc, nc->host, port);
    for (ssize_t i = 0; i < n && !s; i++) {
        address = skt_host(&list[i].addr);
        s = connect_one(nc, &list[i], port);
    }
    int status = s ? use(nc, s, address, port) : STATUS_FAILED;
    skt_close(s);
    return status;
}

/* ---- Ports ---- */

struct ports {
    int *list;
    size_t n;
};

/* "80", "http", "20-30": at most as many as there are, again for each word. */
static int add_ports(const struct nc *nc, struct ports *ports, char *word)
{
    char *hyphen = *word >= '0' && *word <= '9' ? strchr(word, '-') : NULL;
    if (hyphen)
        *hyphen = '\0';
    int first = nc_port(nc, word), last = hyphen ? nc_port(nc, hyphen + 1) : first;
    if (first < 0 || last < 0)
        return -1;
    if (first > last) {
        int swap = first;
        first = last;
        last = swap;
    }
    int *list = realloc(ports->list, (ports->n + (size_t)(last - first) + 1) * sizeof *list);
    if (!list) {
        cmd_say("there is no memory for so many ports");
        return -1;
    }
    ports->list = list;
    for (int port = first; port <= last; port++)
        list[ports->n++] = port;
    return 0;
}

static void shuffle(struct ports *ports)
{
    srandom((unsigned)time(NULL) ^ (unsigned)getpid());
    for (size_t i = ports->n; i > 1; i--) {
        size_t other = (size_t)random() % i;
        int port = ports->list[i - 1];
        ports->list[i - 1] = ports->list[other];
        ports->list[other] = port;
    }
}

/* Success is one port that answered, and no conversation that failed. */
static int visit_all(struct nc *nc, const skt_addrinfo *list, ssize_t n, const struct ports *ports)
{
    int status = STATUS_FAILED;
    for (size_t i = 0; i < ports->n; i++) {
        if (i > 0 && nc->interval > 0)
            skt_sleep(nc->interval);
        if (visit(nc, list, n, ports->list[i]) == STATUS_OK)
            status = STATUS_OK;
    }
    return status;
}

static int client_inet(struct nc *nc, struct ports *ports, int n, char **words)
{
    skt_addrinfo *list = NULL;
    ssize_t rows = 0;
    for (int i = 0; i < n; i++)
        if (add_ports(nc, ports, words[i]) < 0)
            return STATUS_FAILED;
    if (nc->shuffle)
        shuffle(ports);
    if (!nc->proxy_text)
        rows = skt_getaddrinfo(nc->host, NULL, nc->family, nc_type(nc), 0, nc->numeric ? AI_NUMERICHOST : 0, nc->wait,
                               &list);
    if (rows < 0) {
        cmd_fail();
        return STATUS_FAILED;
    }
    int status = visit_all(nc, list, rows, ports);
    skt_freeaddrinfo(list);
    return status;
}

int nc_client(struct nc *nc, int n, char **words)
{
    struct ports ports = { 0 };
    int status = client_inet(nc, &ports, n, words);
    free(ports.list);
    return status;
}

/* A datagram client has a name, -s or one that the kernel chooses, so that it can be answered. */
int nc_client_unix(struct nc *nc)
{
    skt *s = nc_socket(nc, AF_UNIX);
    skt_settimeout(s, nc->wait);
    int bound = nc->source ? cmd_bind(s, nc_unix(nc->source)) : nc->udp ? skt_bind(s, skt_unix("")) : 0;
    if (!s || bound < 0 || skt_connect(s, nc_unix(nc->host)) < 0) {
        cmd_fail();
        skt_close(s);
        return STATUS_FAILED;
    }
    skt_settimeout(s, SKT_NO_TIMEOUT);
    int status = nc->scan ? STATUS_OK : nc_talk(nc, s, true);
    skt_close(s);
    return status;
}
