/* test_vsock.c - VSOCK, by which virtual machines talk to their host, here to themselves (CID 1). */
#include "kernels.h"
#include <linux/vm_sockets.h>
#include <sys/socket.h>

/* A server's socket, or NULL (skipped): without a loopback the kernel will not
 * bind to CID 1, and a connection would go to the hypervisor. */
static skt *local_server(int type)
{
    skt *s = open_family(AF_VSOCK, type, 0);
    if (!s)
        return NULL;
    if (skt_bind(s, skt_vsock(VMADDR_CID_LOCAL, VMADDR_PORT_ANY)) == 0)
        return s;
    CHECK(!in_uml());
    CHECK_INT(errno, EADDRNOTAVAIL);
    check_skip("no loopback: %s", skt_strerror());
    OK(skt_close(s));
    return NULL;
}

static void connection(int type)
{
    char text[64];
    socklen_t len;
    skt *server = local_server(type);
    if (!server)
        return;
    OPEN(client, AF_VSOCK, type, 0);
    skt_addr at = own_address(server), peer;
    const struct sockaddr_vm *sa = (const void *)skt_addr_sockaddr(&at, &len);
    CHECK_INT(len, sizeof *sa);
    snprintf(text, sizeof text, "vsock:1,%u", sa->svm_port);
    check_text(&at, text);
    OK(skt_listen(server, 5));
    connect_and_converse(client, server, skt_vsock(VMADDR_CID_LOCAL, sa->svm_port), &peer);
    check_text_begins(&peer, "vsock:1,");
}

static void stream(void)
{
    connection(SOCK_STREAM);
}

static void seqpacket(void)
{
    connection(SOCK_SEQPACKET);
}

/* Messages stay apart, and MSG_EOR goes along. */
static void seqpacket_boundaries(void)
{
    char buf[16];
    struct iovec iov = { buf, sizeof buf };
    skt_msg msg = { .iov = &iov, .iovlen = 1 };
    skt *server = local_server(SOCK_SEQPACKET);
    if (!server)
        return;
    OPEN(client, AF_VSOCK, SOCK_SEQPACKET, 0);
    OK(skt_listen(server, 1));
    OK(skt_connect(client, own_address(server)));
    skt *conn = skt_accept(server, NULL);
    OK_SOCKET(conn);
    skt_addr peer = peer_address(client), own = own_address(conn);
    check_same(&peer, &own);
    CHECK_INT(skt_send(client, "one", 3, 0), 3);
    CHECK_INT(skt_send(client, "record", 6, MSG_EOR), 6);
    expect(conn, "one");
    CHECK_INT(skt_recvmsg(conn, &msg, 0), 6);
    CHECK(msg.flags & MSG_EOR);
    OK(skt_close(conn));
    OK(skt_close(client));
    OK(skt_close(server));
}

/* VSOCK's own options are numbers of 64 bits, as in Python. */
static void buffer_size(void)
{
    if (under_qemu())
        SKIP("qemu-user knows no options of AF_VSOCK");
    OPEN(s, AF_VSOCK, SOCK_STREAM, 0);
    int before = 0, after = 0;
    OK(skt_getsockopt_int(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &before));
    CHECK(before > 0);
    OK(skt_setsockopt_int(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, before / 2));
    OK(skt_getsockopt_int(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &after));
    CHECK_INT(after, before / 2);
    OK(skt_close(s));
}

/* Nobody listens: the sentence tells CID and port. */
static void refused(void)
{
    skt *server = local_server(SOCK_STREAM);
    char text[SKT_ADDR_TEXT_MAX], expected[SKT_ADDR_TEXT_MAX + 64];
    if (!server)
        return;
    skt_addr at = own_address(server);
    OK(skt_close(server));
    OPEN(client, AF_VSOCK, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_connect(client, at), ECONNRESET);
    snprintf(expected, sizeof expected, "connect %s: Connection reset by peer", skt_addr_text(&at, text, sizeof text));
    CHECK_STR(skt_strerror(), expected);
    OK(skt_close(client));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "VSOCK SOCK_STREAM: a connection to CID 1", stream },
        { "VSOCK SOCK_SEQPACKET: a connection to CID 1", seqpacket },
        { "VSOCK SOCK_SEQPACKET: messages stay apart, with MSG_EOR", seqpacket_boundaries },
        { "VSOCK: options of 64 bits", buffer_size },
        { "VSOCK: nobody listening is an error that tells the address", refused },
    };
    return RUN_CASES(cases);
}
