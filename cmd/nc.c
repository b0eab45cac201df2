/* nc.c - skt nc: OpenBSD's netcat by its flags, for muscles and scripts.
 *
 * What it does and says is what nc.openbsd 1.219 of Debian does and says, tried side by side (tests/cmd/nc_*.py);
 * skt.1 tells where it is not, and why. */
#include "nc.h"

static int wrong(const char *sentence)
{
    cmd_say("%s; skt help nc has examples", sentence);
    return STATUS_FAILED;
}

static int run_unix(struct nc *nc, int n, char **words)
{
    if (n != 1)
        return wrong(n ? "with -U there is one operand, the path" : "missing socket pathname");
    nc->host = words[0];
    return nc->listen ? nc_listen(nc, 0) : nc_client_unix(nc);
}

/* [host] [port], each of which may be given by -s and -p instead. */
static int run_listen(struct nc *nc, int n, char **words)
{
    int port = nc->local_port;
    if (n > 2 || (n == 2 && port))
        return wrong("with -l there are two operands at most, host and port");
    if (n == 0 && !port)
        return wrong("missing port number");
    if (!port && (port = nc_port(nc, words[--n])) < 0)
        return STATUS_FAILED;
    nc->host = n > 0 ? words[0] : nc->source;
    return nc_listen(nc, port);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct nc nc;
    (void)settings;
    cmd_name = "nc";
    int at = nc_read_options(&nc, n, args);
    if (at < 0)
        return STATUS_FAILED;
    if (nc.help) {
        cmd_print_help(&cmd_nc);
        return STATUS_OK;
    }
    args += at;
    n -= at;
    if (nc.family == AF_UNIX)
        return run_unix(&nc, n, args);
    if (nc.listen)
        return run_listen(&nc, n, args);
    if (n < 2)
        return wrong(n ? "missing port number" : "missing host and port number");
    nc.host = args[0];
    return nc_client(&nc, n - 1, args + 1);
}

const struct command cmd_nc = {
    .name = "nc",
    .run = run,
    .line = "OpenBSD's netcat by its flags: nc -l 8080, nc -zv host 20-30",
    .options = "",
    .operands = "[-l] [HOST] PORT...",
    .arguments = ARGUMENTS_RAW,
    .examples = "  skt nc -l 8080 > file                   what a client sends\n"
                "  skt nc -N example.org 80 < request      ask, and end the input with -N\n"
                "  skt nc -zv example.org 20-30 http       which ports are open\n"
                "  skt nc -X 5 -x proxy:1080 host 22       through SOCKS 5; -X connect: HTTP\n",
    .rules = "-4, -6 IPv4, IPv6            -b broadcast allowed      -C CRLF ends lines\n"
             "-D SO_DEBUG                  -d no standard input      -F pass the socket\n"
             "-I, -O SIZE of buffers       -i TIME between lines     -k with -l: go on\n"
             "-l listen                    -M, -m N TTL, least TTL   -N tell that input ended\n"
             "-n look up no names          -P USER for the proxy     -p PORT of our own\n"
             "-q TIME after input: quit    -r ports in any order     -s ADDRESS of our own\n"
             "-T WORD type of service      -t refuse telnet requests -U Unix socket\n"
             "-u UDP, Unix datagrams       -V NAME of a VRF device   -v say what happens\n"
             "-W N pieces came: quit       -w TIME to connect, idle  -z scan only\n"
             "-X 4, 4A, 5, connect: the protocol of -x HOST[:PORT], the proxy\n",
};
