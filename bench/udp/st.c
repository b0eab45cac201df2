/* st.c - State Threads: st_recvfrom and st_sendto in a thread.
 *
 * Usage: udp-st [PORT]; prints the port. */
#include "../common.h"
#include <st.h>

int main(int argc, char **argv)
{
    char buffer[BUFFER];
    struct sockaddr_in from;
    st_netfd_t server;

    if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0)
        die("st_init");
    server = st_netfd_open_socket(open_server(SOCK_DGRAM, port_argument(argc, argv)));
    for (;;) {
        int length = sizeof from;
        int n = st_recvfrom(server, buffer, sizeof buffer, (struct sockaddr *)&from, &length, ST_UTIME_NO_TIMEOUT);
        if (n < 0 || st_sendto(server, buffer, n, (struct sockaddr *)&from, length, ST_UTIME_NO_TIMEOUT) < 0)
            die("udp-st");
    }
}
