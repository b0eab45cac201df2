/* skt.c - what is measured: bulk data in a task of skt_serve.  The requests are those of
 * raw.c.
 *
 * Usage: bulk-skt PORT FILE; prints the port. */
#include "bulk.h"
#include <fcntl.h>
#include <skt.h>
#include <sys/stat.h>

static _Alignas(4096) char chunk[CHUNK]; /* aligned as a large block of malloc or of Go is */
static int file;

static void send_bytes(skt *conn, uint64_t left)
{
    for (; left > CHUNK; left -= CHUNK)
        if (skt_sendall(conn, chunk, CHUNK, 0) < 0)
            skt_die("bulk-skt");
    if (skt_sendall(conn, chunk, left, 0) < 0)
        skt_die("bulk-skt");
}

static void send_file(skt *conn, uint64_t left)
{
    struct stat status;
    if (fstat(file, &status) < 0)
        die("fstat");
    for (ssize_t n; left; left -= (uint64_t)n) {
        uint64_t size = (uint64_t)status.st_size;
        if ((n = skt_sendfile(conn, file, 0, left < size ? left : size)) <= 0)
            skt_die("bulk-skt");
    }
}

static void receive_bytes(skt *conn, uint64_t left)
{
    for (ssize_t n; left; left -= (uint64_t)n)
        if ((n = skt_recv(conn, chunk, CHUNK, 0)) <= 0)
            skt_die("bulk-skt");
}

static void handle(skt *conn, void *arg)
{
    char request[REQUEST + 1] = "";
    (void)arg;
    if (skt_recv(conn, request, REQUEST, MSG_WAITALL) != REQUEST)
        return;
    if (*request == 's')
        send_bytes(conn, bytes_of(request));
    else if (*request == 'f')
        send_file(conn, bytes_of(request));
    else
        receive_bytes(conn, bytes_of(request));
}

int main(int argc, char **argv)
{
    skt_addr address;
    skt *server = skt_create_server(skt_inet("127.0.0.1", port_argument(argc, argv)), NULL);

    memset(chunk, 'x', CHUNK); /* or all its pages were one page of zeros */
    file = open(argc > 2 ? argv[2] : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (skt_getsockname(server, &address) < 0)
        skt_die("bulk-skt");
    print_port(skt_port(&address));
    if (skt_serve(server, handle, NULL, &(skt_serve_options){ .threads = 1 }) < 0)
        skt_die("bulk-skt");
}
