/* raw.c - the yardstick for datagrams: recvfrom and sendto on a blocking socket, or with
 * "batch" recvmmsg and sendmmsg.
 *
 * Usage: udp-raw [PORT [batch]]; prints the port. */
#include "../common.h"

#define BATCH 64

static void echo_one(int fd)
{
    char buffer[BUFFER];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    if (n < 0 || sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length) < 0)
        die("udp-raw");
}

static void echo_batches(int fd)
{
    static struct mmsghdr messages[BATCH];
    static struct sockaddr_storage from[BATCH];
    static struct iovec pieces[BATCH];
    static char buffers[BATCH][BUFFER];

    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_iov = &pieces[i], .msg_iovlen = 1 };
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            messages[i].msg_hdr.msg_namelen = sizeof from[i];
            pieces[i] = (struct iovec){ .iov_base = buffers[i], .iov_len = BUFFER };
        }
        int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL), sent = 0;
        if (n < 0)
            die("recvmmsg");
        for (int i = 0; i < n; i++)
            pieces[i].iov_len = messages[i].msg_len;
        for (int more; sent < n; sent += more)
            if ((more = sendmmsg(fd, messages + sent, (unsigned)(n - sent), 0)) < 0)
                die("sendmmsg");
    }
}

int main(int argc, char **argv)
{
    int fd = open_server(SOCK_DGRAM, port_argument(argc, argv));
    if (argc > 2 && !strcmp(argv[2], "batch"))
        echo_batches(fd);
    for (;;)
        echo_one(fd);
}
