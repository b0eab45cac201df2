/* nc_proxy.c - nc -x: a connection through a proxy. */
#include "nc.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* "host", "host:port", "[address]:port", or an IPv6 address alone. */
int nc_read_proxy(struct nc *nc)
{
    const char *text = nc->proxy_text, *end = strrchr(text, ':'), *port = NULL;
    size_t brackets = *text == '[';
    if (brackets)
        end = strchr(text, ']');
    else if (end && strchr(text, ':') != end)
        end = NULL; /* an address */
    size_t len = end ? (size_t)(end - text) - brackets : strlen(text);
    if (end && end[brackets] == ':')
        port = end + brackets + 1;
    if (len == 0 || len >= sizeof nc->proxy.host || (brackets && (!end || (end[1] && !port))) || (port && !*port)) {
        cmd_say("-x: '%.100s' is no proxy; write host, host:port or [address]:port", text);
        return -1;
    }
    memcpy(nc->proxy.host, text + brackets, len);
    nc->proxy.host[len] = '\0';
    nc->proxy.port = port ? nc_port(nc, port) : nc->proxy.protocol == PROXY_HTTP ? 3128 : 1080;
    return nc->proxy.port < 0 ? -1 : 0;
}

/* ---- The password ---- */

/* A line from the terminal, which does not show it. */
static const char *read_hidden(int terminal, char *buf, size_t size)
{
    struct termios before, hidden;
    if (tcgetattr(terminal, &before) < 0)
        return NULL;
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(terminal, TCSAFLUSH, &hidden);
    ssize_t n = read(terminal, buf, size - 1);
    tcsetattr(terminal, TCSAFLUSH, &before);
    dprintf(terminal, "\n");
    if (n <= 0)
        return NULL;
    buf[n] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
    return buf;
}

static const char *ask_password(void *arg)
{
    static char password[256];
    const struct nc *nc = arg;
    const char *result = getenv("SKT_PROXY_PASSWORD");
    if (result)
        return result;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0)
        return NULL;
    dprintf(terminal, "Proxy password for %s@%s: ", nc->proxy.user, nc->proxy.host);
    result = read_hidden(terminal, password, sizeof password);
    close(terminal);
    return result;
}

/* ---- The connection ---- */

static int prepare(skt *s, void *arg)
{
    return nc_prepare(arg, s);
}

static skt *dial(void *arg)
{
    struct nc *nc = arg;
    skt_connection_options options = { .family = nc->family, .prepare = prepare, .arg = nc };
    skt *s = skt_create_connection_with(nc->proxy.host, nc->proxy.port, nc->wait, &options);
    if (!s)
        cmd_say("proxy: %s", skt_strerror());
    return s;
}

/* SOCKS 4 is told addresses, SOCKS 5, 4A and HTTP names: these find out where the proxy's own name server says. */
static const char *target(const struct nc *nc, const char *host, char buf[static INET_ADDRSTRLEN])
{
    struct in_addr address;
    if (nc->proxy.protocol != PROXY_SOCKS4 || skt_inet_pton(AF_INET, host, &address) == 0 || nc->numeric)
        return host;
    return skt_gethostbyname(host, buf, INET_ADDRSTRLEN, nc->wait);
}

skt *nc_through_proxy(struct nc *nc, const char *host, int port)
{
    char buf[INET_ADDRSTRLEN], why[1024] = "";
    const struct proxy_dialer dialer = { .dial = dial, .password = ask_password, .arg = nc };
    skt_deadline deadline = skt_deadline_begin(nc->wait);
    const char *where = target(nc, host, buf);
    skt *s = where ? proxy_open(&nc->proxy, &dialer, where, port, why, sizeof why) : NULL;
    bool silent = s || (nc->scan && !nc->verbose);
    if (!where && !silent)
        cmd_fail();
    else if (!silent && *why)
        cmd_say("proxy %s port %d, asked for %s port %d: %s", nc->proxy.host, nc->proxy.port, host, port, why);
    skt_deadline_end(deadline);
    return s;
}
