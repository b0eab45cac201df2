/* connect.c - skt connect: talk to a peer that waits for us. */
#include "cmd.h"
#include <math.h>

static void say_connected(skt *s, const struct cmd_address *address)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    if (address->ip && skt_getpeername(s, &addr) == 0)
        cmd_say("connected to %s", skt_addr_text(&addr, text, sizeof text));
    else
        cmd_say("connected to %s", address->text);
}

/* Whether what has failed may succeed later. */
static bool may_come(void)
{
    return skt_error_record()->domain != SKT_ERROR_ARGUMENT;
}

static int give_up(const char *sentence)
{
    cmd_say("%s", sentence);
    return STATUS_FAILED;
}

/* Tries until there is somebody, within --timeout for all attempts together.  The first failure is told, and the last.
 */
static int dial_again(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    char sentence[1024];
    skt_deadline deadline = skt_deadline_begin(settings->timeout);
    int status = cmd_try_dial(address, settings, s);
    if (status < 0 && may_come() && !skt_timed_out())
        cmd_say("%s; trying again", skt_strerror());
    while (status < 0 && may_come()) {
        snprintf(sentence, sizeof sentence, "%s", skt_strerror());
        if (skt_sleep(settings->retry) < 0)
            break;
        status = cmd_try_dial(address, settings, s);
    }
    skt_deadline_end(deadline);
    return status < 0 ? may_come() ? give_up(sentence) : cmd_fail() : status;
}

static int dial(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    return settings->retry < 0 ? cmd_dial(address, settings, s) : dial_again(address, settings, s);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    int fds[COUNT(settings->send_fd.items)];
    skt *s;
    int status = cmd_read_address(settings, n, args, &address);
    if (status || (status = cmd_check_talk(settings, &address, fds)) || (status = dial(&address, settings, &s)))
        return status;
    if (settings->verbose)
        say_connected(s, &address);
    struct cmd_peer peer = cmd_peer_connected(s);
    return cmd_talk(&peer, settings, fds);
}

const struct command cmd_connect = {
    .name = "connect",
    .run = run,
    .line = "carry standard input to a peer, what it sends to standard output",
    .options =
        "timeout idle end retry record send-fd exec verbose | shell source interface ttl dscp option send-buffer "
        "receive-buffer ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt connect localhost 8080              talk by hand; Ctrl-D ends the input\n"
                "  skt connect tcp://[::1]:80 < request    send, then print the answer\n"
                "  skt connect -e input udp://10.0.0.1:514 < message\n"
                "  skt connect --retry 1s unix:/run/x      until somebody listens there\n",
    .rules = "The end of the input is passed on (half-close).  It ends when both sides have\n"
             "ended; at a terminal, when the peer has.  Datagrams have no end: it goes on\n"
             "after the input until it is interrupted, unless --end input or --idle is given.\n",
};
