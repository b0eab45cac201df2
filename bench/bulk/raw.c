/* raw.c - the yardstick for bulk data: the bare calls on a blocking socket, in pieces of
 * 128 KiB.
 *
 * A client sends 16 characters: s (send me), f (send me by sendfile) or r (receive from me),
 * and the number of bytes.
 *
 * Usage: bulk-raw PORT FILE; prints the port.  FILE is what is sent, over and over. */
#include "bulk.h"
#include <fcntl.h>
#include <sys/sendfile.h>

static _Alignas(4096) char chunk[CHUNK]; /* aligned as a large block of malloc or of Go is */

static void send_bytes(int fd, uint64_t left)
{
    for (ssize_t n; left; left -= (uint64_t)n)
        if ((n = send(fd, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL)) <= 0)
            die("send");
}

static void send_file(int fd, int file, uint64_t left)
{
    uint64_t size = (uint64_t)lseek(file, 0, SEEK_END);
    off_t offset = 0;
    for (ssize_t n; left; left -= (uint64_t)n) {
        if ((uint64_t)offset == size)
            offset = 0;
        uint64_t piece = size - (uint64_t)offset;
        if ((n = sendfile(fd, file, &offset, left < piece ? left : piece)) <= 0)
            die("sendfile");
    }
}

static void receive_bytes(int fd, uint64_t left)
{
    for (ssize_t n; left; left -= (uint64_t)n)
        if ((n = recv(fd, chunk, CHUNK, 0)) <= 0)
            die("recv");
}

int main(int argc, char **argv)
{
    int server = open_server(SOCK_STREAM, port_argument(argc, argv)), fd;
    int file = open(argc > 2 ? argv[2] : "/dev/null", O_RDONLY | O_CLOEXEC);

    memset(chunk, 'x', CHUNK); /* or all its pages were one page of zeros */
    while ((fd = accept(server, NULL, NULL)) >= 0) {
        char request[REQUEST + 1] = "";
        if (recv(fd, request, REQUEST, MSG_WAITALL) != REQUEST)
            die("request");
        if (*request == 's')
            send_bytes(fd, bytes_of(request));
        else if (*request == 'f')
            send_file(fd, file, bytes_of(request));
        else
            receive_bytes(fd, bytes_of(request));
        close(fd);
    }
    die("accept");
}
