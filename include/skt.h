/* skt.h - Python's socket for C.
 *
 *     skt *s = skt_create_connection("example.org", 80, 10.0);
 *     if (skt_sendall(s, "HEAD / HTTP/1.0\r\n\r\n", 19, 0) < 0)
 *         skt_die("head");     // head: connect example.org (93.184.216.34:80): timed out
 *
 * The calls have the names, the arguments and the meaning of Python's socket
 * module (https://docs.python.org/3/library/socket.html), prefixed with skt_;
 * constants (AF_INET, SO_REUSEADDR ...) are the system's own.  Where C differs
 * from Python the comment says so.  The manual (man 3 skt) has an example for
 * each subject.  What holds for every call:
 *
 *   Results   0 or a count on success; -1 or NULL on failure, with errno set
 *             and a record of what failed, which skt_strerror() makes into a
 *             sentence.  Look at errno only after a failure: a success may
 *             change it (the record it leaves alone).
 *   NULL      A NULL socket makes a call fail and leaves errno and the record
 *             as they are.  So a chain of calls may be checked once, at its
 *             end (as above), and the first failure is the one reported.
 *   Closed    A call on a closed socket fails with EBADF.  (The memory of a
 *             handle is used again for a later socket, the one that has been
 *             closed for longest first: do not count on EBADF for ever.)
 *   Time      A socket has a timeout (skt_settimeout).  Each call turns it
 *             into one deadline on the monotonic clock, and everything inside
 *             the call, names included, keeps to that one.  Our own timeout is
 *             errno ETIMEDOUT and skt_timed_out(); the kernel's ETIMEDOUT (a
 *             peer that answers no more) is not skt_timed_out().
 *   Signals   A call that a signal interrupts goes on with what is left of its
 *             time (PEP 475; see skt_on_interrupt).  No call raises SIGPIPE:
 *             a peer that is gone is EPIPE.
 *   Threads   Any call may be made from any thread (but see skt_group).  skt_close
 *             makes calls that other threads or tasks are waiting in fail with
 *             EBADF.
 *   Exec      Every descriptor made here is close-on-exec (PEP 446).
 *   Mistakes  NULL where something is needed is EFAULT; a port of 70000, a length
 *             above SSIZE_MAX (mostly a negative number) and their like are EINVAL;
 *             a buffer too small for a text is ENAMETOOLONG (inet_ntop: ENOSPC).
 *             The sentence says what was wrong.
 *
 * The library prints nothing, ends no program and installs no signal handler,
 * but for skt_die; skt_serve, for SIGTERM, SIGINT and its log; skt_dump and
 * skt_dump_on_signal; and while tasks run SIGSEGV, so that one that outgrows its
 * stack ends the program with a sentence that names it.
 */
#ifndef SKT_H
#define SKT_H

#include <netinet/in.h>
#include <poll.h>
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

/* For every call that takes or returns seconds: wait for ever (Python's None). */
#define SKT_NO_TIMEOUT (-1.0)

/* A socket: made by skt_socket and its like, ended by skt_close. */
typedef struct skt skt;

/* ---- Addresses --------------------------------------------------------- */

/* An address: what Python writes as a tuple.  It is a value: build it in place,
 * skt_connect(s, skt_inet("example.org", 80)), copy it freely; there is nothing
 * to free.  Building one cannot fail and looks nothing up: the call that uses the
 * address resolves the name, and reports the mistake (a port of 70000, a path too
 * long).  Read one with skt_host, skt_port, skt_addr_text and skt_addr_sockaddr;
 * of its members only family is for programs:
 *
 *   family      AF_INET ...; AF_UNSPEC: a name of no family yet, or nothing at all
 *   proto       the protocol, where the family has several forms (Bluetooth, CAN)
 *   kind        what is inside, or that it was built wrongly
 *   port        IP's, in host order
 *   text_state  whether skt_host() has made the text
 *   scope_id    the errno of an address that was built wrongly
 *   len         bytes of the sockaddr in `as`; 0 while there is none
 *   as          the sockaddr
 *   text        a host or interface name still to be looked up, what skt_host()
 *               made of the sockaddr, or what was wrong
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

/* AF_INET.  host: a name, digits ("127.0.0.1"), "" for every address of this
 * machine, or "<broadcast>".  port: 0 to 65535; to bind 0 is to let the kernel choose. */
SKT_API skt_addr skt_inet(const char *host, int port);

/* AF_INET6, likewise.  flowinfo: at most 0xfffff, mostly 0.  The zone of a link-local
 * address stands in host ("fe80::1%eth0") or, as an interface's index, in scope_id. */
SKT_API skt_addr skt_inet6(const char *host, int port, uint32_t flowinfo, uint32_t scope_id);

/* A host and port of no family yet: digits decide it; a name, and "", takes the
 * family of the socket that it is used with, as Python's tuple does. */
SKT_API skt_addr skt_name(const char *host, int port);

/* AF_UNIX by path, of at most 107 bytes (else ENAMETOOLONG).  "": the unnamed
 * address; to bind it is to let the kernel choose an abstract name. */
SKT_API skt_addr skt_unix(const char *path);

/* AF_UNIX by abstract name, which is no file (unix(7)): len bytes, at most 107,
 * NULs among them too.  The NUL that Python's begins with is not part of name here.
 * len 0 is skt_unix(""). */
SKT_API skt_addr skt_abstract(const void *name, size_t len);

/* AF_NETLINK (netlink(7)).  pid 0: the kernel, or on bind its choice. */
SKT_API skt_addr skt_netlink(uint32_t pid, uint32_t groups);

/* AF_PACKET (packet(7)).  proto is an ETH_P_ number in host order (Python's too),
 * address a hardware address of len bytes, at most 8.  ifname "": every interface;
 * "#3": the interface of index 3. */
SKT_API skt_addr skt_packet(const char *ifname, int proto, int pkttype, int hatype, const void *address, size_t len);

/* AF_VSOCK (vsock(7)): VMADDR_CID_ANY and VMADDR_PORT_ANY are (uint32_t)-1. */
SKT_API skt_addr skt_vsock(uint32_t cid, uint32_t port);

/* AF_TIPC.  type says what the others are:
 *
 *   TIPC_ADDR_NAME                     v1 type, v2 instance, v3 domain
 *   TIPC_ADDR_NAMESEQ, TIPC_ADDR_MCAST v1 type, v2 lower, v3 upper
 *   TIPC_ADDR_ID                       v1 node, v2 reference, v3 unused
 *
 * scope: TIPC_CLUSTER_SCOPE, as by default in Python, or TIPC_NODE_SCOPE. */
SKT_API skt_addr skt_tipc(int type, uint32_t v1, uint32_t v2, uint32_t v3, int scope);

/* AF_CAN, for CAN_RAW and CAN_BCM.  ifname as for skt_packet. */
SKT_API skt_addr skt_can(const char *ifname);

/* AF_CAN, for CAN_ISOTP: identifiers as the kernel has them (CAN_EFF_FLAG ...). */
SKT_API skt_addr skt_can_isotp(const char *ifname, uint32_t rx_id, uint32_t tx_id);

/* AF_CAN, for CAN_J1939. */
SKT_API skt_addr skt_can_j1939(const char *ifname, uint64_t name, uint32_t pgn, uint8_t address);

/* AF_BLUETOOTH, by protocol; bdaddr as "01:23:45:67:89:ab".  L2CAP: psm and cid in
 * host order, type BDADDR_BREDR (0), BDADDR_LE_PUBLIC (1) or BDADDR_LE_RANDOM (2). */
SKT_API skt_addr skt_l2cap(const char *bdaddr, uint16_t psm, uint16_t cid, uint8_t type);
SKT_API skt_addr skt_rfcomm(const char *bdaddr, uint8_t channel);
SKT_API skt_addr skt_hci(uint16_t device, uint16_t channel);
SKT_API skt_addr skt_sco(const char *bdaddr);

/* AF_ALG, the kernel's cryptography: skt_alg("hash", "sha256", 0, 0).  type has at
 * most 13 bytes and name at most 63. */
SKT_API skt_addr skt_alg(const char *type, const char *name, uint32_t feat, uint32_t mask);

/* AF_QIPCRTR. */
SKT_API skt_addr skt_qipcrtr(uint32_t node, uint32_t port);

/* Any other: a copy of len bytes, at most sizeof(struct sockaddr_storage), which
 * goes to the kernel unchecked.  (AF_RDS takes skt_inet.) */
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
 * that is, the family's name and Python's tuple.  An IP host may be empty (":80"),
 * as in skt_name, and [::1]:80,5 has the flowinfo 5.  What stands at the end may be
 * left out where it is 0, and numbers may be hexadecimal (0x).  A family that is not
 * known here is sockaddr:38,0123ab (its number, and the bytes after it). */
SKT_API skt_addr skt_addr_parse(const char *text);

/* The host: "127.0.0.1", "::1", the name that was given; the path or abstract name
 * (%00 stands for a byte), the interface, the Bluetooth device, AF_VSOCK's cid; "" where
 * there is none.  Points into *a, where the text is made at the first request (the one
 * thing in a const address that changes). */
SKT_API const char *skt_host(const skt_addr *a);

/* The port of IP, AF_VSOCK or AF_QIPCRTR; -1 where the family has none, and for
 * a port of AF_VSOCK or AF_QIPCRTR that is above INT_MAX (skt_addr_sockaddr has it). */
SKT_API int skt_port(const skt_addr *a);

/* Writes the address as text (skt_addr_parse tells how) into buf, cut to len bytes
 * with the NUL, and returns buf; NULL where buf is NULL or len 0. */
SKT_API char *skt_addr_text(const skt_addr *a, char *buf, size_t len);

/* The sockaddr inside, for other libraries, and in *len (may be NULL) its length; NULL
 * and 0 while the address is a name, or where it was built wrongly. */
SKT_API const struct sockaddr *skt_addr_sockaddr(const skt_addr *a, socklen_t *len);

/* Whether two addresses are the same; names are compared by their letters. */
SKT_API bool skt_addr_equal(const skt_addr *a, const skt_addr *b);

/* ---- Making and ending sockets ------------------------------------------ */

/* socket.socket(family, type, proto).  proto 0: the family's own.  type may have
 * SOCK_NONBLOCK, the same as skt_setblocking(s, false) afterwards, and SOCK_CLOEXEC,
 * which is always set.  The timeout is the default one (skt_setdefaulttimeout). */
SKT_API skt *skt_socket(int family, int type, int proto);

/* socket.socket(fileno=fd).  Adopts fd: skt_close closes it.  Family, type and
 * protocol are what the kernel says.  A non-blocking descriptor gets timeout 0
 * (Python's says None, and fails with EAGAIN), any other the default one.  On failure
 * (EBADF, ENOTSOCK) fd stays yours. */
SKT_API skt *skt_fromfd(int fd);

/* socket.socket(family, type, proto, fileno=fd).  The same, with what the caller knows already; -1: the
 * kernel is asked. */
SKT_API skt *skt_fromfd_as(int fd, int family, int type, int proto);

/* socket.socketpair(): two sockets, connected to each other.  family 0 is AF_UNIX,
 * type 0 SOCK_STREAM. */
SKT_API int skt_socketpair(int family, int type, int proto, skt *pair[2]);

/* Another socket for the same connection, with the same timeout.  The two share the
 * descriptor's blocking mode: give both a timeout, or neither. */
SKT_API skt *skt_dup(skt *s);

/* Ends s.  Calls that are waiting in it fail with EBADF; the descriptor is closed
 * when the last of them has left and every FILE of skt_makefile is closed.  NULL:
 * nothing happens, 0.  A second close is EBADF (Python's is not an error).
 * ECONNRESET is not an error here, and EINTR is not retried (close(2)). */
SKT_API int skt_close(skt *s);

/* Ends s, but not the connection: returns the descriptor, yours from now on, which is
 * blocking if s had no timeout (and shares its mode with nobody: skt_dup, skt_fileno).
 * Calls and FILEs that use s get EBADF. */
SKT_API int skt_detach(skt *s);

/* The descriptor, or -1.  It stays the socket's.  It is blocking exactly when the
 * socket has no timeout, except while a call that has no non-blocking form
 * (accept, connect, sendfile, recv_pipe, send_pipe) waits in it; and a listener in which a task has accepted, or
 * that was inherited (skt_server_options) non-blocking, stays so, as does a socket after a task's recv_pipe or
 * send_pipe. */
SKT_API int skt_fileno(skt *s);

/* What the socket was made with; type without SOCK_NONBLOCK and SOCK_CLOEXEC. */
SKT_API int skt_family(skt *s);
SKT_API int skt_type(skt *s);
SKT_API int skt_proto(skt *s);

/* Python's repr(), for messages: "<skt fd=3, family=AF_INET, type=SOCK_STREAM,
 * proto=0, laddr=127.0.0.1:8080, raddr=127.0.0.1:40404>", "<skt [closed]>" or
 * "<skt NULL>", cut to len bytes.  Returns buf; NULL where buf is NULL or len 0. */
SKT_API char *skt_repr(skt *s, char *buf, size_t len);

/* Whether a program that is exec'ed inherits the descriptor: 1 or 0, or -1. */
SKT_API int skt_get_inheritable(skt *s);
SKT_API int skt_set_inheritable(skt *s, bool inheritable);

/* ---- Servers and clients ------------------------------------------------- */

/* Gives s its own address.  EADDRINUSE: skt_strerror() tells who holds the address,
 * where /proc shows it.  Set SO_REUSEADDR before, so that a server can be restarted. */
SKT_API int skt_bind(skt *s, skt_addr addr);

/* Lets others connect.  backlog: how many may be waiting for skt_accept; below 0:
 * Python's default, 128 or SOMAXCONN if that is less. */
SKT_API int skt_listen(skt *s, int backlog);

/* Waits for a connection, and says in *peer (may be NULL) where it comes from.  The
 * new socket has the default timeout and not the listener's, as in Python. */
SKT_API skt *skt_accept(skt *s, skt_addr *peer);

/* The same for who wants the descriptor alone: it is his, blocking and close-on-exec; -1. */
SKT_API int skt_accept_fd(skt *s, skt_addr *peer);

/* Connects; a name to its first address of the socket's family.  With timeout 0 it
 * fails with EINPROGRESS, and the connection is made meanwhile.  TCP lets a socket
 * connect to itself, which is the caller's to notice. */
SKT_API int skt_connect(skt *s, skt_addr addr);

/* The same, with the error's number as its result, and 0 for success.  errno stays as
 * it is.  Our own timeout is EAGAIN, as in Python.  (Python raises for a name that does
 * not resolve; this returns EHOSTUNREACH.) */
SKT_API int skt_connect_ex(skt *s, skt_addr addr);

/* A new stream socket, connected to the first address of host that answers.  IPv6 and
 * IPv4 take turns, one more address every 250 ms (RFC 8305, Happy Eyeballs); the look-up
 * and all attempts are over after timeout seconds, which then is the socket's timeout.
 * (Python tries one after the other, each with the whole timeout, and looks names up
 * without any.)  skt_attempt() tells how each address failed. */
SKT_API skt *skt_create_connection(const char *host, int port, double timeout);

/* The same from a source address, which is bound before connecting: skt_inet or
 * skt_inet6 with digits or "" (EINVAL for a name), port 0 for any.  Only addresses of
 * its family are tried. */
SKT_API skt *skt_create_connection_from(const char *host, int port, double timeout, skt_addr source);

/* What skt_create_connection may be told; zeros are its own choice. */
typedef struct skt_connection_options {
    int family;                        /* AF_INET or AF_INET6: only such addresses; 0: the source's, or both */
    const skt_addr *source;            /* as in skt_create_connection_from; NULL: any */
    int (*prepare)(skt *s, void *arg); /* called with each new socket before it is bound and connected, to set the
                                          options that have to be set by then, and for nothing else; -1: this address
                                          has failed, with errno */
    void *arg;
} skt_connection_options;

/* The same with options, which may be NULL. */
SKT_API skt *skt_create_connection_with(const char *host, int port, double timeout,
                                        const skt_connection_options *options);

/* How a server differs from Python's defaults, which are all zeros. */
typedef struct skt_server_options {
    int backlog;           /* 0 or less: skt_listen's default */
    bool reuse_port;       /* SO_REUSEPORT; AF_INET and AF_INET6 only (EINVAL) */
    bool dualstack_ipv6;   /* AF_INET6: serve IPv4 too */
    bool no_reuse_address; /* do not set SO_REUSEADDR */
    bool listen_fds;       /* take the listener at addr that the service manager has opened ($LISTEN_FDS, see
                              sd_listen_fds(3)), if it has */
    const char *handover;  /* path of an AF_UNIX socket (at most 95 bytes): if a process with the same path is in
                              skt_serve, take over its listeners; it stops when we accept, so that a restart
                              refuses nobody.  NULL: no handover */
} skt_server_options;

/* socket.create_server(): a listening stream socket, bound to addr, with SO_REUSEADDR.
 * options may be NULL.  skt_inet6 serves IPv6 only, unless dualstack_ipv6 is set.  A name
 * of no family (skt_name) is bound to its first address, and with "" every address of
 * this machine is served, by IPv6 and IPv4 where one socket can do both. */
SKT_API skt *skt_create_server(skt_addr addr, const skt_server_options *options);

/* Whether one socket can serve IPv4 and IPv6 on this machine. */
SKT_API bool skt_has_dualstack_ipv6(void);

/* Ends one direction or both, for everybody who has the connection.  how: SHUT_RD,
 * SHUT_WR (the peer reads the end) or SHUT_RDWR. */
SKT_API int skt_shutdown(skt *s, int how);

/* The address of the other end, and of this one. */
SKT_API int skt_getpeername(skt *s, skt_addr *addr);
SKT_API int skt_getsockname(skt *s, skt_addr *addr);

/* ---- Data ----------------------------------------------------------------- */

/* Waits for data, and takes what is there: at most len bytes; 0: the peer has ended (or
 * sent an empty datagram).  len 0 is 0 without a system call.  flags: MSG_PEEK,
 * MSG_WAITALL (of a stream all of len; less only at its end, at an error or when time is
 * up), MSG_DONTWAIT (EAGAIN instead of waiting), MSG_OOB ... */
SKT_API ssize_t skt_recv(skt *s, void *buf, size_t len, int flags);

/* The same, with the sender's address in *from (may be NULL).  len 0 makes the system
 * call, and takes a datagram. */
SKT_API ssize_t skt_recvfrom(skt *s, void *buf, size_t len, int flags, skt_addr *from);

/* Waits for room, and sends what fits: on a stream the count may be less than len (see
 * skt_sendall).  A datagram goes whole, or not at all (EMSGSIZE). */
SKT_API ssize_t skt_send(skt *s, const void *buf, size_t len, int flags);

/* Sends all, within one timeout.  On failure skt_error_record()->done says how many
 * bytes went (Python cannot tell). */
SKT_API int skt_sendall(skt *s, const void *buf, size_t len, int flags);

/* skt_send to an address: one datagram. */
SKT_API ssize_t skt_sendto(skt *s, const void *buf, size_t len, int flags, skt_addr to);

/* Sends count bytes of the file fd from offset on (count 0: all there are, Python's
 * None) through a stream socket, within the kernel where it can, and returns how many;
 * the file may end before count.  One timeout for all (Python's is for each wait).  On
 * failure see skt_error_record()->done.  The file's own position is neither used nor
 * moved (Python's is moved).  EINVAL: not a stream, or a socket of timeout 0. */
SKT_API ssize_t skt_sendfile(skt *s, int fd, off_t offset, size_t count);

/* Waits for data, and moves what is there, at most len bytes, into a pipe (its writing end) without copying it through
 * the program: splice(2).  How many; 0: the peer has ended.  EAGAIN: the pipe has no room, for which nobody waits here.
 * EINVAL: not a stream; also of a family whose data the kernel cannot move: use skt_recv there.
 *
 *     while ((n = skt_recv_pipe(from, pipe[1], SSIZE_MAX)) > 0)
 *         for (ssize_t sent; n > 0; n -= sent)
 *             if ((sent = skt_send_pipe(to, pipe[0], (size_t)n)) < 0)
 *                 return -1;
 *
 * It pays for bulk data: half the time of skt_recv and skt_sendall where the pipe is large (F_SETPIPE_SZ, 1 MiB). */
SKT_API ssize_t skt_recv_pipe(skt *s, int pipe, size_t len);

/* Waits for room, and sends what fits of what the pipe (its reading end) holds, at most len bytes, in the same way.  0:
 * the pipe is empty and nobody can write to it any more; EAGAIN: it is empty. */
SKT_API ssize_t skt_send_pipe(skt *s, int pipe, size_t len);

/* A FILE on the connection, for fgets, fprintf and all of stdio.  mode is "r" (also "", as in
 * Python), "w" or "rw", with or without "b", which means nothing.
 *
 *   Closing    The FILE keeps the connection open after skt_close; fclose does not
 *              close s.  The connection ends when both are closed.
 *   Buffers    "r" and "w" are fully buffered: fflush what is to be sent (or see
 *              setvbuf).  "rw" buffers what it reads, and sends at once what is
 *              written, so that the two may alternate without fseek.
 *   Timeouts   Each read and each write of the buffer may take the socket's timeout.
 *              Once reading has timed out it fails for good (EIO, "cannot read from
 *              timed out object"), since stdio cannot tell what it has lost.  With
 *              timeout 0, EAGAIN is an error like any other.
 *   Tasks      One task at a time, since stdio's lock is a thread's: while one waits in the
 *              FILE, reading or writing fails in the others (EBUSY), and what they put into its
 *              buffer may be lost.  Give each its own. */
SKT_API FILE *skt_makefile(skt *s, const char *mode);

/* ---- Messages with ancillary data ------------------------------------------ */

/* One message of skt_sendmsg and skt_recvmsg.  Everything it points to is the
 * caller's.  Members that are not needed are 0. */
typedef struct skt_msg {
    struct iovec *iov;  /* the data, in as many pieces as ... */
    size_t iovlen;      /* ... these, at most IOV_MAX (1024) */
    void *control;      /* ancillary data; aligned as struct cmsghdr is */
    size_t controlsize; /* bytes there are at control */
    size_t controllen;  /* bytes used: sendmsg reads it, recvmsg sets it */
    skt_addr *addr;     /* sendmsg: the target; recvmsg: set to the sender; may be NULL */
    int flags;          /* recvmsg sets it: MSG_TRUNC, MSG_CTRUNC, MSG_EOR ... */
} skt_msg;

/* Bytes of control that one item with n bytes of data takes (a constant):
 * _Alignas(struct cmsghdr) char control[SKT_CONTROL_SPACE(sizeof(int))]; */
#define SKT_CONTROL_SPACE(n) CMSG_SPACE(n)

/* One item of ancillary data, found by skt_next_cmsg; begin with skt_cmsg item = { 0 }. */
typedef struct skt_cmsg {
    int level, type;  /* SOL_SOCKET and SCM_RIGHTS, for instance */
    const void *data; /* inside the message's control */
    size_t len;       /* bytes at data */
    bool truncated;   /* it was longer (Python warns and keeps the part too) */
    size_t next;      /* where skt_next_cmsg goes on; 0 at first */
} skt_cmsg;

/* Waits for a message and takes it.  Descriptors that come with it are yours, and
 * close-on-exec (Python's are not).  MSG_ERRQUEUE never waits.  MSG_WAITALL has an effect
 * only in a socket without a timeout, in a program without other threads, outside tasks. */
SKT_API ssize_t skt_recvmsg(skt *s, skt_msg *msg, int flags);

/* Sends a message, or on a stream what fits of it. */
SKT_API ssize_t skt_sendmsg(skt *s, const skt_msg *msg, int flags);

/* Steps through ancillary data: false after the last item, or where what is left
 * is no item (its length is too small). */
SKT_API bool skt_next_cmsg(const skt_msg *msg, skt_cmsg *item);

/* Adds an item of ancillary data of any kind, len bytes at data, for skt_sendmsg.
 * EMSGSIZE: control has no room left. */
SKT_API int skt_put_cmsg(skt_msg *msg, int level, int type, const void *data, size_t len);

/* SCM_RIGHTS: n descriptors to pass (unix(7)); they stay yours. */
SKT_API int skt_put_rights(skt_msg *msg, const int *fds, size_t n);

/* The descriptors that came: copies them to fds and returns how many they were; those
 * above max are closed.  Call it once for a message. */
SKT_API ssize_t skt_get_rights(const skt_msg *msg, int *fds, size_t max);

/* Closes every descriptor that came with a message (instead of skt_get_rights). */
SKT_API void skt_close_rights(const skt_msg *msg);

/* SCM_CREDENTIALS: which process sent it (set SO_PASSCRED to receive them). */
typedef struct skt_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} skt_credentials;
SKT_API int skt_put_credentials(skt_msg *msg, skt_credentials who);

/* This and the other skt_get_ calls below return 0 and set their arguments, or -1 with
 * ENOMSG where the message has no such item. */
SKT_API int skt_get_credentials(const skt_msg *msg, skt_credentials *who);

/* IP_PKTINFO, IPV6_PKTINFO: the local address that a datagram came to, or is to come
 * from, and the index of the interface (0: any).  The family of local says which of the
 * two it is; its port is 0.  To receive it set IP_PKTINFO or IPV6_RECVPKTINFO. */
SKT_API int skt_put_pktinfo(skt_msg *msg, const skt_addr *local, unsigned ifindex);
SKT_API int skt_get_pktinfo(const skt_msg *msg, skt_addr *local, unsigned *ifindex);

/* IP_TTL, IPV6_HOPLIMIT: hops 0 to 255; family AF_INET or AF_INET6.  To receive it
 * set IP_RECVTTL or IPV6_RECVHOPLIMIT. */
SKT_API int skt_put_hoplimit(skt_msg *msg, int family, int hops);
SKT_API int skt_get_hoplimit(const skt_msg *msg, int *hops);

/* When it came.  To receive it set SO_TIMESTAMPNS, SO_TIMESTAMP or SO_TIMESTAMPING (of
 * which the hardware's time is taken where there is one). */
SKT_API int skt_get_timestamp(const skt_msg *msg, struct timespec *when);

/* socket.send_fds(): data and nfds descriptors, at most 253; they stay yours.  A stream
 * passes none without data: len at least 1.  EAFNOSUPPORT: not AF_UNIX (Python sends the
 * data without the descriptors). */
SKT_API ssize_t skt_send_fds(skt *s, const void *buf, size_t len, const int *fds, size_t nfds, int flags);

/* socket.recv_fds(): *nfds is the room in fds, and becomes the number received; they
 * are yours, and close-on-exec.  Those that do not fit are closed, and then *msg_flags
 * (may be NULL) has MSG_CTRUNC. */
SKT_API ssize_t skt_recv_fds(skt *s, void *buf, size_t len, int *fds, size_t *nfds, int flags, int *msg_flags);

/* sendmsg_afalg(), for AF_ALG (others: EAFNOSUPPORT): op is ALG_OP_ENCRYPT or ALG_OP_DECRYPT; iv (at most 256
 * bytes; ivlen 0: none) and assoclen (-1: none) are what the algorithm wants. */
SKT_API ssize_t skt_sendmsg_afalg(skt *s, const struct iovec *iov, size_t iovlen, int op, const void *iv, size_t ivlen,
                                  int assoclen, int flags);

/* ---- Datagrams in batches (Python has none) ---------------------------------- */

/* One datagram of a batch. */
typedef struct skt_datagram {
    void *data;
    size_t len;
    skt_addr *addr; /* to send: the target; to receive: where to put the sender; may be NULL */
    int flags;      /* received: MSG_TRUNC if it was longer */
} skt_datagram;

/* With UDP_GRO set, the kernel may hand over as many datagrams in one piece. */
#define SKT_GRO_MAX 128

/* Sends n datagrams with few system calls: sendmmsg(2), and for runs of one target and
 * one length UDP_SEGMENT (udp(7)); where the kernel has neither, one by one.  Each arrives as
 * it is here.  Waits, within one timeout, until all are sent.  Returns how many were; if
 * that is less than n the record says why; -1 if not even the first was. */
SKT_API ssize_t skt_sendmmsg(skt *s, const skt_datagram *d, size_t n, int flags);

/* Waits for a datagram and takes those that are there: at most n, and no more than one
 * system call gives (64).  Returns how many.  They are put into buf, which has size bytes,
 * size / n for each: d[i].data points there, d[i].len is what came.  Set every d[i].addr
 * beforehand.  Ancillary data is dropped, and descriptors in it are closed (MSG_CTRUNC in
 * d[i].flags).  UDP_GRO (skt_setsockopt_int(s, SOL_UDP, UDP_GRO, 1)) makes the kernel give
 * runs in one piece; n is then at least SKT_GRO_MAX and size at least 65536 (EINVAL). */
SKT_API ssize_t skt_recvmmsg(skt *s, skt_datagram *d, size_t n, void *buf, size_t size, int flags);

/* ---- Options and time ----------------------------------------------------------- */

/* setsockopt(2), getsockopt(2).  value may be NULL where the option wants that.  Leave
 * SO_RCVTIMEO and SO_SNDTIMEO alone: skt_settimeout is for that. */
SKT_API int skt_setsockopt(skt *s, int level, int name, const void *value, socklen_t len);
SKT_API int skt_getsockopt(skt *s, int level, int name, void *value, socklen_t *len);

/* For options that are an int, which are most (at the level AF_VSOCK they are 64-bit
 * numbers, as in Python). */
SKT_API int skt_setsockopt_int(skt *s, int level, int name, int value);
SKT_API int skt_getsockopt_int(skt *s, int level, int name, int *value);

/* How many seconds each call may take; 0: fail with EAGAIN instead of waiting;
 * SKT_NO_TIMEOUT: wait for ever.  EINVAL: other negative values, NaN, above 9e9. */
SKT_API int skt_settimeout(skt *s, double seconds);

/* The timeout, or SKT_NO_TIMEOUT; NaN for a socket that is NULL or closed. */
SKT_API double skt_gettimeout(skt *s);

/* true is skt_settimeout(s, SKT_NO_TIMEOUT), false skt_settimeout(s, 0). */
SKT_API int skt_setblocking(skt *s, bool blocking);

/* Whether the timeout is not 0; false for a socket that is NULL or closed. */
SKT_API bool skt_getblocking(skt *s);

/* The timeout of all sockets made from now on; SKT_NO_TIMEOUT at first. */
SKT_API int skt_setdefaulttimeout(double seconds);
SKT_API double skt_getdefaulttimeout(void);

/* From now on hook(arg) is called whenever a signal has interrupted a call, in the
 * thread of that call.  If it returns 0 the call goes on, else it fails with EINTR; so do
 * the calls of all other tasks that wait in this thread, for it is one wait.
 * There is one hook for the process; NULL: none.  (Python runs its signal handlers in
 * such a place.) */
SKT_API void skt_on_interrupt(int (*hook)(void *arg), void *arg);

/* A system call that the library has made on a socket. */
typedef struct skt_call {
    const char *name;     /* the call's: "connect", "recv", "accept"; a constant */
    int fd;               /* the descriptor; -1: socket and socketpair have none before */
    int64_t result;       /* what the system returned */
    int error;            /* the errno if that is negative; of getsockopt also what SO_ERROR told; else 0 */
    size_t size;          /* bytes it was given, or had room for; recvmmsg, sendmmsg: messages; shutdown: SHUT_... */
    const skt_addr *addr; /* the address it was given or has told of (of several messages the first's), or NULL */
    double began;         /* on the monotonic clock, CLOCK_MONOTONIC */
    double seconds;       /* how long it took */
} skt_call;

/* From now on hook(call, arg) is called after each system call of the library that makes, uses or closes a socket
 * (tries that find nothing, EAGAIN, and its own eventfds' close too), in the thread of that call: for traces and
 * statistics.  It may look at the descriptor (getsockopt(2)) and read the address, but must not wait, and must call
 * nothing of this library that takes or makes a socket: there may be a lock around it.  There is one hook for the
 * process; NULL: none, which costs nothing.  Set it while no other thread uses the library. */
SKT_API void skt_on_call(void (*hook)(const skt_call *call, void *arg), void *arg);

/* ---- Tasks ------------------------------------------------------------------------ */

/* Inside skt_run every call of this library that waits, a FILE's and a look-up's too, parks the task
 * that made it, and another one goes on: the same lines serve one connection on a thread or a hundred
 * thousand in tasks.  A task belongs to its thread and is never interrupted: between
 * two waits it has the thread to itself.  What is a thread's otherwise, errno, the error record and the
 * deadline, is a task's.  Other libraries' blocking calls stop all tasks of the thread: use skt_poll before them. */

/* Runs fn(arg) as the first task of this thread and returns 0 when every task has ended; -1 if it could not
 * begin: ENOMEM, EMFILE, or EINVAL inside a task.  (In a child of fork(2) only the task that forked goes on; as a plain
 * thread, and where it returns the child ends.) */
SKT_API int skt_run(void (*fn)(void *arg), void *arg);

/* What skt_run may be told; zeros are its own choice. */
typedef struct skt_run_options {
    size_t stack_size; /* bytes for each task: 16 KiB to 1 GiB, 64 KiB if 0; memory is used as it is touched */
    double spin;       /* seconds, at most 1: look for events that long before the thread sleeps.  Halves the time
                          of a question and its answer, and keeps the processor busy for as long */
} skt_run_options;
SKT_API int skt_run_with(void (*fn)(void *arg), void *arg, const skt_run_options *options);

/* Begins another task of this thread; it has its turn when the caller waits.  EPERM outside skt_run; ENOMEM. */
SKT_API int skt_go(void (*fn)(void *arg), void *arg);

/* Whether the caller is a task. */
SKT_API bool skt_in_task(void);

/* Lets the other tasks that are ready have their turn; on a thread, sched_yield(2). */
SKT_API void skt_yield(void);

/* Waits; on a thread too. */
SKT_API int skt_sleep(double seconds);

/* poll(2) for descriptors that are no skt (a pipe, a timerfd, another library's socket): parks a task; on a thread it
 * goes on after a signal.  How many are ready, 0 when timeout seconds have passed; -1. */
SKT_API int skt_poll(struct pollfd *fds, size_t n, double timeout);

/* Names the running task for skt_dump and for messages: 23 bytes of it.  Outside tasks nothing happens. */
SKT_API void skt_name_task(const char *name);

/* Writes to descriptor fd a line for each task of this thread: its name, what it waits for and since when, and how
 * much stack it has used.  May be called by a debugger and in a signal handler. */
SKT_API void skt_dump(int fd);

/* From now on the signal makes every thread that runs tasks dump them to standard error, also one whose running task
 * never waits. */
SKT_API int skt_dump_on_signal(int signo);

/* A group of tasks, to be waited for or cancelled as a whole (trio's nursery).  It belongs to the thread that made it:
 * elsewhere its calls fail with EPERM.  NULL is treated as a NULL socket is. */
typedef struct skt_group skt_group;
SKT_API skt_group *skt_group_new(void);

/* Begins a task in the group.  ECANCELED: the group is being closed. */
SKT_API int skt_group_go(skt_group *g, void (*fn)(void *arg), void *arg);

/* Waits until no task is left in it: for ever, in a task of its own. */
SKT_API int skt_group_wait(skt_group *g);

/* Cancels each of its tasks: the call that the task is waiting in, or else its next call that may wait, fails with
 * ECANCELED, before anything is sent or taken; once, so that the task can still say goodbye. */
SKT_API int skt_group_cancel(skt_group *g);

/* Cancels its tasks, and this time each call that may wait fails; returns when none is left, and frees g.  It cannot
 * be cancelled itself.  NULL: 0.  EDEADLK in a task of the group. */
SKT_API int skt_group_close(skt_group *g);

/* A deadline over any number of calls, on a thread or in a task:
 *
 *     skt_deadline d = skt_deadline_begin(10);
 *     ... calls; one that would wait after these ten seconds fails as by its own timeout ...
 *     if (skt_deadline_end(d))
 *         ... the time was up ...
 *
 * Begun one inside the other, the nearest counts; end them in the reverse order.  Sockets of timeout 0 do not wait
 * anyway.  A new task has none. */
typedef struct skt_deadline {
    int64_t at, before;
} skt_deadline;
SKT_API skt_deadline skt_deadline_begin(double seconds);
SKT_API bool skt_deadline_end(skt_deadline d);

/* ---- Serving -------------------------------------------------------------------------- */

/* What skt_serve may be told; zeros are its own choice. */
typedef struct skt_serve_options {
    int threads;         /* at most 64; 0: one for each core that the process may use */
    int max_connections; /* more are left waiting in the listener's queue; 0: any number */
    double grace;        /* seconds for handlers that are at work when it stops, 10 if 0; SKT_NO_TIMEOUT: no limit */
    bool no_nodelay;     /* do not set TCP_NODELAY */
    bool no_signals;     /* leave SIGTERM and SIGINT alone */
    size_t stack_size;   /* as in skt_run_options */
    double spin;         /* as in skt_run_options */
    void (*log)(const char *line, void *arg); /* told of trouble that it gets over, with skt_serve's arg; NULL:
                                                 standard error */
} skt_serve_options;

/* Accepts connections on all cores, and runs handler(conn, arg) in a task for each; conn is closed when the
 * handler returns (leave that to it).  Handlers of different threads run at the same time.
 *
 *   Listeners    Each thread has one of its own at the server's address (SO_REUSEPORT); AF_UNIX's is shared.
 *   Trouble      Without descriptors or memory it says so once and waits until a connection has ended.
 *   Stopping     SIGTERM, SIGINT (where the program has not set them), or skt_shutdown or skt_close of server from
 *                anywhere: who has connected is still served, nobody else; handlers have `grace` seconds, then their
 *                calls fail with ECANCELED.  A second signal ends the grace.  Then it returns 0.  (skt_shutdown makes
 *                the kernel reset those of TCP who wait in server's own queue; skt_close does not.)
 *   Restarting   See handover in skt_server_options.
 *
 * -1: it could not begin, or its listener broke.  server stays the caller's to close.  May be called in a task. */
SKT_API int skt_serve(skt *server, void (*handler)(skt *conn, void *arg), void *arg, const skt_serve_options *options);

/* ---- Names ----------------------------------------------------------------------- */

/* A look-up takes timeout seconds at most (SKT_NO_TIMEOUT: as long as the system's
 * resolver likes).  For a name that is not found errno is EHOSTUNREACH, and the record
 * has the domain SKT_ERROR_NAME and the code EAI_NONAME ...; EAI_SYSTEM and EAI_MEMORY
 * become plain system errors.  Names that are not ASCII are encoded by the C library's
 * IDNA where it has that, and read in the encoding of the program's locale: call
 * setlocale(LC_ALL, "") at its start. */

/* One row of what skt_getaddrinfo found. */
typedef struct skt_addrinfo {
    int family, type, proto;
    char *canonname; /* "" unless AI_CANONNAME was asked for */
    skt_addr addr;
} skt_addrinfo;

/* socket.getaddrinfo(): returns how many rows it found, and in *list the rows, which
 * skt_freeaddrinfo frees.  host NULL: this machine.  service: "80", "http" or NULL.
 * family, type, proto 0: any.  flags: AI_... */
SKT_API ssize_t skt_getaddrinfo(const char *host, const char *service, int family, int type, int proto, int flags,
                                double timeout, skt_addrinfo **list);
SKT_API void skt_freeaddrinfo(skt_addrinfo *list);

/* Puts the n rows at list, which skt_getaddrinfo found, into the order in which skt_create_connection tries them: the
 * families take turns, and the first row stays the first.  NULL: nothing happens. */
SKT_API void skt_connection_order(skt_addrinfo *list, size_t n);

/* socket.getnameinfo(): the names of a numeric address (EINVAL for a name).  host or
 * service may be NULL.  flags: NI_... */
SKT_API int skt_getnameinfo(skt_addr addr, int flags, char *host, size_t hostlen, char *service, size_t servicelen,
                            double timeout);

/* What skt_gethostbyname_ex and skt_gethostbyaddr return.  The lists end with NULL.
 * skt_freehostent frees all of it. */
typedef struct skt_hostent {
    char *name;
    char **aliases;
    char **addresses; /* as text */
} skt_hostent;

/* The IPv4 address of a name, as text in buf (16 bytes are enough).  Returns buf or
 * NULL. */
SKT_API char *skt_gethostbyname(const char *name, char *buf, size_t len, double timeout);

/* All names and addresses of a name (IPv4), or of an address (IPv4 or IPv6, as text).
 * Not found is the domain SKT_ERROR_HOST, with the code HOST_NOT_FOUND ... */
SKT_API skt_hostent *skt_gethostbyname_ex(const char *name, double timeout);
SKT_API skt_hostent *skt_gethostbyaddr(const char *address, double timeout);
SKT_API void skt_freehostent(skt_hostent *host);

/* This machine's name.  To set it needs privileges. */
SKT_API int skt_gethostname(char *buf, size_t len);
SKT_API int skt_sethostname(const char *name);

/* socket.getfqdn(): the name with its domain; where none is found, the name as given.
 * name NULL, "", "0.0.0.0" or "::": this machine. */
SKT_API int skt_getfqdn(const char *name, char *buf, size_t len, double timeout);

/* A service's port (in host order), and a port's service: -1 with ENOENT where there is
 * none.  proto: "tcp", "udp", or NULL for any. */
SKT_API int skt_getservbyname(const char *name, const char *proto);
SKT_API int skt_getservbyport(int port, const char *proto, char *buf, size_t len);

/* A protocol's number, or -1 with ENOENT. */
SKT_API int skt_getprotobyname(const char *name);

/* Addresses between text and packed form, which is in network order: 4 bytes, or 16 with
 * AF_INET6.  inet_aton is permissive ("127.1"), inet_pton strict.  They return 0, or -1
 * with EINVAL or EAFNOSUPPORT, unlike the C library's 1 and 0; or buf, or NULL.  htons and its
 * like, CMSG_LEN and CMSG_SPACE are the C library's. */
SKT_API int skt_inet_aton(const char *text, struct in_addr *packed);
SKT_API char *skt_inet_ntoa(struct in_addr packed, char *buf, size_t len);
SKT_API int skt_inet_pton(int family, const char *text, void *packed);
SKT_API char *skt_inet_ntop(int family, const void *packed, size_t packedlen, char *buf, size_t len);

/* Network interfaces.  The list ends with index 0; skt_freenameindex frees it.  What
 * is not there: skt_if_nametoindex returns 0 with ENODEV, skt_if_indextoname -1 with ENXIO. */
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
    SKT_ERROR_NONE,    /* nothing has failed yet */
    SKT_ERROR_SYSTEM,  /* code is errno */
    SKT_ERROR_NAME,    /* code is EAI_...: getaddrinfo, getnameinfo */
    SKT_ERROR_HOST,    /* code is HOST_NOT_FOUND ...: gethostbyaddr, gethostbyname_ex */
    SKT_ERROR_TIMEOUT, /* our own timeout; code is ETIMEDOUT */
    SKT_ERROR_ARGUMENT /* refused before the system was asked; code is errno */
} skt_error_domain;

/* What failed last in this task or thread.  skt_strerror makes a sentence of it. */
typedef struct skt_error {
    skt_error_domain domain;
    int code;
    const char *call; /* "connect"; a constant; NULL if nothing has failed yet */
    bool has_addr;    /* whether addr is set */
    skt_addr addr;    /* the address that was used, or the peer's */
    char name[256];   /* the name it was looked up by, or "" */
    char detail[160]; /* more, in words, or "" */
    size_t done;      /* sendall, sendfile, a FILE: bytes that went before */
    size_t attempts;  /* connection attempts that failed, for skt_attempt */
} skt_error;

/* The record; never NULL, valid in this task or thread until its next failure. */
SKT_API const skt_error *skt_error_record(void);

/* How the i-th address (0, 1 ...) that skt_create_connection tried failed: its errno,
 * and *addr (may be NULL); 0 where there is no such attempt.  The first 16 are kept. */
SKT_API int skt_attempt(size_t i, skt_addr *addr);

/* Whether the last failure in this task or thread was our own timeout. */
SKT_API bool skt_timed_out(void);

/* The record as a sentence: "connect example.org (93.184.216.34:81): Connection refused".
 * Valid in this task or thread until its next skt_strerror(). */
SKT_API const char *skt_strerror(void);

/* Prints "who: " and the sentence to standard error, and exits with 1. */
SKT_API
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void skt_die(const char *who);

#ifdef __cplusplus
}
#endif

#endif
