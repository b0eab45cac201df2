/* command-loop.c - what bench/command holds the command skt against: a client and a server that do nothing but read and
 * send, receive and write.
 *
 *   command-loop listen|connect PORT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[262144];

static void carry(int from, int to)
{
    ssize_t n, sent;
    while ((n = read(from, buf, sizeof buf)) > 0)
        for (ssize_t at = 0; at < n; at += sent)
            if ((sent = write(to, buf + at, (size_t)(n - at))) < 0)
                exit(1);
}

int main(int argc, char **argv)
{
    const int on = 1;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    addr.sin_port = htons((uint16_t)(argc == 3 ? atoi(argv[2]) : 0));
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (argc == 3 && !strcmp(argv[1], "connect") && connect(s, (struct sockaddr *)&addr, sizeof addr) == 0)
        carry(STDIN_FILENO, s);
    else if (argc == 3 && !strcmp(argv[1], "listen") && bind(s, (struct sockaddr *)&addr, sizeof addr) == 0 &&
             listen(s, 1) == 0)
        carry(accept(s, NULL, NULL), STDOUT_FILENO);
    else
        return 1;
    return 0;
}
