/* object.c - _socket.socket: how an object begins and ends.
 *
 * An object holds an skt.  The members that _ssl reads (module.h) say the same as the skt, but
 * for one thing: a descriptor that was non-blocking before socket(fileno=...) took it has
 * Python's timeout None and yet never waits; its skt has timeout 0. */
#include "module.h"
#include <math.h>
#include <structmember.h>
#include <unistd.h>

/* ---- Beginning ---- */

static PyObject *handle_errno(void)
{
    return raise_errno(errno);
}

static int64_t nanoseconds(double seconds)
{
    return seconds < 0 ? -1 : llrint(seconds * 1e9);
}

static void set_members(socket_object *self, int fd, int family, int type, int proto)
{
    self->fd = fd;
    self->family = family;
    self->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    self->proto = proto;
    self->timeout = type & SOCK_NONBLOCK ? 0 : nanoseconds(skt_getdefaulttimeout());
}

static PyObject *object_alloc(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)args, (void)keywords;
    socket_object *self = (socket_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->fd = -1;
    self->timeout = -1;
    self->errorhandler = handle_errno;
    return (PyObject *)self;
}

PyObject *object_new(struct module_state *module, int fd, int family, int type, int proto)
{
    socket_object *self = (socket_object *)object_alloc(module->type, NULL, NULL);
    if (!self) {
        close(fd);
        return NULL;
    }
    self->module = module;
    set_members(self, fd, family, type, proto);
    if (self->timeout > 0 || (self->timeout == 0 && !(type & SOCK_NONBLOCK)))
        handle_of(self); /* from the beginning it is non-blocking, as its timeout says */
    return (PyObject *)self;
}

/* A default timeout is the socket's, though its descriptor was non-blocking before. */
static bool keep_default(skt *s)
{
    double seconds = skt_getdefaulttimeout();
    return seconds < 0 || skt_gettimeout(s) == seconds || skt_settimeout(s, seconds) == 0;
}

skt *object_begin_use(socket_object *self)
{
    self->s = skt_fromfd_as(self->fd, self->family, self->type, self->proto);
    if (self->s)
        keep_default(self->s);
    return self->s;
}

/* socket(fileno=arg): false with an exception. */
static bool read_fd(PyObject *arg, int *fd)
{
    if (PyFloat_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "integer argument expected, got float");
        return false;
    }
    if (!args_int(arg, fd))
        return false;
    if (*fd < 0)
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
    return *fd >= 0;
}

static bool init_fd(socket_object *self, PyObject *arg, int family, int type, int proto)
{
    int fd;
    if (!read_fd(arg, &fd))
        return false;
    skt *s = self->s = skt_fromfd_as(fd, family, type, proto);
    if (!s) {
        raise_errno(errno);
        return false;
    }
    set_members(self, fd, family == -1 ? skt_family(s) : family, type == -1 ? skt_type(s) : type,
                proto == -1 ? skt_proto(s) : proto);
    if (!keep_default(s))
        raise_errno(errno);
    return !PyErr_Occurred();
}

static bool init_new(socket_object *self, int family, int type, int proto)
{
    skt *s;
    family = family == -1 ? AF_INET : family;
    type = type == -1 ? SOCK_STREAM : type;
    proto = proto == -1 ? 0 : proto;
    WITHOUT_GIL(s = self->s = skt_socket(family, type, proto));
    if (!s) {
        raise_errno(errno);
        return false;
    }
    set_members(self, skt_fileno(s), family, type, proto);
    return true;
}

/* The arguments of socket.socket.__init__; an array of four is what Lib/socket.py gives. */
static bool read_init(PyObject *args, PyObject *keywords, int *numbers, PyObject **fd)
{
    static const char *const names[] = { "family", "type", "proto", "fileno", NULL };
    if (keywords || PyTuple_GET_SIZE(args) != 4)
        return PyArg_ParseTupleAndKeywords(args, keywords, "|iiiO:socket", (char **)names, &numbers[0], &numbers[1],
                                           &numbers[2], fd);
    *fd = PyTuple_GET_ITEM(args, 3);
    return args_int(PyTuple_GET_ITEM(args, 0), &numbers[0]) && args_int(PyTuple_GET_ITEM(args, 1), &numbers[1]) &&
           args_int(PyTuple_GET_ITEM(args, 2), &numbers[2]);
}

/* Takes the skt and the descriptor out of the object, for whom it is closed from now on.  s NULL: there is only the
 * descriptor; -1: not even that. */
struct taken {
    skt *s;
    int fd;
};

static struct taken take_out(PyObject *op)
{
    socket_object *self = (socket_object *)op;
    struct taken taken = { self->s, self->fd };
    self->s = NULL;
    self->fd = -1;
    return taken;
}

/* As skt_close: 0, or -1 with errno. */
static int close_taken(struct taken taken)
{
    if (taken.s || taken.fd < 0)
        return skt_close(taken.s);
    return close(taken.fd);
}

/* What an object was before __init__ was called once more: closed, or, as that failed, still so.  (It may have been
 * given its own descriptor.) */
static void end_before(socket_object *self, struct taken before)
{
    if (!self->s) {
        self->s = before.s;
        self->fd = before.fd;
    } else if (before.fd != self->fd) {
        close_taken(before);
    } else if (before.s) {
        skt_detach(before.s);
    }
}

static int object_init(PyObject *op, PyObject *args, PyObject *keywords)
{
    socket_object *self = (socket_object *)op;
    int numbers[3] = { -1, -1, -1 };
    PyObject *fd = NULL;
    if (!read_init(args, keywords, numbers, &fd) ||
        PySys_Audit("socket.__new__", "Oiii", op, numbers[0], numbers[1], numbers[2]) < 0)
        return -1;
    self->module = state_of_type(Py_TYPE(op));
    struct taken before = take_out(op);
    bool done = fd && fd != Py_None ? init_fd(self, fd, numbers[0], numbers[1], numbers[2])
                                    : init_new(self, numbers[0], numbers[1], numbers[2]);
    end_before(self, before);
    return done ? 0 : -1;
}

/* ---- Ending ---- */

static PyObject *socket_close(PyObject *op, PyObject *unused)
{
    (void)unused;
    int result = 0;
    struct taken taken = take_out(op);
    WITHOUT_GIL(result = close_taken(taken));
    if (result < 0)
        return raise_errno(errno);
    Py_RETURN_NONE;
}

static PyObject *socket_detach(PyObject *op, PyObject *unused)
{
    (void)unused;
    struct taken taken = take_out(op);
    if (taken.s)
        WITHOUT_GIL(taken.fd = skt_detach(taken.s));
    return PyLong_FromLong(taken.fd);
}

/* Whoever forgets a socket is told, while the object still shows which one. */
static void object_finalize(PyObject *op)
{
    PyObject *type, *value, *traceback;
    if (((socket_object *)op)->fd < 0)
        return;
    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_ResourceWarning(op, 1, "unclosed %R", op) < 0 && PyErr_ExceptionMatches(PyExc_Warning))
        PyErr_WriteUnraisable(op);
    close_taken(take_out(op));
    PyErr_Restore(type, value, traceback);
}

static void object_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0)
        return; /* somebody has it again */
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- What it says of itself ---- */

static PyObject *object_repr(PyObject *op)
{
    const socket_object *s = (socket_object *)op;
    return PyUnicode_FromFormat("<socket object, fd=%d, family=%d, type=%d, proto=%d>", s->fd, s->family, s->type,
                                s->proto);
}

static PyObject *socket_fileno(PyObject *op, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(((socket_object *)op)->fd);
}

static PyObject *get_timeout(PyObject *op, void *unused)
{
    (void)unused;
    return socket_gettimeout(op, NULL);
}

/* ---- The type ---- */

static PyMethodDef methods[] = {
    { "_accept", socket_accept, METH_NOARGS,
      "_accept() -> (fd, address)\n\nWait for a connection; the descriptor is not inheritable." },
    { "bind", socket_bind, METH_O, "bind(address)\n\nGive the socket its own address." },
    { "close", socket_close, METH_NOARGS,
      "close()\n\nEnd the socket. A call that waits in it on another thread fails with EBADF." },
    { "connect", socket_connect, METH_O, "connect(address)\n\nConnect; names included, within the timeout." },
    { "connect_ex", socket_connect_ex, METH_O, "connect_ex(address) -> errno\n\nConnect; 0 is success." },
    { "detach", socket_detach, METH_NOARGS, "detach() -> fd\n\nEnd the object and hand back its descriptor." },
    { "fileno", socket_fileno, METH_NOARGS, "fileno() -> fd\n\nThe descriptor, -1 once closed." },
    { "getblocking", socket_getblocking, METH_NOARGS, "getblocking() -> bool\n\nWhether the timeout is not 0." },
    { "getpeername", socket_getpeername, METH_NOARGS, "getpeername() -> address\n\nThe other end's address." },
    { "getsockname", socket_getsockname, METH_NOARGS, "getsockname() -> address\n\nThis end's address." },
    { "getsockopt", FAST(socket_getsockopt), METH_FASTCALL,
      "getsockopt(level, option[, buflen]) -> int or bytes\n\nAn option's value; bytes if buflen (1 to 1024) is "
      "given." },
    { "gettimeout", socket_gettimeout, METH_NOARGS, "gettimeout() -> seconds or None\n\nHow long each call may take." },
    { "listen", FAST(socket_listen), METH_FASTCALL, "listen([backlog])\n\nLet others connect." },
    { "recv", FAST(socket_recv), METH_FASTCALL, "recv(bufsize[, flags]) -> bytes\n\nWait for data; b'' is the end." },
    { "recv_into", FAST(socket_recv_into), METH_VARARGS | METH_KEYWORDS,
      "recv_into(buffer[, nbytes[, flags]]) -> nbytes\n\nAs recv, into a buffer; nbytes 0: all of it." },
    { "recvfrom", FAST(socket_recvfrom), METH_FASTCALL,
      "recvfrom(bufsize[, flags]) -> (bytes, address)\n\nAs recv, with the sender's address." },
    { "recvfrom_into", FAST(socket_recvfrom_into), METH_VARARGS | METH_KEYWORDS,
      "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address)\n\nAs recvfrom, into a buffer." },
    { "recvmmsg", FAST(socket_recvmmsg), METH_FASTCALL,
      "recvmmsg(count, bufsize[, flags]) -> [(bytes, address), ...]\n\n"
      "Wait for a datagram and take all that are there, at most count, each of bufsize bytes at most.\n"
      "With UDP_GRO set the kernel may join them; they come apart again here, where count is 128\n"
      "at least and there is room for 64 KiB. (skt's own.)" },
    { "recvmsg", FAST(socket_recvmsg), METH_FASTCALL,
      "recvmsg(bufsize[, ancbufsize[, flags]]) -> (bytes, ancillary data, flags, address)\n\n"
      "A message with its ancillary data, a list of (level, type, bytes)." },
    { "recvmsg_into", FAST(socket_recvmsg_into), METH_FASTCALL,
      "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancillary data, flags, address)\n\n"
      "As recvmsg, into buffers, one after the other." },
    { "send", FAST(socket_send), METH_FASTCALL, "send(data[, flags]) -> nbytes\n\nSend what fits." },
    { "sendall", FAST(socket_sendall), METH_FASTCALL, "sendall(data[, flags])\n\nSend all, within one timeout." },
    { "sendmmsg", FAST(socket_sendmmsg), METH_FASTCALL,
      "sendmmsg(datagrams[, flags]) -> count\n\n"
      "Send datagrams with few system calls: each item is data, or (data, address).\n"
      "Runs of one address and one length go in one piece (UDP_SEGMENT) where the kernel can. (skt's own.)" },
    { "sendmsg", FAST(socket_sendmsg), METH_FASTCALL,
      "sendmsg(buffers[, ancillary data[, flags[, address]]]) -> nbytes\n\n"
      "Send one message out of buffers, with ancillary data, (level, type, data) for each item." },
    { "sendmsg_afalg", FAST(socket_sendmsg_afalg), METH_VARARGS | METH_KEYWORDS,
      "sendmsg_afalg([buffers], *, op[, iv[, assoclen[, flags]]]) -> nbytes\n\nA message for AF_ALG." },
    { "sendto", FAST(socket_sendto), METH_FASTCALL,
      "sendto(data[, flags], address) -> nbytes\n\nSend one datagram to an address." },
    { "setblocking", socket_setblocking, METH_O,
      "setblocking(flag)\n\nTrue is settimeout(None), False settimeout(0)." },
    { "setsockopt", FAST(socket_setsockopt), METH_FASTCALL,
      "setsockopt(level, option, value)\nsetsockopt(level, option, None, optlen)\n\nvalue: an int or bytes." },
    { "settimeout", socket_settimeout, METH_O,
      "settimeout(seconds)\n\nHow long each call may take; None: for ever, 0: not at all." },
    { "shutdown", socket_shutdown, METH_O, "shutdown(how)\n\nEnd one direction or both: SHUT_RD, SHUT_WR, SHUT_RDWR." },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef members[] = {
    { "family", T_INT, offsetof(socket_object, family), READONLY, "AF_INET ..." },
    { "type", T_INT, offsetof(socket_object, type), READONLY, "SOCK_STREAM ..." },
    { "proto", T_INT, offsetof(socket_object, proto), READONLY, "the protocol" },
    { NULL, 0, 0, 0, NULL },
};

static PyGetSetDef computed[] = {
    { "timeout", get_timeout, NULL, "seconds, or None", NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyDoc_STRVAR(doc, "socket(family=-1, type=-1, proto=-1, fileno=None)\n\n"
                  "A socket, made of libskt's. -1: AF_INET, SOCK_STREAM and the family's own protocol,\n"
                  "or with fileno what the descriptor is.");

static PyType_Slot slots[] = {
    { Py_tp_new, object_alloc },         { Py_tp_init, object_init },
    { Py_tp_finalize, object_finalize }, { Py_tp_dealloc, object_dealloc },
    { Py_tp_repr, object_repr },         { Py_tp_methods, methods },
    { Py_tp_members, members },          { Py_tp_getset, computed },
    { Py_tp_doc, (void *)doc },          { 0, NULL },
};

PyType_Spec object_spec = {
    .name = "_socket.socket",
    .basicsize = sizeof(socket_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
