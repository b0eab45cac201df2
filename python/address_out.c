/* address_out.c - an address, from skt's to Python's tuple: a row for each family. */
#include "module.h"
#include <arpa/inet.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>

static PyObject *host_and(const skt_addr *addr, PyObject *second)
{
    PyObject *host = second ? PyUnicode_FromString(skt_host(addr)) : NULL;
    PyObject *pair = host ? PyTuple_New(2) : NULL;
    if (!pair) {
        Py_XDECREF(host);
        Py_XDECREF(second);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, host);
    PyTuple_SET_ITEM(pair, 1, second);
    return pair;
}

/* The text of the last IPv4 address: most addresses come many times one after the other.  (Guarded by the GIL; in
 * each thread its own, for interpreters that have a GIL of their own.) */
static PyObject *inet_text(const struct in_addr *address)
{
    static _Thread_local struct in_addr last;
    static _Thread_local char text[INET_ADDRSTRLEN];
    if (!text[0] || last.s_addr != address->s_addr) {
        skt_inet_ntoa(*address, text, sizeof text);
        last = *address;
    }
    return PyUnicode_FromString(text);
}

static PyObject *make_inet(const skt_addr *addr)
{
    PyObject *host = inet_text(&addr->as.inet.sin_addr), *port = PyLong_FromLong(ntohs(addr->as.inet.sin_port));
    PyObject *pair = host && port ? PyTuple_Pack(2, host, port) : NULL;
    Py_XDECREF(host);
    Py_XDECREF(port);
    return pair;
}

/* The zone is in the last number, not in the host. */
static PyObject *make_inet6(const skt_addr *addr)
{
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in6 *a = &addr->as.inet6;
    skt_inet_ntop(AF_INET6, &a->sin6_addr, sizeof a->sin6_addr, host, sizeof host);
    return Py_BuildValue("(siII)", host, ntohs(a->sin6_port), ntohl(a->sin6_flowinfo), a->sin6_scope_id);
}

static PyObject *make_unix(const skt_addr *addr)
{
    const struct sockaddr_un *a = &addr->as.unix_;
    size_t len = addr->len - offsetof(struct sockaddr_un, sun_path);
    if (addr->len <= offsetof(struct sockaddr_un, sun_path))
        return PyUnicode_FromString("");
    if (a->sun_path[0] == '\0')
        return PyBytes_FromStringAndSize(a->sun_path, (Py_ssize_t)len);
    return PyUnicode_DecodeFSDefaultAndSize(a->sun_path, (Py_ssize_t)strnlen(a->sun_path, len));
}

static PyObject *make_netlink(const skt_addr *addr)
{
    const struct sockaddr_nl *a = (const void *)&addr->as;
    return Py_BuildValue("(II)", a->nl_pid, a->nl_groups);
}

/* Its header is not everywhere: the family, then node and port. */
static PyObject *make_qipcrtr(const skt_addr *addr)
{
    uint32_t words[3];
    memcpy(words, &addr->as, sizeof words);
    return Py_BuildValue("(II)", words[1], words[2]);
}

static PyObject *make_vsock(const skt_addr *addr)
{
    const struct sockaddr_vm *a = (const void *)&addr->as;
    return Py_BuildValue("(II)", a->svm_cid, a->svm_port);
}

/* The interface of an address, "" for all or one that is gone. */
static PyObject *interface(unsigned index)
{
    char name[16] = "";
    if (index)
        skt_if_indextoname(index, name, sizeof name);
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *make_packet(const skt_addr *addr)
{
    const struct sockaddr_ll *a = (const void *)&addr->as;
    return Py_BuildValue("(Niiiy#)", interface((unsigned)a->sll_ifindex), ntohs(a->sll_protocol), a->sll_pkttype,
                         a->sll_hatype, a->sll_addr, (Py_ssize_t)a->sll_halen);
}

static PyObject *make_tipc(const skt_addr *addr)
{
    const struct sockaddr_tipc *a = (const void *)&addr->as;
    switch (a->addrtype) {
    case TIPC_ADDR_NAMESEQ:
        return Py_BuildValue("(IIIII)", a->addrtype, a->addr.nameseq.type, a->addr.nameseq.lower, a->addr.nameseq.upper,
                             a->scope);
    case TIPC_ADDR_NAME:
        return Py_BuildValue("(IIIII)", a->addrtype, a->addr.name.name.type, a->addr.name.name.instance,
                             a->addr.name.name.instance, a->scope);
    case TIPC_ADDR_ID:
        return Py_BuildValue("(IIIII)", a->addrtype, a->addr.id.node, a->addr.id.ref, 0, a->scope);
    default:
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return NULL;
    }
}

static PyObject *make_alg(const skt_addr *addr)
{
    const struct sockaddr_alg *a = (const void *)&addr->as;
    return Py_BuildValue("(s#s#HH)", a->salg_type, (Py_ssize_t)strnlen((const char *)a->salg_type, sizeof a->salg_type),
                         a->salg_name, (Py_ssize_t)strnlen((const char *)a->salg_name, sizeof a->salg_name),
                         a->salg_feat, a->salg_mask);
}

static PyObject *make_can(const skt_addr *addr)
{
    const struct sockaddr_can *a = (const void *)&addr->as;
    return Py_BuildValue("(N)", interface((unsigned)a->can_ifindex));
}

static PyObject *make_isotp(const skt_addr *addr)
{
    const struct sockaddr_can *a = (const void *)&addr->as;
    return Py_BuildValue("(Nkk)", interface((unsigned)a->can_ifindex), (unsigned long)a->can_addr.tp.rx_id,
                         (unsigned long)a->can_addr.tp.tx_id);
}

static PyObject *make_j1939(const skt_addr *addr)
{
    const struct sockaddr_can *a = (const void *)&addr->as;
    return Py_BuildValue("(NKIB)", interface((unsigned)a->can_ifindex), (unsigned long long)a->can_addr.j1939.name,
                         a->can_addr.j1939.pgn, a->can_addr.j1939.addr);
}

/* Bluetooth's headers are not everywhere.  Behind the family: L2CAP's psm, device (6 bytes), cid, type; RFCOMM's
 * device, channel; HCI's device and channel. */
static uint16_t little_endian(const skt_addr *addr, size_t offset)
{
    const unsigned char *bytes = (const unsigned char *)&addr->as + offset;
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static PyObject *make_l2cap(const skt_addr *addr)
{
    const unsigned char *bytes = (const unsigned char *)&addr->as;
    unsigned psm = little_endian(addr, 2), cid = little_endian(addr, 10), type = bytes[12];
    if (type)
        return Py_BuildValue("(sIII)", skt_host(addr), psm, cid, type);
    if (cid)
        return Py_BuildValue("(sII)", skt_host(addr), psm, cid);
    return host_and(addr, PyLong_FromUnsignedLong(psm));
}

static PyObject *make_rfcomm(const skt_addr *addr)
{
    return host_and(addr, PyLong_FromLong(((const unsigned char *)&addr->as)[8]));
}

static PyObject *make_hci(const skt_addr *addr)
{
    uint16_t words[3];
    memcpy(words, &addr->as, sizeof words);
    return words[2] ? Py_BuildValue("(HH)", words[1], words[2]) : PyLong_FromLong(words[1]);
}

static PyObject *make_sco(const skt_addr *addr)
{
    return PyUnicode_FromString(skt_host(addr));
}

/* ---- The table ---- */

#define ANY (-1)

static const struct row {
    int family, proto;
    socklen_t size; /* of the smallest that can be read */
    PyObject *(*make)(const skt_addr *addr);
} rows[] = {
    { AF_INET, ANY, sizeof(struct sockaddr_in), make_inet },
    { AF_INET6, ANY, sizeof(struct sockaddr_in6), make_inet6 },
    { AF_UNIX, ANY, sizeof(sa_family_t), make_unix },
    { AF_RDS, ANY, sizeof(struct sockaddr_in), make_inet },
    { AF_NETLINK, ANY, sizeof(struct sockaddr_nl), make_netlink },
    { AF_QIPCRTR, ANY, 12, make_qipcrtr },
    { AF_VSOCK, ANY, sizeof(struct sockaddr_vm), make_vsock },
    { AF_PACKET, ANY, offsetof(struct sockaddr_ll, sll_addr), make_packet },
    { AF_TIPC, ANY, sizeof(struct sockaddr_tipc), make_tipc },
    { AF_ALG, ANY, sizeof(struct sockaddr_alg), make_alg },
    { AF_CAN, CAN_ISOTP, offsetof(struct sockaddr_can, can_addr) + 8, make_isotp },
    { AF_CAN, CAN_J1939, offsetof(struct sockaddr_can, can_addr) + 13, make_j1939 },
    { AF_CAN, ANY, offsetof(struct sockaddr_can, can_addr), make_can },
    { AF_BLUETOOTH, BTPROTO_L2CAP, 13, make_l2cap },
    { AF_BLUETOOTH, BTPROTO_RFCOMM, 9, make_rfcomm },
    { AF_BLUETOOTH, BTPROTO_HCI, 6, make_hci },
    { AF_BLUETOOTH, BTPROTO_SCO, 8, make_sco },
};

/* Of a family that nobody knows: its number and bytes. */
static PyObject *make_unknown(const struct sockaddr *sa, socklen_t len)
{
    size_t size = len > offsetof(struct sockaddr, sa_data) ? len - offsetof(struct sockaddr, sa_data) : 0;
    return Py_BuildValue("(iy#)", sa->sa_family, sa->sa_data, (Py_ssize_t)size);
}

PyObject *address_to_python(const skt_addr *addr, int proto)
{
    socklen_t len;
    const struct sockaddr *sa = skt_addr_sockaddr(addr, &len);
    if (!sa || len == 0)
        Py_RETURN_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].family == sa->sa_family && (rows[i].proto == ANY || rows[i].proto == proto))
            return len >= rows[i].size ? rows[i].make(addr) : make_unknown(sa, len);
    return make_unknown(sa, len);
}
