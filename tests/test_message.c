/* test_message.c - messages: data in pieces, and what travels beside it.
 *
 * Ancillary data is where a mistake is dearest: a descriptor that nobody closes, a length that the peer has
 * chosen, padding that shows what was in memory.  So every kind of item is sent and received here by
 * real sockets; what a kernel does not do by itself (items that are no items, MSG_EOR, AF_ALG where it has none)
 * is put in by a function in the table of system calls. */
#include "check.h"
#include "peer.h"
#include "sys.h"
#include "wait.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <linux/if_alg.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for ancillary data, dirty at first. */
union control {
    struct cmsghdr align;
    unsigned char bytes[512];
};

static skt_msg message(struct iovec *iov, size_t n, union control *control)
{
    skt_msg msg = { .iov = iov, .iovlen = n };
    if (control) {
        memset(control, 0xff, sizeof *control);
        msg.control = control;
        msg.controlsize = sizeof *control;
    }
    return msg;
}

static struct iovec piece(const void *data, size_t len)
{
    return (struct iovec){ (void *)data, len };
}

/* Two sockets of UDP on this machine, not connected; *to: the address of the second. */
static void udp_pair(int family, skt *pair[2], skt_addr *to)
{
    for (int i = 0; i < 2; i++) {
        pair[i] = skt_socket(family, SOCK_DGRAM, 0);
        CHECK_INT(skt_bind(pair[i], skt_name(family == AF_INET ? "127.0.0.1" : "::1", 0)), 0);
        CHECK_INT(skt_settimeout(pair[i], 60), 0);
    }
    CHECK_INT(skt_getsockname(pair[1], to), 0);
}

static void unix_pair(int type, skt *pair[2])
{
    CHECK_INT(skt_socketpair(AF_UNIX, type, 0, pair), 0);
    for (int i = 0; i < 2; i++)
        CHECK_INT(skt_settimeout(pair[i], 60), 0);
}

static void close_pair(skt *pair[2])
{
    CHECK_INT(skt_close(pair[0]), 0);
    CHECK_INT(skt_close(pair[1]), 0);
}

static void send_byte(skt *s, skt_msg *msg)
{
    struct iovec iov = piece("x", 1);
    msg->iov = &iov;
    msg->iovlen = 1;
    CHECK_INT(skt_sendmsg(s, msg, 0), 1);
    msg->iov = NULL;
}

/* Takes a message of one byte, with its items. */
static skt_msg receive_byte(skt *s, union control *control)
{
    char c = 0;
    struct iovec iov = piece(&c, 1);
    skt_msg msg = message(&iov, 1, control);
    CHECK_INT(skt_recvmsg(s, &msg, 0), 1);
    CHECK_INT(c, 'x');
    msg.iov = NULL;
    return msg;
}

/* ---- The message itself ---- */

static void send_the_rest(skt *s)
{
    int left = 1;
    CHECK_INT(skt_send(s, "ab", 2, 0), 2);
    while (ioctl(skt_fileno(s), SIOCOUTQ, &left) == 0 && left > 0)
        usleep(500); /* not taken yet */
    CHECK_INT(skt_send(s, "cd", 2, 0), 2);
    kill(getpid(), SIGKILL); /* leaves without memcheck's and the sanitizers' last words */
}

/* Has to be the first case: once there has been a thread, the library does the waiting. */
static void waitall_alone(void)
{
    skt *pair[2];
    char buf[5] = "";
    struct iovec iov[2] = { piece(buf, 1), piece(buf + 1, 3) };
    skt_msg msg = message(iov, 2, NULL);
    if (!skti_alone())
        SKIP("this program has other threads, or its C library cannot tell");
    CHECK_INT(skt_socketpair(0, 0, 0, pair), 0);
    pid_t child = fork();
    if (child == 0)
        send_the_rest(pair[0]);
    CHECK(child > 0);
    CHECK_INT(skt_recvmsg(pair[1], &msg, MSG_WAITALL), 4);
    CHECK_STR(buf, "abcd");
    CHECK_INT(waitpid(child, NULL, 0), child);
    close_pair(pair);
}

static void waitall_with_a_timeout(void)
{
    skt *pair[2];
    char buf[4] = { 0 };
    struct iovec iov = piece(buf, 4);
    skt_msg msg = message(&iov, 1, NULL);
    unix_pair(SOCK_STREAM, pair);
    CHECK_INT(skt_send(pair[0], "ab", 2, 0), 2);
    CHECK_INT(skt_recvmsg(pair[1], &msg, MSG_WAITALL), 2);
    close_pair(pair);
}

static void pieces_items_flags_and_address(void)
{
    skt *pair[2];
    skt_addr to, from, own;
    char a[2] = "", b[4] = "", c[10] = "";
    struct iovec out[3] = { piece("ab", 2), piece(NULL, 0), piece("cdef", 4) };
    struct iovec in[3] = { piece(a, 1), piece(b, 3), piece(c, 9) };
    union control control;
    skt_msg msg = message(out, 3, NULL);
    skt_cmsg item = { .next = 0 };
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_setsockopt_int(pair[1], IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_INT(skt_getsockname(pair[0], &own), 0);
    msg.addr = &to;
    CHECK_INT(skt_sendmsg(pair[0], &msg, 0), 6);
    CHECK_INT(skt_sendmsg(pair[0], &msg, 0), 6);
    msg = message(in, 3, &control);
    msg.addr = &from;
    msg.flags = -1;
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 6);
    CHECK(!strcmp(a, "a") && !strcmp(b, "bcd") && !strcmp(c, "ef"));
    CHECK_INT(msg.flags, 0);
    CHECK(skt_addr_equal(&from, &own));
    CHECK(skt_next_cmsg(&msg, &item));
    CHECK(item.level == IPPROTO_IP && item.type == IP_TTL && item.len == sizeof(int) && !item.truncated);
    CHECK(!skt_next_cmsg(&msg, &item));
    msg = message(in, 3, NULL); /* no items are asked for, and no address */
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 6);
    CHECK(msg.flags == MSG_CTRUNC && msg.controllen == 0);
    close_pair(pair);
}

static void as_many_pieces_as_there_can_be(void)
{
    skt *pair[2];
    struct iovec out[IOV_MAX + 1], in[IOV_MAX];
    char from[IOV_MAX], to[IOV_MAX];
    for (int i = 0; i < IOV_MAX; i++) {
        from[i] = (char)(i * 7);
        out[i] = piece(&from[i], 1);
        in[IOV_MAX - 1 - i] = piece(&to[i], 1); /* backwards */
    }
    skt_msg msg = message(out, IOV_MAX + 1, NULL);
    unix_pair(SOCK_SEQPACKET, pair);
    CHECK_ERRNO(skt_sendmsg(pair[0], &msg, 0), EMSGSIZE);
    msg.iovlen = IOV_MAX;
    CHECK_INT(skt_sendmsg(pair[0], &msg, 0), IOV_MAX);
    msg = message(in, IOV_MAX, NULL);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), IOV_MAX);
    for (int i = 0; i < IOV_MAX; i++)
        CHECK(to[i] == from[IOV_MAX - 1 - i]);
    close_pair(pair);
}

static void too_long_for_the_pieces(void)
{
    skt *pair[2];
    char buf[4] = "";
    struct iovec iov = piece(buf, 3);
    skt_msg msg = message(&iov, 1, NULL);
    unix_pair(SOCK_DGRAM, pair);
    CHECK_INT(skt_send(pair[0], "abcdef", 6, 0), 6);
    CHECK_INT(skt_send(pair[0], "gh", 2, 0), 2);
    CHECK_INT(skt_recvmsg(pair[1], &msg, MSG_PEEK), 3);
    CHECK_INT(msg.flags, MSG_TRUNC);
    CHECK_INT(skt_recvmsg(pair[1], &msg, MSG_PEEK | MSG_TRUNC), 6); /* the length there is */
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 3);
    CHECK_STR(buf, "abc");
    CHECK_INT(msg.flags, MSG_TRUNC);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 2); /* what did not fit is gone */
    CHECK_INT(msg.flags, 0);
    close_pair(pair);
}

static void no_pieces_at_all(void)
{
    skt *pair[2];
    skt_msg msg = message(NULL, 0, NULL);
    if (under_qemu())
        SKIP("qemu-user gives no flags where there are no pieces");
    unix_pair(SOCK_DGRAM, pair);
    CHECK_INT(skt_send(pair[0], "i", 1, 0), 1);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 0);
    CHECK_INT(msg.flags, MSG_TRUNC);
    CHECK_ERRNO(skt_recvmsg(pair[1], &msg, MSG_DONTWAIT), EAGAIN);
    close_pair(pair);
}

static ssize_t recvmsg_with_eor(int fd, struct msghdr *msg, int flags)
{
    ssize_t n = recvmsg(fd, msg, flags);
    msg->msg_flags |= MSG_EOR | MSG_CMSG_CLOEXEC;
    return n;
}

/* AF_UNIX takes MSG_EOR and does not give it back; SCTP and others do. */
static void end_of_record(void)
{
    skt *pair[2];
    char c;
    struct iovec iov = piece("x", 1);
    skt_msg msg = message(&iov, 1, NULL);
    unix_pair(SOCK_SEQPACKET, pair);
    CHECK_INT(skt_sendmsg(pair[0], &msg, MSG_EOR), 1);
    iov = piece(&c, 1);
    skti_sys.recvmsg = recvmsg_with_eor;
    ssize_t n = skt_recvmsg(pair[1], &msg, 0);
    skti_sys.recvmsg = recvmsg;
    CHECK_INT(n, 1);
    CHECK_INT(msg.flags, MSG_EOR); /* and not how we asked the kernel for descriptors */
    close_pair(pair);
}

static int family_before;

static ssize_t recvmsg_looking_at_the_name(int fd, struct msghdr *msg, int flags)
{
    family_before = ((struct sockaddr *)msg->msg_name)->sa_family;
    return recvmsg(fd, msg, flags);
}

static void name_begins_as_unspec(void)
{
    skt *pair[2];
    skt_addr from = skt_inet("192.0.2.1", 7);
    char c;
    struct iovec iov = piece(&c, 1);
    skt_msg msg = message(&iov, 1, NULL);
    tcp_pair(pair);
    CHECK_INT(skt_sendall(pair[0], "xy", 2, 0), 0);
    skti_sys.recvmsg = recvmsg_looking_at_the_name;
    for (int i = 0; i < 2; i++) {
        family_before = -1;
        msg.addr = i ? &from : NULL;
        CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 1);
        CHECK_INT(family_before, AF_UNSPEC);
    }
    skti_sys.recvmsg = recvmsg;
    CHECK_INT(from.family, AF_UNSPEC); /* a stream tells no sender */
    CHECK_STR(skt_host(&from), "");
    CHECK_INT(skt_port(&from), -1);
    CHECK(skt_addr_sockaddr(&from, NULL) == NULL);
    close_pair(pair);
}

static void receive_and_check(void *arg)
{
    char buf[6] = "";
    struct iovec iov = piece(buf, 5);
    skt_msg msg = message(&iov, 1, NULL);
    CHECK_INT(skt_recvmsg(arg, &msg, 0), 5);
    CHECK_STR(buf, "hello");
}

static void waiting(void)
{
    skt *pair[2];
    struct peer peer;
    char c = 0;
    struct iovec iov = piece(&c, 1), hello = piece("hello", 5);
    union control control;
    skt_msg msg = message(&iov, 1, &control), out = message(&hello, 1, NULL);
    unix_pair(SOCK_DGRAM, pair);
    start_peer(&peer, receive_and_check, pair[1]);
    wait_until_blocked(&peer);
    CHECK_INT(skt_sendmsg(pair[0], &out, 0), 5);
    join_peer(&peer);
    CHECK_ERRNO(skt_recvmsg(pair[1], &msg, MSG_DONTWAIT), EAGAIN);
    CHECK(!skt_timed_out());
    CHECK_INT(skt_settimeout(pair[1], 0), 0);
    CHECK_ERRNO(skt_recvmsg(pair[1], &msg, 0), EAGAIN);
    CHECK(!skt_timed_out());
    CHECK_INT(skt_settimeout(pair[1], 0.01), 0);
    msg.controllen = 24;
    CHECK_ERRNO(skt_recvmsg(pair[1], &msg, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    CHECK_STR(skt_strerror(), "recvmsg: timed out");
    CHECK_INT(msg.controllen, 0); /* so that no item of an earlier message is found */
    fill_up(pair[0]);
    CHECK_ERRNO(skt_sendmsg(pair[0], &out, MSG_DONTWAIT), EAGAIN);
    CHECK_INT(skt_settimeout(pair[0], 0.01), 0);
    CHECK_ERRNO(skt_sendmsg(pair[0], &out, 0), ETIMEDOUT);
    CHECK(skt_timed_out());
    close_pair(pair);
}

/* ---- Items ---- */

static void put_and_padding(void)
{
    union control control;
    skt_msg msg = message(NULL, 0, &control);
    struct msghdr header = { .msg_control = &control };
    CHECK_INT(skt_put_cmsg(&msg, 1, 2, "abcde", 5), 0);
    CHECK_INT(msg.controllen, CMSG_SPACE(5));
    CHECK_INT(skt_put_cmsg(&msg, 3, 4, NULL, 0), 0);
    CHECK_INT(msg.controllen, CMSG_SPACE(5) + CMSG_SPACE(0));
    header.msg_controllen = msg.controllen;
    struct cmsghdr *first = CMSG_FIRSTHDR(&header),
                   *second =
                       (void *)((char *)first + CMSG_SPACE(5)); /* musl's CMSG_NXTHDR passes over an empty last one */
    CHECK(first->cmsg_len == CMSG_LEN(5) && first->cmsg_level == 1 && first->cmsg_type == 2);
    CHECK(!memcmp(CMSG_DATA(first), "abcde", 5));
    for (const unsigned char *p = CMSG_DATA(first) + 5; p < (unsigned char *)second; p++)
        CHECK_INT(*p, 0);
    CHECK(second && second->cmsg_len == CMSG_LEN(0) && second->cmsg_level == 3 && second->cmsg_type == 4);
    CHECK(!CMSG_NXTHDR(&header, second));
    CHECK_INT(control.bytes[msg.controllen], 0xff);
}

static void put_without_room(void)
{
    union control control;
    skt_msg msg = message(NULL, 0, &control);
    char expected[100];
    msg.controlsize = CMSG_SPACE(8) + CMSG_SPACE(4) - 1;
    CHECK_INT(skt_put_cmsg(&msg, 1, 2, "abcdefgh", 8), 0);
    CHECK_ERRNO(skt_put_cmsg(&msg, 1, 2, "abcd", 4), EMSGSIZE);
    snprintf(expected, sizeof expected, "put_cmsg: no room for 4 bytes in control: %zu of %zu are used", CMSG_SPACE(8),
             msg.controlsize);
    CHECK_STR(skt_strerror(), expected);
    CHECK_INT(msg.controllen, CMSG_SPACE(8)); /* as it was */
    CHECK_INT(control.bytes[msg.controllen], 0xff);
    msg.controlsize++;
    CHECK_INT(skt_put_cmsg(&msg, 1, 2, "abcd", 4), 0);
    CHECK_ERRNO(skt_put_cmsg(&msg, 1, 2, NULL, 0), EMSGSIZE);
    CHECK_ERRNO(skt_put_cmsg(&msg, 1, 2, "abcd", SSIZE_MAX), EMSGSIZE);
    msg.controllen = msg.controlsize + 1;
    CHECK_ERRNO(skt_put_cmsg(&msg, 1, 2, NULL, 0), EINVAL);
}

/* Behaviour of sendmsg and not only of skt_put_cmsg: what is put arrives. */
static void pieces_and_items_are_sent(void)
{
    skt *pair[2];
    skt_addr to;
    char buf[8] = "";
    struct iovec out[2] = { piece("one", 3), piece("two", 3) }, in = piece(buf, 7);
    union control control;
    skt_msg msg = message(out, 2, &control);
    int ttl = 42, got = 0;
    put_and_padding();
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_setsockopt_int(pair[1], IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_INT(skt_put_cmsg(&msg, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 0);
    msg.addr = &to;
    CHECK_INT(skt_sendmsg(pair[0], &msg, 0), 6);
    msg = message(&in, 1, &control);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 6);
    CHECK_STR(buf, "onetwo");
    CHECK_INT(skt_get_hoplimit(&msg, &got), 0);
    CHECK_INT(got, 42);
    out[0] = piece("bad", 3);
    msg = message(out, 1, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_cmsg(&msg, IPPROTO_IP, IP_TTL, &ttl, 1), 0); /* the kernel's own check */
    ttl = 300;
    CHECK_INT(skt_put_cmsg(&msg, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 0);
    CHECK_ERRNO(skt_sendmsg(pair[0], &msg, 0), EINVAL);
    close_pair(pair);
}

/* An item with cmsg_len len at the beginning of control, of which controllen bytes are used. */
static skt_msg forged(union control *control, size_t len, size_t controllen)
{
    skt_msg msg = message(NULL, 0, control);
    struct cmsghdr head = { .cmsg_level = 5, .cmsg_type = 6 };
    head.cmsg_len = len; /* musl's is 32 bits wide */
    memcpy(control, &head, sizeof head);
    msg.controllen = controllen;
    return msg;
}

static void malformed_items(void)
{
    static const size_t too_short[] = { 0, 1, CMSG_LEN(0) - 1 };
    static const size_t too_long[] = { CMSG_LEN(9), CMSG_LEN(100), UINT_MAX, SIZE_MAX };
    union control control;
    skt_cmsg item;
    skt_msg msg;
    for (size_t i = 0; i < sizeof too_short / sizeof *too_short; i++) {
        msg = forged(&control, too_short[i], 64);
        CHECK(!skt_next_cmsg(&msg, &(skt_cmsg){ .next = 0 }));
    }
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        msg = forged(&control, too_long[i], CMSG_LEN(8));
        item = (skt_cmsg){ .next = 0 };
        CHECK(skt_next_cmsg(&msg, &item) && item.truncated);
        CHECK(item.level == 5 && item.type == 6 && item.len == 8);
        CHECK(item.data == control.bytes + CMSG_LEN(0));
        CHECK(!skt_next_cmsg(&msg, &item)); /* nothing can follow */
    }
    for (size_t used = 0; used < CMSG_LEN(0); used++) {
        msg = forged(&control, CMSG_LEN(8), used);
        CHECK(!skt_next_cmsg(&msg, &(skt_cmsg){ .next = 0 }));
    }
    msg = forged(&control, CMSG_LEN(1), CMSG_LEN(1)); /* without padding, as the last may be */
    item = (skt_cmsg){ .next = 0 };
    CHECK(skt_next_cmsg(&msg, &item) && !item.truncated && item.len == 1);
    CHECK(!skt_next_cmsg(&msg, &item));
}

/* The kernel cuts an item to the room there is, and says so in the message's flags. */
static void items_that_are_cut(void)
{
    skt *pair[2];
    skt_addr to;
    char c = 0;
    struct iovec iov = piece(&c, 1);
    union control control;
    skt_cmsg item = { .next = 0 };
    skt_msg msg = { .addr = &to };
    if (under_qemu())
        SKIP("qemu-user gives an item whole or not at all");
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_setsockopt_int(pair[1], IPPROTO_IP, IP_PKTINFO, 1), 0);
    send_byte(pair[0], &msg);
    msg = message(&iov, 1, &control);
    msg.controlsize = CMSG_LEN(5);
    CHECK_INT(skt_recvmsg(pair[1], &msg, 0), 1);
    CHECK_INT(msg.flags, MSG_CTRUNC);
    CHECK(skt_next_cmsg(&msg, &item) && item.type == IP_PKTINFO && item.len == 5);
    CHECK_INT(control.bytes[CMSG_LEN(5)], 0xff);
    CHECK(!skt_next_cmsg(&msg, &item));
    CHECK_ERRNO(skt_get_pktinfo(&msg, &to, NULL), ENOMSG); /* a part of it is not it */
    close_pair(pair);
}

/* ---- Descriptors ---- */

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void close_both(int fd[2])
{
    close(fd[0]);
    close(fd[1]);
}

static void rights(void)
{
    skt *pair[2];
    int fd[2], got[4] = { -1, -1, -1, -1 };
    union control control;
    skt_msg msg = message(NULL, 0, &control);
    CHECK_INT(pipe(fd), 0); /* not close-on-exec */
    unix_pair(SOCK_DGRAM, pair);
    CHECK_INT(skt_put_rights(&msg, fd, 1), 0);
    CHECK_INT(skt_put_rights(&msg, fd, 2), 0); /* the kernel makes one item of two */
    send_byte(pair[0], &msg);
    CHECK(fcntl(fd[0], F_GETFD) == 0 && fcntl(fd[1], F_GETFD) == 0);
    msg = receive_byte(pair[1], &control);
    CHECK_INT(skt_get_rights(&msg, got, 4), 3);
    CHECK(same_file(got[0], fd[0]) && same_file(got[1], fd[0]) && same_file(got[2], fd[1]) && got[3] == -1);
    CHECK_INT(write(got[2], "!", 1), 1);
    char c = 0;
    CHECK(read(fd[0], &c, 1) == 1 && c == '!');
    for (int i = 0; i < 3; i++) {
        CHECK_INT(fcntl(got[i], F_GETFD), FD_CLOEXEC);
        close(got[i]);
    }
    close_both(fd);
    close_pair(pair);
}

static void rights_that_nobody_takes(void)
{
    skt *pair[2];
    int fd[2], got = -1, before;
    union control out, in;
    skt_msg msg = message(NULL, 0, &out), received;
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    unix_pair(SOCK_DGRAM, pair);
    CHECK_INT(skt_put_rights(&msg, fd, 2), 0);
    for (int i = 0; i < 2; i++)
        send_byte(pair[0], &msg);
    before = count_fds();
    received = receive_byte(pair[1], &in); /* more than the caller takes */
    CHECK_INT(count_fds(), before + 2);
    errno = EXDEV;
    CHECK_INT(skt_get_rights(&received, &got, 1), 2);
    CHECK_INT(errno, EXDEV);
    CHECK(same_file(got, fd[0]) && count_fds() == before + 1 && close(got) == 0);
    received = receive_byte(pair[1], &in); /* none is wanted */
    CHECK_INT(count_fds(), before + 2);
    skt_close_rights(&received);
    CHECK_INT(count_fds(), before);
    close_both(fd);
    close_pair(pair);
}

static void rights_without_room(void)
{
    skt *pair[2];
    int fd[2], got = -1, before;
    char c = 0;
    struct iovec iov = piece(&c, 1);
    union control out, in;
    skt_msg msg = message(NULL, 0, &out), received;
    if (under_qemu())
        SKIP("qemu-user takes an item whole, and loses the descriptors");
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    unix_pair(SOCK_DGRAM, pair);
    CHECK_INT(skt_put_rights(&msg, fd, 2), 0);
    for (int i = 0; i < 2; i++)
        send_byte(pair[0], &msg);
    before = count_fds();
    received = message(&iov, 1, &in); /* more than control has room for */
    received.controlsize = CMSG_LEN(sizeof(int));
    CHECK_INT(skt_recvmsg(pair[1], &received, 0), 1);
    CHECK(received.flags == MSG_CTRUNC && count_fds() == before + 1);
    CHECK(skt_get_rights(&received, &got, 1) == 1 && same_file(got, fd[0]) && close(got) == 0);
    receive_byte(pair[1], NULL); /* no control at all */
    CHECK_INT(count_fds(), before);
    received = message(&iov, 1, &in);
    CHECK_ERRNO(skt_recvmsg(pair[1], &received, MSG_DONTWAIT), EAGAIN);
    skt_close_rights(&received); /* nothing came */
    CHECK_INT(count_fds(), before);
    close_both(fd);
    close_pair(pair);
}

static void too_many_rights(void)
{
    skt *pair[2];
    int fds[254], flags = 0;
    char c;
    struct iovec iov = piece("x", 1);
    union {
        struct cmsghdr align;
        char bytes[SKT_CONTROL_SPACE(sizeof fds)];
    } control;
    skt_msg msg = { .iov = &iov, .iovlen = 1, .control = &control, .controlsize = sizeof control };
    const size_t most = MUSL ? 252 : 253; /* musl's sendmsg carries 1024 bytes of items at most */
    unix_pair(SOCK_STREAM, pair);
    for (int i = 0; i < 254; i++)
        fds[i] = skt_fileno(pair[0]);
    CHECK_ERRNO(skt_send_fds(pair[0], "x", 1, fds, 254, 0), EINVAL);
    CHECK_STR(skt_strerror(), "send_fds: 254 descriptors: a message carries at most 253");
    CHECK_INT(skt_put_rights(&msg, fds, 254), 0);
    CHECK_ERRNO(skt_sendmsg(pair[0], &msg, 0), MUSL ? ENOMEM : EINVAL); /* so says musl; the kernel */
    fds[0] = 1 << 30;
    CHECK_ERRNO(skt_send_fds(pair[0], "x", 1, fds, 1, 0), EBADF);
    CHECK_INT(skt_send_fds(pair[0], "x", 1, fds + 1, most, 0), 1);
    size_t room = 254;
    CHECK_INT(skt_recv_fds(pair[1], &c, 1, fds, &room, 0, &flags), 1);
    CHECK_INT(room, most);
    CHECK_INT(flags, 0);
    for (size_t i = 0; i < room; i++)
        CHECK(same_file(fds[i], skt_fileno(pair[0])) && close(fds[i]) == 0);
    CHECK_ERRNO(skt_recv_fds(pair[1], &c, 1, fds, &room, MSG_DONTWAIT, &flags), EAGAIN); /* none went of those above */
    close_pair(pair);
}

static int stowaway;

/* The last descriptor is half a descriptor. */
static ssize_t recvmsg_with_odd_bytes(int fd, struct msghdr *msg, int flags)
{
    ssize_t n = recvmsg(fd, msg, flags);
    struct cmsghdr *item = CMSG_FIRSTHDR(msg);
    CHECK(item && item->cmsg_len == CMSG_LEN(2 * sizeof(int)));
    memcpy(&stowaway, CMSG_DATA(item) + sizeof(int), sizeof stowaway);
    item->cmsg_len -= 1;
    return n;
}

static void odd_bytes(skt *pair[2], int fd)
{
    int got[2] = { -1, -1 };
    const int two[2] = { fd, fd };
    char c;
    size_t room = 2;
    CHECK_INT(skt_send_fds(pair[0], "x", 1, two, 2, 0), 1);
    skti_sys.recvmsg = recvmsg_with_odd_bytes;
    ssize_t n = skt_recv_fds(pair[1], &c, 1, got, &room, 0, NULL);
    skti_sys.recvmsg = recvmsg;
    CHECK(n == 1 && room == 1 && got[1] == -1);
    CHECK(same_file(got[0], fd) && close(got[0]) == 0 && close(stowaway) == 0);
}

static void flags_are_obeyed(skt *pair[2], int fd)
{
    int got[2] = { -1, -1 }, flags = -1;
    char buf[3] = "";
    size_t room = 2;
    CHECK_ERRNO(skt_recv_fds(pair[1], buf, 2, got, &room, MSG_DONTWAIT, NULL), EAGAIN);
    CHECK_INT(room, 2);
    CHECK_INT(skt_send_fds(pair[0], "abc", 3, &fd, 1, MSG_EOR), 3);
    for (int i = 0; i < 2; i++) { /* the first time MSG_PEEK leaves it there */
        room = 2;
        CHECK_INT(skt_recv_fds(pair[1], buf, 2, got, &room, i ? 0 : MSG_PEEK, &flags), 2);
        CHECK(room == 1 && flags == MSG_TRUNC && !strcmp(buf, "ab") && got[1] == -1);
        CHECK_INT(fcntl(got[0], F_GETFD), FD_CLOEXEC);
        CHECK(same_file(got[0], fd) && close(got[0]) == 0);
    }
    fill_up(pair[0]);
    CHECK_ERRNO(skt_send_fds(pair[0], "x", 1, &fd, 1, MSG_DONTWAIT), EAGAIN);
}

static void fds_and_flags(void)
{
    skt *pair[2];
    int fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0);
    unix_pair(SOCK_SEQPACKET, pair);
    odd_bytes(pair, fd);
    flags_are_obeyed(pair, fd);
    close_pair(pair);
    close(fd);
}

static void fds_that_do_not_fit(void)
{
    skt *pair[2];
    int fd[3], got[2] = { -1, -1 }, flags, before;
    char c;
    if (under_qemu())
        SKIP("qemu-user takes an item whole, and loses the descriptors");
    unix_pair(SOCK_STREAM, pair);
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    fd[2] = fd[0];
    before = count_fds();
    for (size_t i = 0; i < 6; i++) {
        static const size_t sent[] = { 1, 2, 2, 3, 3, 3 }, room[] = { 0, 0, 1, 0, 1, 2 };
        size_t n = room[i];
        flags = 0;
        CHECK_INT(skt_send_fds(pair[0], "x", 1, fd, sent[i], 0), 1);
        CHECK_INT(skt_recv_fds(pair[1], &c, 1, n ? got : NULL, &n, 0, &flags), 1);
        CHECK_INT(flags, MSG_CTRUNC);
        CHECK_INT(n, room[i]);
        CHECK_INT(count_fds(), before + (int)n);
        for (size_t j = 0; j < n; j++)
            CHECK(same_file(got[j], fd[j]) && close(got[j]) == 0);
    }
    size_t n = 2;
    CHECK_INT(skt_send_fds(pair[0], "x", 1, NULL, 0, 0), 1);
    CHECK_INT(skt_recv_fds(pair[1], &c, 1, got, &n, 0, &flags), 1);
    CHECK(n == 0 && flags == 0);
    n = 2;
    CHECK_INT(skt_close(pair[0]), 0);
    CHECK_INT(skt_recv_fds(pair[1], &c, 1, got, &n, 0, NULL), 0); /* the end */
    CHECK_INT(n, 0);
    CHECK_ERRNO(skt_send_fds(pair[1], "x", 1, fd, 1, 0), EPIPE);
    CHECK_INT(skt_close(pair[1]), 0);
    close_both(fd);
}

static void fds_over_udp(void)
{
    skt *pair[2];
    skt_addr to;
    int fd = 0;
    char c;
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_connect(pair[0], to), 0);
    CHECK_ERRNO(skt_send_fds(pair[0], "x", 1, &fd, 1, 0), EAFNOSUPPORT);
    CHECK_STR(skt_strerror(), "send_fds: only AF_UNIX passes descriptors");
    CHECK_INT(skt_send(pair[0], "y", 1, 0), 1);
    CHECK(skt_recv(pair[1], &c, 1, 0) == 1 && c == 'y'); /* and not the x without its descriptor */
    close_pair(pair);
}

/* ---- Who, from where, how far, when ---- */

static void credentials(void)
{
    skt *pair[2];
    union control control;
    skt_credentials who = { 0 };
    skt_msg msg = message(NULL, 0, NULL);
    unix_pair(SOCK_DGRAM, pair);
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control); /* not asked for */
    CHECK_ERRNO(skt_get_credentials(&msg, &who), ENOMSG);
    CHECK_STR(skt_strerror(), "get_credentials: the message has no such item");
    CHECK_INT(skt_setsockopt_int(pair[1], SOL_SOCKET, SO_PASSCRED, 1), 0);
    msg = message(NULL, 0, NULL);
    send_byte(pair[0], &msg); /* the kernel says it by itself */
    msg = receive_byte(pair[1], &control);
    CHECK_INT(skt_get_credentials(&msg, &who), 0);
    CHECK(who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
    /* To be somebody else needs privileges; either way the kernel has read what was put. */
    struct iovec iov = piece("x", 1);
    msg = message(&iov, 1, &control);
    CHECK_INT(skt_put_credentials(&msg, (skt_credentials){ getpid(), getuid() + 4711, getgid() }), 0);
    if (skt_sendmsg(pair[0], &msg, 0) < 0) {
        CHECK(errno == EPERM || errno == EINVAL);
    } else {
        msg = receive_byte(pair[1], &control);
        CHECK_INT(skt_get_credentials(&msg, &who), 0);
        CHECK(who.pid == getpid() && who.uid == getuid() + 4711 && who.gid == getgid());
    }
    close_pair(pair);
}

static void credentials_beside_descriptors(void)
{
    skt *pair[2];
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), got = -1;
    union control control;
    skt_credentials who = { 0 };
    skt_msg msg = message(NULL, 0, &control);
    CHECK(fd >= 0);
    unix_pair(SOCK_STREAM, pair);
    CHECK_INT(skt_setsockopt_int(pair[1], SOL_SOCKET, SO_PASSCRED, 1), 0);
    CHECK_INT(skt_put_credentials(&msg, (skt_credentials){ getpid(), getuid(), getgid() }), 0);
    CHECK_INT(skt_put_rights(&msg, &fd, 1), 0);
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control);
    CHECK_INT(skt_get_credentials(&msg, &who), 0);
    CHECK_INT(who.pid, getpid());
    CHECK_INT(skt_get_rights(&msg, &got, 1), 1);
    CHECK(same_file(got, fd) && close(got) == 0 && close(fd) == 0);
    close_pair(pair);
}

static void pktinfo(void)
{
    skt *pair[2];
    skt_addr to, from, local = skt_inet("127.0.0.5", 0);
    unsigned ifindex = 0, lo = skt_if_nametoindex("lo");
    union control control;
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_close(pair[1]), 0);
    pair[1] = skt_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(skt_bind(pair[1], skt_inet("", 0)), 0); /* every address there is */
    CHECK_INT(skt_setsockopt_int(pair[1], IPPROTO_IP, IP_PKTINFO, 1), 0);
    CHECK_INT(skt_getsockname(pair[1], &to), 0);
    to = skt_inet("127.0.0.5", skt_port(&to));
    skt_msg msg = { .addr = &to };
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control);
    CHECK_INT(skt_get_pktinfo(&msg, &from, &ifindex), 0);
    CHECK(skt_addr_equal(&from, &local) && ifindex == lo);
    CHECK_INT(skt_get_pktinfo(&msg, NULL, NULL), 0);
    /* The answer comes from there too. */
    CHECK_INT(skt_getsockname(pair[0], &to), 0);
    msg = message(NULL, 0, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_pktinfo(&msg, &local, lo), 0);
    send_byte(pair[1], &msg);
    char c;
    CHECK_INT(skt_recvfrom(pair[0], &c, 1, 0, &from), 1);
    CHECK_STR(skt_host(&from), "127.0.0.5");
    /* Not an address of this machine. */
    struct iovec iov = piece("x", 1);
    local = skt_inet("192.0.2.1", 0);
    msg = message(&iov, 1, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_pktinfo(&msg, &local, 0), 0);
    CHECK(skt_sendmsg(pair[1], &msg, 0) == -1 && (errno == EINVAL || errno == EADDRNOTAVAIL || errno == ENETUNREACH));
    close_pair(pair);
}

static void pktinfo6(void)
{
    skt *pair[2];
    skt_addr to, local, loopback = skt_inet6("::1", 0, 0, 0), elsewhere = skt_inet6("2001:db8::1", 0, 0, 0);
    unsigned ifindex = 0, lo = skt_if_nametoindex("lo");
    struct iovec iov = piece("x", 1);
    union control control;
    if (!has_ipv6())
        SKIP("no IPv6 here");
    udp_pair(AF_INET6, pair, &to);
    CHECK_INT(skt_setsockopt_int(pair[1], IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
    skt_msg msg = message(NULL, 0, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_pktinfo(&msg, &loopback, lo), 0);
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control);
    CHECK_INT(skt_get_pktinfo(&msg, &local, &ifindex), 0);
    CHECK(skt_addr_equal(&local, &loopback) && ifindex == lo);
    msg = message(&iov, 1, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_pktinfo(&msg, &elsewhere, lo), 0);
    CHECK_ERRNO(skt_sendmsg(pair[0], &msg, 0), EINVAL); /* so says the kernel of what is not ours */
    close_pair(pair);
}

static void hop_limits(int family, int level, int option)
{
    skt *pair[2];
    skt_addr to;
    int hops = 0;
    union control control;
    udp_pair(family, pair, &to);
    skt_msg msg = message(NULL, 0, &control);
    msg.addr = &to;
    CHECK_INT(skt_put_hoplimit(&msg, family, 7), 0);
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control); /* not asked for */
    CHECK_ERRNO(skt_get_hoplimit(&msg, &hops), ENOMSG);
    CHECK_INT(skt_setsockopt_int(pair[1], level, option, 1), 0);
    static const int some[] = { 1, 7, 255 };
    for (int i = 0; i < 3; i++) {
        msg = message(NULL, 0, &control);
        msg.addr = &to;
        CHECK_INT(skt_put_hoplimit(&msg, family, some[i]), 0);
        send_byte(pair[0], &msg);
        msg = receive_byte(pair[1], &control);
        CHECK_INT(skt_get_hoplimit(&msg, &hops), 0);
        CHECK_INT(hops, some[i]);
    }
    close_pair(pair);
}

static void ttl(void)
{
    hop_limits(AF_INET, IPPROTO_IP, IP_RECVTTL);
}

static void hoplimit(void)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    hop_limits(AF_INET6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
}

static bool not_after(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

/* The kernel begins to take times a little after it was asked to: until the first one comes,
 * SO_TIMESTAMPING gives no item, or an empty one. */
static void timestamps(int option, int value, long unit)
{
    skt *pair[2];
    skt_addr to;
    struct timespec before, when = { 0 }, after;
    union control control;
    skt_msg msg;
    udp_pair(AF_INET, pair, &to);
    msg = (skt_msg){ .addr = &to };
    send_byte(pair[0], &msg);
    msg = receive_byte(pair[1], &control);
    CHECK_ERRNO(skt_get_timestamp(&msg, &when), ENOMSG);
    CHECK_INT(skt_setsockopt_int(pair[1], SOL_SOCKET, option, value), 0);
    do {
        CHECK_INT(clock_gettime(CLOCK_REALTIME, &before), 0);
        msg = (skt_msg){ .addr = &to };
        send_byte(pair[0], &msg);
        msg = receive_byte(pair[1], &control);
        CHECK_INT(clock_gettime(CLOCK_REALTIME, &after), 0);
    } while (skt_get_timestamp(&msg, &when) < 0 && option == SO_TIMESTAMPING && errno == ENOMSG);
    before.tv_nsec -= before.tv_nsec % unit;
    CHECK(not_after(&before, &when) && not_after(&when, &after));
    CHECK_INT(when.tv_nsec % unit, 0);
    close_pair(pair);
}

static void microseconds(void)
{
    timestamps(SO_TIMESTAMP, 1, 1000);
}

static void nanoseconds(void)
{
    if (under_qemu())
        SKIP("qemu-user does not know SO_TIMESTAMPNS");
    timestamps(SO_TIMESTAMPNS, 1, 1);
}

static void software_timestamps(void)
{
    if (under_qemu())
        SKIP("qemu-user does not know SO_TIMESTAMPING");
    timestamps(SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, 1);
}

/* What a network card's clock says goes before the kernel's. */
static void hardware_timestamps(void)
{
    union control control;
    struct scm_timestamping all = { .ts = { { 1, 2 }, { 3, 4 }, { 5, 6 } } };
    struct timespec ns = { 7, 8 }, when;
    skt_msg msg = message(NULL, 0, &control);
    CHECK_INT(skt_put_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMPNS, &ns, sizeof ns), 0);
    CHECK_INT(skt_put_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMPING, &all, sizeof all), 0);
    CHECK(skt_get_timestamp(&msg, &when) == 0 && when.tv_sec == 5 && when.tv_nsec == 6);
    msg.controllen = CMSG_SPACE(sizeof ns);
    memset(&all.ts[2], 0, sizeof all.ts[2]);
    CHECK_INT(skt_put_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMPING, &all, sizeof all), 0);
    CHECK(skt_get_timestamp(&msg, &when) == 0 && when.tv_sec == 1 && when.tv_nsec == 2);
    msg.controllen = CMSG_SPACE(sizeof ns);
    memset(&all, 0, sizeof all); /* an empty one counts for nothing */
    CHECK_INT(skt_put_cmsg(&msg, SOL_SOCKET, SO_TIMESTAMPING, &all, sizeof all), 0);
    CHECK(skt_get_timestamp(&msg, &when) == 0 && when.tv_sec == 7 && when.tv_nsec == 8);
}

/* ---- The error queue ---- */

/* The error that stands in the queue of s, about a byte sent to `to`. */
static void check_error_queue(skt *s, const skt_addr *to)
{
    char buf[4] = "";
    struct iovec iov = piece(buf, 3);
    union control control;
    skt_addr about;
    struct sock_extended_err error;
    skt_cmsg item = { .next = 0 };
    skt_msg msg = message(&iov, 1, &control);
    msg.addr = &about;
    CHECK_INT(skt_recvmsg(s, &msg, MSG_ERRQUEUE), 1);
    CHECK_STR(buf, "x"); /* what was sent */
    CHECK_INT(msg.flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    CHECK(skt_addr_equal(&about, to));
    while (skt_next_cmsg(&msg, &item) && item.type != IP_RECVERR)
        ;
    CHECK(item.level == IPPROTO_IP && item.type == IP_RECVERR && item.len >= sizeof error);
    memcpy(&error, item.data, sizeof error);
    CHECK(error.ee_errno == ECONNREFUSED && error.ee_origin == SO_EE_ORIGIN_ICMP);
}

static void error_queue(void)
{
    skt *pair[2];
    skt_addr to;
    char c = 0;
    struct iovec iov = piece(&c, 1);
    skt_msg msg = message(&iov, 1, NULL);
    static const double timeouts[] = { 0.01, 0, SKT_NO_TIMEOUT };
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_close(pair[1]), 0); /* nobody is there */
    CHECK_INT(skt_setsockopt_int(pair[0], IPPROTO_IP, IP_RECVERR, 1), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(skt_settimeout(pair[0], timeouts[i]), 0);
        CHECK_ERRNO(skt_recvmsg(pair[0], &msg, MSG_ERRQUEUE), EAGAIN);
        CHECK(!skt_timed_out());
        msg = (skt_msg){ .addr = &to };
        send_byte(pair[0], &msg);
        struct pollfd error = { .fd = skt_fileno(pair[0]) };
        CHECK_INT(poll(&error, 1, -1), 1);
        CHECK_INT(error.revents, POLLERR);
        check_error_queue(pair[0], &to);
        msg = message(&iov, 1, NULL);
        CHECK_ERRNO(skt_recvmsg(pair[0], &msg, MSG_ERRQUEUE), EAGAIN);
    }
    CHECK_INT(skt_close(pair[0]), 0);
}

/* That there are no errors says nothing of the data. */
static void error_queue_beside_data(void)
{
    skt *pair[2];
    skt_addr to;
    char c = 0;
    struct iovec iov = piece(&c, 1);
    udp_pair(AF_INET, pair, &to);
    CHECK_INT(skt_settimeout(pair[1], 1e-3), 0);
    CHECK_ERRNO(skt_recv(pair[1], &c, 1, 0), ETIMEDOUT); /* it is watched now */
    CHECK_INT(skt_settimeout(pair[1], 5), 0);
    for (int i = 0; i < 2; i++) {
        skt_msg msg = message(&iov, 1, NULL);
        CHECK_INT(skt_sendto(pair[0], &"23"[i], 1, 0, to), 1);
        let_pass(1e-3); /* it is known that something has come */
        if (i == 0)
            CHECK_ERRNO(skt_recvmsg(pair[1], &msg, MSG_ERRQUEUE), EAGAIN);
        else
            CHECK_ERRNO(skt_recv(pair[1], &c, 1, MSG_ERRQUEUE), EAGAIN);
        CHECK_INT(skt_recv(pair[1], &c, 1, 0), 1);
        CHECK_INT(c, '2' + i);
    }
    close_pair(pair);
}

/* ---- AF_ALG ---- */

static int socket_of_another_family(int family, int type, int proto)
{
    (void)type, (void)proto;
    CHECK_INT(family, AF_ALG);
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static union control sent_control;
static size_t sent_controllen;

static ssize_t sendmsg_to_nobody(int fd, const struct msghdr *msg, int flags)
{
    (void)fd;
    CHECK(msg->msg_controllen <= sizeof sent_control && (flags & MSG_MORE));
    memcpy(&sent_control, msg->msg_control, msg->msg_controllen);
    sent_controllen = msg->msg_controllen;
    ssize_t sum = 0;
    for (size_t i = 0; i < (size_t)msg->msg_iovlen; i++)
        sum += (ssize_t)msg->msg_iov[i].iov_len;
    return sum;
}

/* The next item sent, which has to have this type and data. */
static void check_alg_item(skt_cmsg *item, int type, const void *data, size_t len)
{
    const skt_msg msg = { .control = &sent_control, .controllen = sent_controllen };
    CHECK(skt_next_cmsg(&msg, item));
    CHECK(item->level == SOL_ALG && item->type == type && item->len == len && !memcmp(item->data, data, len));
}

/* The items that it makes, seen where the system call would be: needs no AF_ALG. */
static void afalg_items(void)
{
    char plain[20] = "", iv[256];
    struct iovec iov[2] = { piece(plain, 5), piece(plain, 6) };
    struct {
        uint32_t ivlen;
        char iv[256];
    } expected = { .ivlen = 256 };
    const int op = ALG_OP_DECRYPT, encrypt = ALG_OP_ENCRYPT, assoclen = 6;
    skt_cmsg item = { .next = 0 };
    for (size_t i = 0; i < sizeof iv; i++)
        iv[i] = expected.iv[i] = (char)(255 - i);
    skti_sys.socket = socket_of_another_family;
    skt *s = skt_socket(AF_ALG, SOCK_SEQPACKET, 0);
    skti_sys.socket = socket;
    skti_sys.sendmsg = sendmsg_to_nobody;
    CHECK_INT(skt_sendmsg_afalg(s, iov, 2, op, iv, sizeof iv, assoclen, MSG_MORE), 11);
    check_alg_item(&item, ALG_SET_OP, &op, sizeof op);
    check_alg_item(&item, ALG_SET_IV, &expected, sizeof expected);
    check_alg_item(&item, ALG_SET_AEAD_ASSOCLEN, &assoclen, sizeof assoclen);
    CHECK_INT(item.next, sent_controllen);
    item.next = 0;
    CHECK_INT(skt_sendmsg_afalg(s, iov, 1, encrypt, NULL, 0, -1, MSG_MORE), 5);
    check_alg_item(&item, ALG_SET_OP, &encrypt, sizeof encrypt);
    CHECK_INT(item.next, sent_controllen);
    sent_controllen = 0;
    CHECK_ERRNO(skt_sendmsg_afalg(s, iov, 1, op, iv, 257, -1, MSG_MORE), EINVAL);
    CHECK_ERRNO(skt_sendmsg_afalg(s, iov, 1, op, NULL, 1, -1, MSG_MORE), EINVAL);
    CHECK_ERRNO(skt_sendmsg_afalg(s, NULL, 1, op, NULL, 0, -1, MSG_MORE), EFAULT);
    CHECK_INT(sent_controllen, 0); /* nothing was sent */
    skti_sys.sendmsg = sendmsg;
    skt_close(s);
    s = skt_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERRNO(skt_sendmsg_afalg(s, iov, 1, op, NULL, 0, -1, 0), EAFNOSUPPORT);
    CHECK_STR(skt_strerror(), "sendmsg_afalg: not a socket of AF_ALG");
    skt_close(s);
}

static void afalg_cipher(void)
{
    /* RFC 3602, case 1 */
    static const unsigned char key[] = "\x06\xa9\x21\x40\x36\xb8\xa1\x5b\x51\x2e\x03\xd5\x34\x12\x00\x06";
    static const unsigned char iv[] = "\x3d\xaf\xba\x42\x9d\x9e\xb4\x30\xb4\x22\xda\x80\x2c\x9f\xac\x41";
    static const unsigned char expected[] = "\xe3\x53\x77\x9c\x10\x79\xae\xb8\x27\x08\x94\x2d\xbe\x77\x18\x1a";
    unsigned char out[16];
    struct iovec iov[2] = { piece("Single block", 12), piece(" msg", 4) };
    skt *s = skt_socket(AF_ALG, SOCK_SEQPACKET, 0);
    if (!s)
        SKIP("%s", skt_strerror());
    if (skt_bind(s, skt_alg("skcipher", "cbc(aes)", 0, 0)) < 0) {
        skt_close(s);
        SKIP("%s", skt_strerror());
    }
    CHECK_INT(skt_setsockopt(s, SOL_ALG, ALG_SET_KEY, key, 16), 0);
    skt *op = skt_accept(s, NULL);
    CHECK(op != NULL);
    CHECK_INT(skt_sendmsg_afalg(op, iov, 2, ALG_OP_ENCRYPT, iv, 16, -1, 0), 16);
    CHECK_INT(skt_recv(op, out, 16, 0), 16);
    CHECK(!memcmp(out, expected, 16));
    CHECK_INT(skt_close(op), 0);
    CHECK_INT(skt_close(s), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        /* where the kernel waits, and it never does for a task */
        { "MSG_WAITALL in a program without threads", waitall_alone, ON_THREAD },
        { "MSG_WAITALL with a timeout takes what is there", waitall_with_a_timeout },
        { "recvmsg gives data in pieces, items, flags and the sender", pieces_items_flags_and_address },
        { "as many pieces as there can be", as_many_pieces_as_there_can_be },
        { "a datagram that is too long: MSG_TRUNC, and MSG_PEEK before", too_long_for_the_pieces },
        { "no pieces at all take a datagram too", no_pieces_at_all },
        { "the kernel's flags are passed on: MSG_EOR", end_of_record },
        { "the name of a message begins as AF_UNSPEC", name_begins_as_unspec },
        { "waiting, EAGAIN and timeouts", waiting },
        { "sendmsg takes pieces and items, and padding is zero", pieces_and_items_are_sent },
        { "no room for an item", put_without_room },
        { "items that are malformed: the part is kept", malformed_items },
        { "and items that the kernel cuts", items_that_are_cut },
        { "descriptors are passed, and close-on-exec", rights },
        { "descriptors that nobody takes are closed", rights_that_nobody_takes },
        { "and descriptors without room", rights_without_room },
        { "253 descriptors and no more", too_many_rights },
        { "recv_fds drops odd bytes and obeys its flags", fds_and_flags },
        { "recv_fds closes what does not fit", fds_that_do_not_fit },
        { "send_fds refuses what is not AF_UNIX", fds_over_udp },
        { "credentials", credentials },
        { "credentials beside descriptors", credentials_beside_descriptors },
        { "IP_PKTINFO: where it came to, and where it is to come from", pktinfo },
        { "IPV6_PKTINFO, both ways", pktinfo6 },
        { "IP_TTL, both ways", ttl },
        { "IPV6_HOPLIMIT, both ways", hoplimit },
        { "SO_TIMESTAMP", microseconds },
        { "SO_TIMESTAMPNS", nanoseconds },
        { "SO_TIMESTAMPING, the kernel's time", software_timestamps },
        { "SO_TIMESTAMPING, the hardware's time first", hardware_timestamps },
        { "MSG_ERRQUEUE never waits", error_queue },
        { "and finds no errors though there is data, which is not lost", error_queue_beside_data },
        { "sendmsg_afalg's items and refusals", afalg_items },
        { "sendmsg_afalg: cbc(aes)", afalg_cipher },
    };
    return RUN_CASES(cases);
}
