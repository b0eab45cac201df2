/* trace_ring.c - the packets of all interfaces, or of one, through an AF_PACKET socket (packet(7)).
 *
 * The kernel writes the beginning of each packet into a ring of frames that we share with it; so not even a busy
 * interface costs a system call a packet, or the memory of whole packets.  What finds no free frame is counted. */
#include "trace.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    FRAME = 256, /* its head, and 176 bytes from IP's header on: enough for an ICMP error with all that it quotes */
    BLOCK = 1 << 16,
    BLOCKS = 256, /* 16 MiB */
    FRAMES = BLOCK / FRAME * BLOCKS,
};

struct trace_ring {
    skt *sock;
    uint8_t *frames;
    unsigned next;
    uint64_t dropped;
};

/* On lo each packet passes twice, going out and coming in: the second is enough. */
static int drop_first_of_two(skt *s)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_HATYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
    };
    struct sock_fprog program = { COUNT(code), code };
    return skt_setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int make_ring(struct trace_ring *ring)
{
    struct tpacket_req request = {
        .tp_block_size = BLOCK, .tp_block_nr = BLOCKS, .tp_frame_size = FRAME, .tp_frame_nr = FRAMES
    };
    int version = TPACKET_V2;
    if (skt_setsockopt(ring->sock, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        drop_first_of_two(ring->sock) < 0 ||
        skt_setsockopt(ring->sock, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        return -1;
    void *frames = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, skt_fileno(ring->sock), 0);
    if (frames == MAP_FAILED)
        return -1;
    ring->frames = frames;
    return 0;
}

/* No packet comes before the socket is bound: it is made for no protocol. */
struct trace_ring *trace_ring_open(const char *interface)
{
    struct trace_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return NULL;
    ring->sock = skt_socket(AF_PACKET, SOCK_DGRAM, 0);
    if (!ring->sock || make_ring(ring) < 0 ||
        skt_bind(ring->sock, skt_packet(interface, ETH_P_ALL, 0, 0, NULL, 0)) < 0) {
        int code = errno;
        trace_ring_close(ring);
        errno = code;
        return NULL;
    }
    return ring;
}

int trace_ring_fileno(const struct trace_ring *ring)
{
    return skt_fileno(ring->sock);
}

static void read_frame(const struct tpacket2_hdr *head, struct trace *trace)
{
    const uint8_t *bytes = (const uint8_t *)head;
    const struct sockaddr_ll *from = (const void *)(bytes + TPACKET_ALIGN(sizeof *head));
    struct trace_packet packet;
    if (!trace_parse(bytes + head->tp_net, head->tp_snaplen, head->tp_len, ntohs(from->sll_protocol), &packet))
        return;
    packet.time = (int64_t)head->tp_sec * 1000000000 + head->tp_nsec;
    packet.interface = (unsigned)from->sll_ifindex;
    packet.outgoing = from->sll_pkttype == PACKET_OUTGOING;
    trace_packet(trace, &packet);
}

void trace_ring_read(struct trace_ring *ring, struct trace *trace)
{
    for (int turns = 0; turns < FRAMES; turns++) {
        struct tpacket2_hdr *head = (void *)(ring->frames + (size_t)ring->next * FRAME);
        if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return;
        read_frame(head, trace);
        __atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        ring->next = (ring->next + 1) % FRAMES;
    }
}

/* The kernel begins to count anew each time. */
uint64_t trace_ring_dropped(struct trace_ring *ring)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    if (skt_getsockopt(ring->sock, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
        ring->dropped += stats.tp_drops;
    return ring->dropped;
}

void trace_ring_close(struct trace_ring *ring)
{
    if (!ring)
        return;
    if (ring->frames)
        munmap(ring->frames, (size_t)FRAME * FRAMES);
    skt_close(ring->sock);
    free(ring);
}
