/* skt.h - Python's socket for C.
 *
 * The calls have the names, the arguments and the meaning of Python's socket
 * module (https://docs.python.org/3/library/socket.html), prefixed with skt_;
 * constants are the system's own.  What holds for every call:
 *
 *   Results   0 or a count on success, -1 or NULL on failure, with errno set
 *             and a record of what failed, which skt_strerror() makes into a
 *             sentence.  Success leaves errno and the record alone.
 *   NULL      A NULL socket makes a call fail and leaves errno and the record
 *             as they are, so that the first failure of a chain is the one
 *             that is reported.
 *   Closed    A call on a closed socket fails with EBADF.  The memory of a
 *             handle is never given back to the system, but is used again for
 *             a later socket, so this holds for a while, not for ever.
 *   Time      A socket has a timeout (skt_settimeout).  Each call turns it
 *             into one deadline on the monotonic clock and everything inside
 *             the call, names included, keeps to that one.  Our own timeout is
 *             errno ETIMEDOUT with the record's domain SKT_ERROR_TIMEOUT; the
 *             kernel's ETIMEDOUT has the domain SKT_ERROR_SYSTEM.
 *   Signals   A call that a signal interrupts goes on with what is left of its
 *             time (PEP 475; see skt_on_interrupt).  No call raises SIGPIPE.
 *   Threads   Any call may be made from any thread.  skt_close makes calls that
 *             other threads are waiting in fail with EBADF.
 *   Exec      Every descriptor made here is close-on-exec (PEP 446).
 *   Lengths   A length above SSIZE_MAX (a negative number, mostly) is EINVAL.
 *
 * The library never prints, never exits (skt_die apart) and installs no signal
 * handler.
 */
#ifndef SKT_H
#define SKT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SKT_API __attribute__((visibility("default")))
#else
#define SKT_API
#endif

#define SKT_VERSION "0.1.0"

/* Passed to and returned by the calls that deal in seconds: wait for ever. */
#define SKT_NO_TIMEOUT (-1.0)

/* A socket.  Made by skt_socket and its like, given up by skt_close. */
typedef struct skt skt;

/* ---- Addresses --------------------------------------------------------- */

/* An address: what Python writes as a tuple.  A value: build it in place, copy
 * it freely, nothing to free.  Building one cannot fail and looks nothing up:
 * a name is resolved, and a mistake (a port of 70000, a path too long) is
 * reported, by the call that uses the address.
 *
 *   family  how the rest is read; AF_UNSPEC: a name of no family yet
 *   proto   the protocol, where the family has several forms (Bluetooth, CAN)
 *   kind    the library's own: what is inside, or what was wrong with it
 *   len     bytes of the sockaddr in `as`, 0 while there is none
 *   text    a host or interface name still to be looked up, or what
 *           skt_host() made of the sockaddr
 */
typedef struct skt_addr {
    int family;
    int proto;
    uint16_t kind;
    uint16_t port;
    uint32_t text_state;
    uint32_t scope_id;
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in inet;
        struct sockaddr_in6 inet6;
        struct sockaddr_un unix_;
        struct sockaddr_storage storage;
    } as;
    char text[256];
} skt_addr;

/* Bytes that are enough for the text of any address, its NUL included. */
#define SKT_ADDR_TEXT_MAX 512

/* AF_INET.  host: a name, digits, "" for every address of this machine or
 * "<broadcast>".  port: 0 to 65535. */
SKT_API skt_addr skt_inet(const char *host, int port);

/* AF_INET6.  flowinfo: at most 0xfffff.  A zone may stand in host
 * ("fe80::1%eth0") or as a number in scope_id. */
SKT_API skt_addr skt_inet6(const char *host, int port, uint32_t flowinfo, uint32_t scope_id);

/* A host and port of no family yet: digits decide it, a name takes the family
 * of the socket that it is used with, as Python's tuple does. */
SKT_API skt_addr skt_name(const char *host, int port);

/* AF_UNIX by path, which must leave room for its NUL (ENAMETOOLONG: at most
 * 107 bytes).  "": the unnamed address; to bind it is to let the kernel choose
 * an abstract name. */
SKT_API skt_addr skt_unix(const char *path);

/* AF_UNIX by abstract name (unix(7)): len bytes, at most 107, which may hold
 * NULs.  The NUL that Python puts before them is not written here.  len 0 is
 * skt_unix(""). */
SKT_API skt_addr skt_abstract(const void *name, size_t len);

/* AF_NETLINK (netlink(7)).  pid 0: the kernel, or on bind its choice. */
SKT_API skt_addr skt_netlink(uint32_t pid, uint32_t groups);

/* AF_PACKET (packet(7)).  proto is an ETH_P_ number in host order, address a
 * hardware address of at most 8 bytes.  ifname "": every interface. */
SKT_API skt_addr skt_packet(const char *ifname, int proto, int pkttype, int hatype, const void *address, size_t len);

/* AF_VSOCK (vsock(7)): VMADDR_CID_ANY and VMADDR_PORT_ANY are (uint32_t)-1. */
SKT_API skt_addr skt_vsock(uint32_t cid, uint32_t port);

/* AF_TIPC.  type: TIPC_ADDR_NAME (v1 type, v2 instance, v3 domain),
 * TIPC_ADDR_NAMESEQ or TIPC_ADDR_MCAST (v1 type, v2 lower, v3 upper), or TIPC_ADDR_ID
 * (v1 node, v2 reference, v3 unused).  scope: Python's default is
 * TIPC_CLUSTER_SCOPE. */
SKT_API skt_addr skt_tipc(int type, uint32_t v1, uint32_t v2, uint32_t v3, int scope);

/* AF_CAN, for CAN_RAW and CAN_BCM.  ifname "": every interface. */
SKT_API skt_addr skt_can(const char *ifname);

/* AF_CAN, for CAN_ISOTP: identifiers as the kernel has them (CAN_EFF_FLAG ...). */
SKT_API skt_addr skt_can_isotp(const char *ifname, uint32_t rx_id, uint32_t tx_id);

/* AF_CAN, for CAN_J1939. */
SKT_API skt_addr skt_can_j1939(const char *ifname, uint64_t name, uint32_t pgn, uint8_t address);

/* AF_BLUETOOTH; bdaddr as "01:23:45:67:89:ab".  L2CAP: psm and cid in host
 * order, type BDADDR_BREDR (0), BDADDR_LE_PUBLIC (1) or BDADDR_LE_RANDOM (2). */
SKT_API skt_addr skt_l2cap(const char *bdaddr, uint16_t psm, uint16_t cid, uint8_t type);
SKT_API skt_addr skt_rfcomm(const char *bdaddr, uint8_t channel);
SKT_API skt_addr skt_hci(uint16_t device, uint16_t channel);
SKT_API skt_addr skt_sco(const char *bdaddr);

/* AF_ALG, the kernel's cryptography: skt_alg("hash", "sha256", 0, 0).  type is
 * at most 13 bytes and name at most 63. */
SKT_API skt_addr skt_alg(const char *type, const char *name, uint32_t feat, uint32_t mask);

/* AF_QIPCRTR. */
SKT_API skt_addr skt_qipcrtr(uint32_t node, uint32_t port);

/* Anything else: a copy of len bytes, at most sizeof(struct sockaddr_storage).
 * (AF_RDS takes skt_inet.) */
SKT_API skt_addr skt_sockaddr(const struct sockaddr *sa, socklen_t len);

/* From text, in the form that skt_addr_text writes:
 *
 *   127.0.0.1:80  example.org:80  [::1]:80  [fe80::1%eth0]:80
 *   unix:/path  unix-abstract:name  (%41 stands for a byte)
 *   vsock:2,1234  netlink:0,1  packet:eth0,0x0800,0,1,0123456789ab
 *   tipc:3,18888,17,0,2  can:vcan0  can-isotp:vcan0,0x123,0x456
 *   can-j1939:vcan0,0,0x1ef00,32  l2cap:01:23:45:67:89:ab,25,0,0
 *   rfcomm:01:23:45:67:89:ab,3  hci:0,1  sco:01:23:45:67:89:ab
 *   alg:hash,sha256,0,0  qipcrtr:1,2
 *
 * that is, the family's name and Python's tuple; numbers at the end that are 0
 * may be left out, and numbers may be hexadecimal (0x). */
SKT_API skt_addr skt_addr_parse(const char *text);

/* The host: "127.0.0.1", "::1", the name that was given, the path or abstract
 * name, the interface; "" where there is none.  Points into *a, whose text it
 * makes at the first request (the one thing that a const address may change). */
SKT_API const char *skt_host(const skt_addr *a);

/* The port, 0 to 65535 (for AF_VSOCK and AF_QIPCRTR see skt_addr_sockaddr), or -1 where the family
 * has none. */
SKT_API int skt_port(const skt_addr *a);

/* Writes the address as text into buf, cut to len bytes with the NUL, and
 * returns buf; NULL where buf is NULL or len 0. */
SKT_API char *skt_addr_text(const skt_addr *a, char *buf, size_t len);

/* The sockaddr inside, for other libraries, and its length; NULL while the
 * address is a name, or where it was built wrongly. */
SKT_API const struct sockaddr *skt_addr_sockaddr(const skt_addr *a, socklen_t *len);

/* Whether two addresses are the same, names by their letters. */
SKT_API bool skt_addr_equal(const skt_addr *a, const skt_addr *b);

/* ---- Making and ending sockets ------------------------------------------ */

/* socket.socket(family, type, proto).  type may have SOCK_NONBLOCK (the same as
 * skt_setblocking(s, false)) and SOCK_CLOEXEC (always set).  proto 0: the
 * family's own.  The timeout is the default one (skt_setdefaulttimeout). */
SKT_API skt *skt_socket(int family, int type, int proto);

/* socket.socket(fileno=fd).  Adopts fd: skt_close closes it.  Family, type and
 * protocol are the kernel's answers; a non-blocking descriptor gets timeout 0
 * (Python's would say None and fail with EAGAIN).  On failure fd stays yours:
 * EBADF, ENOTSOCK. */
SKT_API skt *skt_fromfd(int fd);

/* socket.socketpair().  family 0 is AF_UNIX, type 0 SOCK_STREAM. */
SKT_API int skt_socketpair(int family, int type, int proto, skt *pair[2]);

/* Another socket for the same connection, with the same timeout. */
SKT_API skt *skt_dup(skt *s);

/* Gives up s.  Calls that are waiting in it fail with EBADF; the descriptor is
 * closed when the last of them has left and every FILE of skt_makefile is
 * closed.  NULL: nothing happens, 0.  A second close is EBADF. ECONNRESET is
 * not an error here, and EINTR is not retried (close(2)). */
SKT_API int skt_close(skt *s);

/* Gives up s without closing: returns the descriptor, yours from now on, in
 * the mode (blocking or not) that it had. */
SKT_API int skt_detach(skt *s);

/* The descriptor, or -1.  It stays the socket's; it is blocking exactly when the
 * socket has no timeout, except while a call that has no non-blocking form
 * (accept, connect, sendfile) waits in it. */
SKT_API int skt_fileno(skt *s);

/* What the socket was made with; type without SOCK_NONBLOCK and SOCK_CLOEXEC. */
SKT_API int skt_family(skt *s);
SKT_API int skt_type(skt *s);
SKT_API int skt_proto(skt *s);

/* Python's repr(): "<skt fd=3, family=AF_INET, type=SOCK_STREAM, proto=6,
 * laddr=127.0.0.1:8080, raddr=...>", cut to len bytes.  Returns buf. */
SKT_API char *skt_repr(skt *s, char *buf, size_t len);

/* Whether a program that is exec'ed inherits the descriptor: 1, 0 or -1. */
SKT_API int skt_get_inheritable(skt *s);
SKT_API int skt_set_inheritable(skt *s, bool inheritable);

/* ---- Servers and clients ------------------------------------------------- */

/* EADDRINUSE: skt_strerror() names who holds the address, where /proc tells. */
SKT_API int skt_bind(skt *s, skt_addr addr);

/* backlog < 0: Python's default, 128 or SOMAXCONN if that is less. */
SKT_API int skt_listen(skt *s, int backlog);

/* Waits for a connection.  The new socket has the default timeout, as in Python:
 * what a listener waits for is not what a connection waits for.  peer may be
 * NULL. */
SKT_API skt *skt_accept(skt *s, skt_addr *peer);

/* Resolves a name to its first address of the socket's family and connects.
 * With timeout 0: EINPROGRESS.  A connection to itself, which TCP allows, is
 * the caller's to notice. */
SKT_API int skt_connect(skt *s, skt_addr addr);

/* The same, with errno as its result and 0 for success; our own timeout is
 * EAGAIN, as in Python.  (Python raises for a name that does not resolve; this
 * returns EHOSTUNREACH.) */
SKT_API int skt_connect_ex(skt *s, skt_addr addr);

/* Connects to the first address of host that answers: names of both IP
 * families, interleaved, 250 ms apart (RFC 8305, Happy Eyeballs), all within
 * timeout seconds, which then is the socket's timeout.  (Python tries one after
 * the other, each with the whole timeout, and names without any.)
 * skt_attempt() tells how each address failed. */
SKT_API skt *skt_create_connection(const char *host, int port, double timeout);

/* The same from a source address (port 0: any), bound before connecting;
 * addresses of another family than its are not tried. */
SKT_API skt *skt_create_connection_from(const char *host, int port, double timeout, skt_addr source);

/* socket.create_server(); zeros are Python's defaults. */
typedef struct skt_server_options {
    int backlog;           /* 0 or less: skt_listen's default */
    bool reuse_port;       /* SO_REUSEPORT; AF_INET and AF_INET6 only (EINVAL) */
    bool dualstack_ipv6;   /* AF_INET6: serve IPv4 too */
    bool no_reuse_address; /* do not set SO_REUSEADDR */
} skt_server_options;

/* A listening stream socket, bound to addr.  An IPv6 one serves IPv6 only
 * unless told otherwise. */
SKT_API skt *skt_create_server(skt_addr addr, const skt_server_options *options);

/* Whether one socket can serve IPv4 and IPv6. */
SKT_API bool skt_has_dualstack_ipv6(void);

/* how: SHUT_RD, SHUT_WR or SHUT_RDWR. */
SKT_API int skt_shutdown(skt *s, int how);

SKT_API int skt_getpeername(skt *s, skt_addr *addr);
SKT_API int skt_getsockname(skt *s, skt_addr *addr);

/* ---- Data ----------------------------------------------------------------- */

/* At most len bytes; 0: the peer has ended.  len 0 is 0 without a system call.
 * flags: MSG_PEEK, MSG_WAITALL (a stream: all of len, less only at its end, at
 * an error or when time is up), MSG_DONTWAIT (EAGAIN instead of waiting), MSG_OOB ... */
SKT_API ssize_t skt_recv(skt *s, void *buf, size_t len, int flags);

/* The same, with the sender's address; from may be NULL.  len 0 does call. */
SKT_API ssize_t skt_recvfrom(skt *s, void *buf, size_t len, int flags, skt_addr *from);

/* Sends what fits, at least one byte: the count may be less than len. */
SKT_API ssize_t skt_send(skt *s, const void *buf, size_t len, int flags);

/* Sends all, in one timeout.  On failure skt_error_record()->done says how many
 * bytes went (Python cannot tell). */
SKT_API int skt_sendall(skt *s, const void *buf, size_t len, int flags);

/* One datagram to an address. */
SKT_API ssize_t skt_sendto(skt *s, const void *buf, size_t len, int flags, skt_addr to);

/* Sends count bytes of a file from offset on (count 0: all there are, Python's
 * None) through a stream socket, within the kernel where it can, and returns
 * how many; the file may end before count.  One timeout for all.  On failure
 * see skt_error_record()->done.  The file's own position is not used or moved
 * (Python's is). EINVAL: not a stream, or a socket of timeout 0. */
SKT_API ssize_t skt_sendfile(skt *s, int fd, off_t offset, size_t count);

/* A FILE on the connection; mode "r", "w" or "rw", with or without "b" (there is
 * no text mode to tell apart).  It keeps the connection open after skt_close,
 * and fclose does not close s.  "r" and "w" are fully buffered (setvbuf);
 * "rw" buffers what it reads, and sends what is written at once, so that
 * reading and writing may alternate without fseek.  It waits for as long as the
 * socket's timeout lets it; after reading has timed out once, reading fails for
 * good (EIO, "cannot read from timed out object"), since stdio cannot tell
 * what it has lost.  In a non-blocking socket's FILE, EAGAIN is an error. */
SKT_API FILE *skt_makefile(skt *s, const char *mode);

/* ---- Messages with ancillary data ------------------------------------------ */

/* One message of skt_sendmsg and skt_recvmsg.  Everything pointed to is the
 * caller's. */
typedef struct skt_msg {
    struct iovec *iov;  /* the data, in as many pieces as ... */
    size_t iovlen;      /* ... these, at most IOV_MAX (1024) */
    void *control;      /* ancillary data; aligned as struct cmsghdr is */
    size_t controlsize; /* bytes there are at control */
    size_t controllen;  /* bytes used: sendmsg reads it, recvmsg sets it */
    skt_addr *addr;     /* sendmsg: the target; recvmsg: set to the sender; may be NULL */
    int flags;          /* recvmsg sets it: MSG_TRUNC, MSG_CTRUNC, MSG_EOR ... */
} skt_msg;

/* Bytes of control that hold a payload of n bytes; put it in an array declared
 * with _Alignas(struct cmsghdr). */
#define SKT_CONTROL_SPACE(n) CMSG_SPACE(n)

/* One item of ancillary data, found by skt_next_cmsg. */
typedef struct skt_cmsg {
    int level, type;  /* SOL_SOCKET and SCM_RIGHTS, for instance */
    const void *data; /* inside the message's control */
    size_t len;       /* bytes at data */
    bool truncated;   /* it was longer (Python warns and keeps the part too) */
    size_t next;      /* for skt_next_cmsg: start with 0 */
} skt_cmsg;

/* Receives one message.  Descriptors that come with it are close-on-exec (Python's
 * are not).  MSG_ERRQUEUE never waits.  MSG_WAITALL is the kernel's. */
SKT_API ssize_t skt_recvmsg(skt *s, skt_msg *msg, int flags);
SKT_API ssize_t skt_sendmsg(skt *s, const skt_msg *msg, int flags);

/* Steps through ancillary data: false after the last item, or where the rest
 * is no item (a length that is too small). */
SKT_API bool skt_next_cmsg(const skt_msg *msg, skt_cmsg *item);

/* Adds an item of ancillary data of any kind: len bytes at data.  EMSGSIZE: no
 * room left in control. */
SKT_API int skt_put_cmsg(skt_msg *msg, int level, int type, const void *data, size_t len);

/* SCM_RIGHTS: n descriptors to pass (unix(7)); they stay yours. */
SKT_API int skt_put_rights(skt_msg *msg, const int *fds, size_t n);

/* Takes the descriptors that came, yours from now on, and returns how many
 * they were; those above max are closed. */
SKT_API ssize_t skt_get_rights(const skt_msg *msg, int *fds, size_t max);

/* Closes every descriptor that came with a message. */
SKT_API void skt_close_rights(const skt_msg *msg);

/* SCM_CREDENTIALS: who sent it (set SO_PASSCRED to receive them). */
typedef struct skt_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} skt_credentials;
SKT_API int skt_put_credentials(skt_msg *msg, skt_credentials who);

/* These return 0 and set their arguments, or -1 with ENOMSG where the message
 * has no such item. */
SKT_API int skt_get_credentials(const skt_msg *msg, skt_credentials *who);

/* IP_PKTINFO, IPV6_PKTINFO: the local address that a datagram came to or is to
 * leave by, and the index of the interface (0: any).  The family of local says
 * which of the two it is; its port is 0. */
SKT_API int skt_put_pktinfo(skt_msg *msg, const skt_addr *local, unsigned ifindex);
SKT_API int skt_get_pktinfo(const skt_msg *msg, skt_addr *local, unsigned *ifindex);

/* IP_TTL, IPV6_HOPLIMIT: hops 0 to 255; family AF_INET or AF_INET6. */
SKT_API int skt_put_hoplimit(skt_msg *msg, int family, int hops);
SKT_API int skt_get_hoplimit(const skt_msg *msg, int *hops);

/* When it came: SO_TIMESTAMPNS, SO_TIMESTAMP or SO_TIMESTAMPING (hardware time
 * first where there is one). */
SKT_API int skt_get_timestamp(const skt_msg *msg, struct timespec *when);

/* socket.send_fds(): data and nfds descriptors. len at least 1: a stream passes
 * none without data. */
SKT_API ssize_t skt_send_fds(skt *s, const void *buf, size_t len, const int *fds, size_t nfds, int flags);

/* socket.recv_fds(): *nfds is the room in fds and becomes the number received;
 * what does not fit is closed and shows as MSG_CTRUNC in *msg_flags (may be
 * NULL). */
SKT_API ssize_t skt_recv_fds(skt *s, void *buf, size_t len, int *fds, size_t *nfds, int flags, int *msg_flags);

/* AF_ALG: op ALG_OP_ENCRYPT or ALG_OP_DECRYPT; iv and assoclen as the algorithm has them
 * (ivlen 0: none; assoclen -1: none). */
SKT_API ssize_t skt_sendmsg_afalg(skt *s, const struct iovec *iov, size_t iovlen, int op, const void *iv, size_t ivlen,
                                  int assoclen, int flags);

/* ---- Datagrams in batches (Python has none) ---------------------------------- */

/* One datagram of a batch. */
typedef struct skt_datagram {
    void *data;
    size_t len;
    skt_addr *addr; /* the target, or where to put the sender; may be NULL */
    int flags;      /* received: MSG_TRUNC if it was longer */
} skt_datagram;

/* With UDP_GRO set, the kernel may hand over so many datagrams in one piece. */
#define SKT_GRO_MAX 128

/* Sends n datagrams in as few system calls as there can be: sendmmsg(2), and for
 * runs to one target and of one length UDP_SEGMENT (udp(7)); without those one
 * by one.  Each arrives as it is here.  Waits, within one timeout, until all are
 * sent.  Returns how many were, with the record saying why where that is less than
 * n, or -1 where not even the first was. */
SKT_API ssize_t skt_sendmmsg(skt *s, const skt_datagram *d, size_t n, int flags);

/* Waits for the first and takes all that are there, at most n.  They are put
 * into buf, size bytes: d[i].data points there, d[i].len says how long each is.
 * Each has room for size / n bytes. With UDP_GRO set (skt_setsockopt_int), which gives more
 * in a system call, n is at least SKT_GRO_MAX and size at least 65536 (EINVAL). Set d[i].addr
 * beforehand. */
SKT_API ssize_t skt_recvmmsg(skt *s, skt_datagram *d, size_t n, void *buf, size_t size, int flags);

/* ---- Options and time ----------------------------------------------------------- */

/* setsockopt(2).  value may be NULL where the option wants that.  SO_RCVTIMEO and SO_SNDTIMEO
 * are the kernel's and bind no call here; use skt_settimeout. */
SKT_API int skt_setsockopt(skt *s, int level, int name, const void *value, socklen_t len);
SKT_API int skt_getsockopt(skt *s, int level, int name, void *value, socklen_t *len);

/* For options that are an int (with AF_VSOCK, at its own level, a 64-bit number,
 * as in Python). */
SKT_API int skt_setsockopt_int(skt *s, int level, int name, int value);
SKT_API int skt_getsockopt_int(skt *s, int level, int name, int *value);

/* Seconds for each call; 0: fail at once with EAGAIN; SKT_NO_TIMEOUT: wait for
 * ever.  EINVAL: any other negative value, NaN, more than 9e9. */
SKT_API int skt_settimeout(skt *s, double seconds);

/* The timeout, or SKT_NO_TIMEOUT; NaN for a socket that is NULL or closed. */
SKT_API double skt_gettimeout(skt *s);

/* true is skt_settimeout(s, SKT_NO_TIMEOUT), false skt_settimeout(s, 0). */
SKT_API int skt_setblocking(skt *s, bool blocking);
/* Whether the timeout is not 0. */
SKT_API bool skt_getblocking(skt *s);

/* The timeout of sockets to come; SKT_NO_TIMEOUT at first. */
SKT_API int skt_setdefaulttimeout(double seconds);
SKT_API double skt_getdefaulttimeout(void);

/* hook is called, in the thread concerned, whenever a signal interrupted one
 * of its calls (EINTR): 0 goes on, another value makes the call fail with
 * EINTR.  One for the process; NULL: none.  Python's module runs its signal
 * handlers there. */
SKT_API void skt_on_interrupt(int (*hook)(void *arg), void *arg);

/* ---- Names ----------------------------------------------------------------------- */

/* Each takes as long as timeout seconds at most (SKT_NO_TIMEOUT: as the system's
 * resolver likes).  The error's domain is SKT_ERROR_NAME, its code EAI_..., errno EHOSTUNREACH;
 * EAI_SYSTEM is turned into the plain system error.  Names that are not ASCII
 * are encoded by the C library's IDNA where it has that. */

/* One row of what getaddrinfo found. */
typedef struct skt_addrinfo {
    int family, type, proto;
    char *canonname; /* "" unless AI_CANONNAME was asked for */
    skt_addr addr;
} skt_addrinfo;

/* socket.getaddrinfo(): returns the number of rows, and the rows in *list,
 * to be freed with skt_freeaddrinfo.  host NULL: this machine.  service: "80",
 * "http" or NULL.  family, type, proto 0: any.  flags: AI_... */
SKT_API ssize_t skt_getaddrinfo(const char *host, const char *service, int family, int type, int proto, int flags,
                                double timeout, skt_addrinfo **list);
SKT_API void skt_freeaddrinfo(skt_addrinfo *list);

/* socket.getnameinfo(): the names of a numeric address.  host or service may be
 * NULL with a length of 0.  flags: NI_... */
SKT_API int skt_getnameinfo(skt_addr addr, int flags, char *host, size_t hostlen, char *service, size_t servicelen,
                            double timeout);

/* What socket.gethostbyname_ex() and gethostbyaddr() return.  The lists end with
 * NULL.  skt_freehostent frees it all. */
typedef struct skt_hostent {
    char *name;
    char **aliases;
    char **addresses; /* as text */
} skt_hostent;

/* The IPv4 address of a name, as text in buf (16 bytes).  Returns buf or NULL. */
SKT_API char *skt_gethostbyname(const char *name, char *buf, size_t len, double timeout);
SKT_API skt_hostent *skt_gethostbyname_ex(const char *name, double timeout);
SKT_API skt_hostent *skt_gethostbyaddr(const char *address, double timeout);
SKT_API void skt_freehostent(skt_hostent *host);

/* The machine's name.  ENAMETOOLONG: buf is too small. */
SKT_API int skt_gethostname(char *buf, size_t len);
SKT_API int skt_sethostname(const char *name);

/* socket.getfqdn(): the name with its domain, or the best there is.  name NULL,
 * "", "0.0.0.0", "::": this machine. */
SKT_API int skt_getfqdn(const char *name, char *buf, size_t len, double timeout);

/* A service's port (host order), or -1 with ENOENT.  proto: "tcp", "udp", or
 * NULL for any. */
SKT_API int skt_getservbyname(const char *name, const char *proto);
SKT_API int skt_getservbyport(int port, const char *proto, char *buf, size_t len);
/* A protocol's number, or -1 with ENOENT. */
SKT_API int skt_getprotobyname(const char *name);

/* inet_aton is permissive ("127.1"), inet_pton strict.  Packed addresses are in
 * network order: 4 bytes, or 16 with AF_INET6.  0, or -1 with EINVAL: unlike the
 * C library's, which return 1 and 0.  htons and its like are the C library's;
 * so are CMSG_LEN and CMSG_SPACE. */
SKT_API int skt_inet_aton(const char *text, struct in_addr *packed);
SKT_API char *skt_inet_ntoa(struct in_addr packed, char *buf, size_t len);
SKT_API int skt_inet_pton(int family, const char *text, void *packed);
SKT_API char *skt_inet_ntop(int family, const void *packed, size_t packedlen, char *buf, size_t len);

/* Interfaces: netdevice(7).  The list ends with index 0; free it with
 * skt_freenameindex.  0 and -1 with ENODEV, ENXIO for what is not there. */
typedef struct skt_interface {
    unsigned index;
    char name[16];
} skt_interface;
SKT_API skt_interface *skt_if_nameindex(void);
SKT_API void skt_freenameindex(skt_interface *list);
SKT_API unsigned skt_if_nametoindex(const char *name);
SKT_API int skt_if_indextoname(unsigned index, char *buf, size_t len);

/* ---- Errors ------------------------------------------------------------------------ */

typedef enum skt_error_domain {
    SKT_ERROR_NONE,     /* nothing has failed yet */
    SKT_ERROR_SYSTEM,   /* code is errno */
    SKT_ERROR_NAME,     /* code is EAI_...: getaddrinfo, getnameinfo */
    SKT_ERROR_HOST,     /* code is HOST_NOT_FOUND ...: gethostbyaddr and _ex (Python's herror) */
    SKT_ERROR_TIMEOUT,  /* our own timeout; code is ETIMEDOUT */
    SKT_ERROR_ARGUMENT, /* refused before the system was asked; code is errno */
} skt_error_domain;

/* What failed last in this thread. */
typedef struct skt_error {
    skt_error_domain domain;
    int code;
    const char *call; /* "connect"; static */
    bool has_addr;    /* whether addr is set */
    skt_addr addr;    /* the address that was used, or the peer's */
    char name[256];   /* the name it was looked up by, or "" */
    char detail[160]; /* more, in words, or "" */
    size_t done;      /* sendall, sendfile: bytes that went before */
    size_t attempts;  /* connection attempts that failed, for skt_attempt */
} skt_error;

/* The record; never NULL, valid in this thread until its next failure. */
SKT_API const skt_error *skt_error_record(void);

/* How the i-th address that was tried failed: its errno, with *addr (may be NULL)
 * set; 0 where there is no such attempt.  The first 16 are kept. */
SKT_API int skt_attempt(size_t i, skt_addr *addr);

/* Whether the last failure was our own timeout. */
SKT_API bool skt_timed_out(void);

/* The record as a sentence: "connect example.org (93.184.216.34:81): Connection
 * refused".  Valid in this thread until its next skt_strerror(). */
SKT_API const char *skt_strerror(void);

/* Prints "who: sentence" to standard error and exits with 1. */
SKT_API
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void skt_die(const char *who);

#ifdef __cplusplus
}
#endif

#endif
