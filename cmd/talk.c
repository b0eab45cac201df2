/* talk.c - what becomes of a peer that we have: a conversation with standard input and output, or a program. */
#include "cmd.h"
#include "units.h"
#include <fcntl.h>

static int read_fds(const struct cmd_list *list, int *fds)
{
    for (size_t i = 0; i < list->n; i++) {
        int64_t fd;
        if (cmd_parse_integer(list->items[i], 0, 1 << 20, &fd) < 0)
            return cmd_misuse("--send-fd: '%s' is no descriptor's number", list->items[i]);
        if (fcntl((int)fd, F_GETFD) < 0)
            return cmd_misuse("--send-fd: there is no descriptor %d", (int)fd);
        fds[i] = (int)fd;
    }
    return 0;
}

int cmd_check_talk(const struct cmd_settings *settings, const struct cmd_address *address, int *fds)
{
    bool is_unix = address->fd >= 0 || (!address->ip && address->addr.family == AF_UNIX);
    if (settings->exec && settings->shell)
        return cmd_misuse("--exec and --shell exclude each other");
    bool program = settings->exec || settings->shell;
    if (program && (settings->record || settings->send_fd.n > 0 || settings->idle >= 0 || settings->broadcast))
        return cmd_misuse("a program has the connection to itself: no --record, --send-fd, --idle, --broadcast");
    if (settings->send_fd.n > 0 && (!is_unix || settings->keep))
        return cmd_misuse("--send-fd is for one peer of a Unix socket");
    int status = read_fds(&settings->send_fd, fds);
    return status ? status : cmd_record_open(settings->record);
}

/* A datagram socket gets its peer's address for good, since the program knows nothing of addresses. */
static int become(const struct cmd_peer *peer, const struct cmd_settings *settings)
{
    if (peer->addressed && skt_connect(peer->sock, peer->addr) < 0)
        return cmd_fail();
    int fd = skt_detach(peer->sock);
    return fd < 0 ? cmd_fail() : cmd_become(settings, fd);
}

int cmd_talk(struct cmd_peer *peer, const struct cmd_settings *settings, const int *fds)
{
    peer->fds = fds;
    peer->nfds = settings->send_fd.n;
    if (settings->exec || settings->shell)
        return become(peer, settings);
    return cmd_pump(peer, settings);
}
