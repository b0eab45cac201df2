/* fuzz_ancillary.c - ancillary data of any content and length: nothing is read
 * beyond its end, stepping through it ends, and closing descriptors is all that happens to them. */
#include "sys.h"
#include <skt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long closed;

static int pretend_to_close(int fd)
{
    closed += (unsigned long)fd != 0;
    return 0;
}

static void step_through(const skt_msg *msg)
{
    skt_cmsg item = { .next = 0 };
    unsigned char sum = 0;
    size_t steps = 0;
    while (skt_next_cmsg(msg, &item)) {
        for (size_t i = 0; i < item.len; i++)
            sum = (unsigned char)(sum + ((const unsigned char *)item.data)[i]);
        if (++steps > msg->controllen / sizeof(struct cmsghdr) || item.next > msg->controllen + sizeof(size_t))
            abort();
    }
    closed += sum; /* so that the reading is not optimised away */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *control = malloc(size ? size : 1); /* just so long, for AddressSanitizer */
    skt_msg msg = { .control = control, .controlsize = size, .controllen = size };
    skt_credentials who;
    skt_addr local;
    struct timespec when;
    unsigned ifindex;
    int hops, fds[4];
    if (!control)
        abort();
    memcpy(control, data, size);
    skti_sys.close = pretend_to_close;
    step_through(&msg);
    skt_get_credentials(&msg, &who);
    skt_get_pktinfo(&msg, &local, &ifindex);
    skt_get_hoplimit(&msg, &hops);
    skt_get_timestamp(&msg, &when);
    if (skt_get_rights(&msg, fds, 4) < 0)
        abort();
    skt_close_rights(&msg);
    free(control);
    return 0;
}
