/* st.c - the peer that is closest to skt: State Threads, straight-line code on one thread
 * in C.  On poll, since Debian's package has no epoll, and select ends at 1024 descriptors.
 *
 * Usage: echo-st [PORT]; prints the port. */
#include "../common.h"
#include <st.h>

#define STACK 16384 /* the default is 64 KiB; this handler needs less */

static void *echo(void *arg)
{
    st_netfd_t connection = arg;
    char buffer[BUFFER];
    ssize_t n;
    while ((n = st_read(connection, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0 &&
           st_write(connection, buffer, (size_t)n, ST_UTIME_NO_TIMEOUT) == n)
        ;
    st_netfd_close(connection);
    return NULL;
}

int main(int argc, char **argv)
{
    st_netfd_t server, connection;

    if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0)
        die("st_init");
    server = st_netfd_open_socket(open_server(SOCK_STREAM, port_argument(argc, argv)));
    while ((connection = st_accept(server, NULL, NULL, ST_UTIME_NO_TIMEOUT))) {
        no_delay(st_netfd_fileno(connection));
        if (!st_thread_create(echo, connection, 0, STACK))
            die("st_thread_create");
    }
    die("st_accept");
}
