/* address.c - an address, from Python's tuple to skt's: a row for each family.
 *
 * Only what a tuple holds is looked at here.  What a host, an interface or a path means is
 * found by the library in the call that uses the address. */
#include "module.h"
#include <linux/can.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/tipc.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

typedef bool reader(PyObject *arg, const char *caller, skt_addr *addr);

/* ---- IP ---- */

static bool bad_number(const char *caller, const char *what)
{
    PyErr_Format(PyExc_OverflowError, "%s(): %s", caller, what);
    return false;
}

/* After PyArg_ParseTuple has failed: a port that is too large for it is like any other that is. */
static bool bad_port_or(const char *caller)
{
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError))
        bad_number(caller, "port must be 0-65535.");
    return false;
}

static bool is_port(int port)
{
    return port >= 0 && port <= 0xffff;
}

/* (host, port), as nearly every program has it: without PyArg_ParseTuple. */
static bool read_pair(PyObject *arg, const char *caller, struct host *host, int *port)
{
    if (!args_host(PyTuple_GET_ITEM(arg, 0), host))
        return false;
    if (args_int(PyTuple_GET_ITEM(arg, 1), port) && is_port(*port))
        return true;
    host_release(host);
    return bad_port_or(caller);
}

static bool read_inet(PyObject *arg, const char *caller, skt_addr *addr)
{
    struct host host;
    int port;
    if (PyTuple_GET_SIZE(arg) != 2) {
        PyErr_SetString(PyExc_TypeError, "AF_INET address must be a pair (host, port)");
        return false;
    }
    if (!read_pair(arg, caller, &host, &port))
        return false;
    *addr = skt_inet(host.text, port);
    host_release(&host);
    return true;
}

static bool read_inet6(PyObject *arg, const char *caller, skt_addr *addr)
{
    struct host host;
    int port;
    unsigned flowinfo = 0, scope_id = 0;
    if (!PyArg_ParseTuple(arg, "O&i|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])",
                          args_host_converter, &host, &port, &flowinfo, &scope_id))
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? bad_port_or(caller) : false;
    bool good =
        is_port(port) ? flowinfo <= 0xfffff || bad_number(caller, "flowinfo must be 0-1048575.") : bad_port_or(caller);
    if (good)
        *addr = skt_inet6(host.text, port, flowinfo, scope_id);
    host_release(&host);
    return good;
}

/* ---- AF_UNIX: str or bytes, no tuple ---- */

static bool unix_of_bytes(const char *path, size_t len, skt_addr *addr)
{
    bool abstract = len == 0 || path[0] == '\0';
    if (len + !abstract > sizeof addr->as.unix_.sun_path) {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
        return false;
    }
    if (!abstract)
        *addr = skt_unix(path);
    else
        *addr = skt_abstract(len ? path + 1 : "", len ? len - 1 : 0);
    return true;
}

static bool read_unix(PyObject *arg, const char *caller, skt_addr *addr)
{
    Py_buffer buffer;
    (void)caller;
    PyObject *bytes = PyUnicode_Check(arg) ? PyUnicode_EncodeFSDefault(arg) : NULL;
    if (PyUnicode_Check(arg) && !bytes)
        return false;
    int result = PyObject_GetBuffer(bytes ? bytes : arg, &buffer, PyBUF_SIMPLE);
    if (result == 0) {
        char path[sizeof addr->as.unix_.sun_path + 1] = "";
        size_t len = (size_t)buffer.len;
        memcpy(path, buffer.buf, len < sizeof path ? len : sizeof path - 1); /* with a NUL behind it */
        result = unix_of_bytes(path, len, addr) ? 0 : -1;
        PyBuffer_Release(&buffer);
    }
    Py_XDECREF(bytes);
    return result == 0;
}

/* ---- The kernel's own ---- */

static bool read_netlink(PyObject *arg, const char *caller, skt_addr *addr)
{
    unsigned pid, groups;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "II;AF_NETLINK address must be a pair (pid, groups)", &pid, &groups))
        return false;
    *addr = skt_netlink(pid, groups);
    return true;
}

static bool read_qipcrtr(PyObject *arg, const char *caller, skt_addr *addr)
{
    unsigned node, port;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "II;AF_QIPCRTR address must be a pair (node, port)", &node, &port))
        return false;
    *addr = skt_qipcrtr(node, port);
    return true;
}

static bool read_vsock(PyObject *arg, const char *caller, skt_addr *addr)
{
    unsigned cid, port;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "II;AF_VSOCK address must be a pair (CID, port)", &cid, &port))
        return false;
    *addr = skt_vsock(cid, port);
    return true;
}

/* What names no interface, as the kernel says it (to skt "" is all of them). */
static bool is_interface(const char *name)
{
    if (*name && strlen(name) < IFNAMSIZ)
        return true;
    raise_errno(ENODEV);
    return false;
}

static bool read_packet(PyObject *arg, const char *caller, skt_addr *addr)
{
    const char *ifname;
    int proto, pkttype = PACKET_HOST, hatype = 0;
    Py_buffer hardware = { 0 };
    bool good = false;
    if (!PyArg_ParseTuple(arg, "si|iiy*;AF_PACKET address must be a tuple of two to five elements", &ifname, &proto,
                          &pkttype, &hatype, &hardware))
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? bad_number(caller, "address argument out of range")
                                                           : false;
    if (hardware.buf && hardware.len > 8)
        PyErr_SetString(PyExc_ValueError, "Hardware address must be 8 bytes or less");
    else if (proto < 0 || proto > 0xffff)
        bad_number(caller, "proto must be 0-65535.");
    else
        good = is_interface(ifname);
    if (good)
        *addr = skt_packet(ifname, proto, pkttype, hatype, hardware.buf, (size_t)hardware.len);
    if (hardware.obj)
        PyBuffer_Release(&hardware);
    return good;
}

static bool read_tipc(PyObject *arg, const char *caller, skt_addr *addr)
{
    unsigned type, v1, v2, v3, scope = TIPC_CLUSTER_SCOPE;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "IIII|I;AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])", &type, &v1,
                          &v2, &v3, &scope))
        return false;
    if (type != TIPC_ADDR_NAME && type != TIPC_ADDR_NAMESEQ && type != TIPC_ADDR_ID) {
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return false;
    }
    *addr = skt_tipc((int)type, v1, v2, v3, (int)scope);
    return true;
}

static bool read_alg(PyObject *arg, const char *caller, skt_addr *addr)
{
    const char *type, *name;
    unsigned short feat = 0, mask = 0;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "ss|HH;AF_ALG address must be a tuple (type, name[, feat[, mask]])", &type, &name, &feat,
                          &mask))
        return false;
    if (strlen(type) > 13 || strlen(name) > 63) { /* sockaddr_alg's, with their NULs */
        PyErr_SetString(PyExc_ValueError, strlen(type) > 13 ? "AF_ALG type too long." : "AF_ALG name too long.");
        return false;
    }
    *addr = skt_alg(type, name, feat, mask);
    return true;
}

/* ---- AF_CAN ---- */

/* The interface of a CAN address: bytes that hold its name, or NULL with an exception. */
static PyObject *read_interface(PyObject *name)
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(name, &bytes))
        return NULL;
    if (PyBytes_GET_SIZE(bytes) < IFNAMSIZ)
        return bytes;
    PyErr_SetString(PyExc_OSError, "AF_CAN interface name too long");
    Py_DECREF(bytes);
    return NULL;
}

static bool read_can(PyObject *arg, const char *caller, skt_addr *addr)
{
    PyObject *name;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "O;AF_CAN address must be a tuple (interface, )", &name) ||
        !(name = read_interface(name)))
        return false;
    *addr = skt_can(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    return true;
}

static bool read_isotp(PyObject *arg, const char *caller, skt_addr *addr)
{
    PyObject *name;
    unsigned long rx, tx;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "Okk;AF_CAN address must be a tuple (interface, rx_addr, tx_addr)", &name, &rx, &tx) ||
        !(name = read_interface(name)))
        return false;
    *addr = skt_can_isotp(PyBytes_AS_STRING(name), (uint32_t)rx, (uint32_t)tx);
    Py_DECREF(name);
    return true;
}

static bool read_j1939(PyObject *arg, const char *caller, skt_addr *addr)
{
    PyObject *name;
    unsigned long long j1939_name;
    unsigned pgn;
    unsigned char address;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "OKIB;AF_CAN address must be a tuple (interface, name, pgn, addr)", &name, &j1939_name,
                          &pgn, &address) ||
        !(name = read_interface(name)))
        return false;
    *addr = skt_can_j1939(PyBytes_AS_STRING(name), j1939_name, pgn, address);
    Py_DECREF(name);
    return true;
}

/* ---- AF_BLUETOOTH ---- */

static bool read_l2cap(PyObject *arg, const char *caller, skt_addr *addr)
{
    const char *device;
    unsigned short psm, cid = 0;
    unsigned char type = 0;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "sH|HB;L2CAP address must be a tuple (bdaddr, psm[, cid[, bdaddr_type]])", &device, &psm,
                          &cid, &type))
        return false;
    *addr = skt_l2cap(device, psm, cid, type);
    return true;
}

static bool read_rfcomm(PyObject *arg, const char *caller, skt_addr *addr)
{
    const char *device;
    unsigned char channel;
    (void)caller;
    if (!PyArg_ParseTuple(arg, "sB;RFCOMM address must be a pair (bdaddr, channel)", &device, &channel))
        return false;
    *addr = skt_rfcomm(device, channel);
    return true;
}

/* device, (device,) or (device, channel) */
static bool read_hci(PyObject *arg, const char *caller, skt_addr *addr)
{
    unsigned short device, channel = 0;
    (void)caller;
    PyObject *tuple = PyTuple_Check(arg) ? Py_NewRef(arg) : PyTuple_Pack(1, arg);
    bool good = tuple && PyArg_ParseTuple(tuple, "H|H;HCI address must be a device or a pair (device, channel)",
                                          &device, &channel);
    Py_XDECREF(tuple);
    if (good)
        *addr = skt_hci(device, channel);
    return good;
}

static bool read_sco(PyObject *arg, const char *caller, skt_addr *addr)
{
    const char *device = PyUnicode_Check(arg) ? PyUnicode_AsUTF8(arg)
                         : PyBytes_Check(arg) ? PyBytes_AS_STRING(arg)
                                              : "";
    if (!device)
        return false;
    if (!*device) {
        PyErr_Format(PyExc_OSError, "%s(): wrong format", caller);
        return false;
    }
    *addr = skt_sco(device);
    return true;
}

/* ---- The table ---- */

#define ANY (-1)

static const struct row {
    int family, proto; /* ANY protocol */
    const char *name;  /* the tuple's, in messages; NULL: it need not be a tuple */
    reader *read;
} rows[] = {
    { AF_INET, ANY, "AF_INET", read_inet },
    { AF_INET6, ANY, "AF_INET6", read_inet6 },
    { AF_UNIX, ANY, NULL, read_unix },
    { AF_RDS, ANY, "AF_RDS", read_inet },
    { AF_NETLINK, ANY, "AF_NETLINK", read_netlink },
    { AF_QIPCRTR, ANY, "AF_QIPCRTR", read_qipcrtr },
    { AF_VSOCK, ANY, "AF_VSOCK", read_vsock },
    { AF_PACKET, ANY, "AF_PACKET", read_packet },
    { AF_TIPC, ANY, "AF_TIPC", read_tipc },
    { AF_ALG, ANY, "AF_ALG", read_alg },
    { AF_CAN, CAN_RAW, "AF_CAN", read_can },
    { AF_CAN, CAN_BCM, "AF_CAN", read_can },
    { AF_CAN, CAN_ISOTP, "AF_CAN", read_isotp },
    { AF_CAN, CAN_J1939, "AF_CAN", read_j1939 },
    { AF_BLUETOOTH, BTPROTO_L2CAP, "L2CAP", read_l2cap },
    { AF_BLUETOOTH, BTPROTO_RFCOMM, "RFCOMM", read_rfcomm },
    { AF_BLUETOOTH, BTPROTO_HCI, NULL, read_hci },
    { AF_BLUETOOTH, BTPROTO_SCO, NULL, read_sco },
};

static const struct row *row_of(const socket_object *s)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].family == s->family && (rows[i].proto == ANY || rows[i].proto == s->proto))
            return &rows[i];
    return NULL;
}

/* A socket that never waits looks names up all the same, as CPython's does (the library would say that the time is up).
 */
static bool look_up_now(socket_object *s, skt_addr *addr)
{
    char service[16];
    skt_addrinfo *found;
    Py_ssize_t n;
    bool is_name = (s->family == AF_INET || s->family == AF_INET6) && !skt_addr_sockaddr(addr, NULL);
    if (is_name && skt_port(addr) < 0) { /* longer than names are */
        raise_gaierror(s->module, EAI_NONAME, NULL);
        return false;
    }
    if (!is_name || !handle_of(s) || skt_gettimeout(handle_of(s)) != 0)
        return true;
    snprintf(service, sizeof service, "%d", skt_port(addr));
    WITHOUT_GIL(n = skt_getaddrinfo(skt_host(addr), service, s->family, SOCK_DGRAM, 0, 0, SKT_NO_TIMEOUT, &found));
    if (n < 0) {
        raise_failure(s->module);
        return false;
    }
    *addr = found[0].addr;
    skt_freeaddrinfo(found);
    return true;
}

bool address_from_python(socket_object *s, PyObject *arg, const char *caller, skt_addr *addr)
{
    const struct row *row = row_of(s);
    if (row && (!row->name || PyTuple_Check(arg)))
        return row->read(arg, caller, addr) && look_up_now(s, addr);
    if (row)
        PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", caller, row->name,
                     Py_TYPE(arg)->tp_name);
    else if (s->family == AF_CAN)
        PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol", caller);
    else if (s->family == AF_BLUETOOTH)
        PyErr_Format(PyExc_OSError, "%s(): unknown Bluetooth protocol", caller);
    else
        PyErr_Format(PyExc_OSError, "%s(): bad family", caller);
    return false;
}
