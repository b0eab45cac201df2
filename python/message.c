/* message.c - recvmsg and sendmsg: data in pieces, with ancillary data. */
#include "module.h"
#include <limits.h>
#include <linux/if_alg.h>
#include <string.h>

/* ---- Buffers, as many as an iterable gives ---- */

#define READABLE "y*;sendmsg() argument 1 must be an iterable of bytes-like objects"
#define WRITABLE "w*;recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"

struct buffers {
    Py_buffer *list;
    struct iovec *iov;
    size_t n; /* those that are held */
};

static void buffers_release(struct buffers *b)
{
    for (size_t i = 0; i < b->n; i++)
        PyBuffer_Release(&b->list[i]);
    PyMem_Free(b->list);
    PyMem_Free(b->iov);
    *b = (struct buffers){ 0 };
}

static bool buffers_fill(struct buffers *b, PyObject *sequence, const char *format)
{
    size_t n = (size_t)PySequence_Fast_GET_SIZE(sequence);
    if (n == 0)
        return true;
    b->list = PyMem_New(Py_buffer, n);
    b->iov = PyMem_New(struct iovec, n);
    if (!b->list || !b->iov) {
        PyErr_NoMemory();
        return false;
    }
    while (b->n < n) {
        if (!PyArg_Parse(PySequence_Fast_GET_ITEM(sequence, (Py_ssize_t)b->n), format, &b->list[b->n]))
            return false;
        b->iov[b->n] = (struct iovec){ b->list[b->n].buf, (size_t)b->list[b->n].len };
        b->n++;
    }
    return true;
}

/* format: of one of them, for PyArg_Parse.  Release b after success. */
static bool buffers_get(struct buffers *b, PyObject *iterable, const char *format, const char *function)
{
    char message[64];
    *b = (struct buffers){ 0 };
    snprintf(message, sizeof message, "%s() argument 1 must be an iterable", function);
    PyObject *sequence = args_items(iterable, message);
    if (!sequence)
        return false;
    bool good = PySequence_Fast_GET_SIZE(sequence) <= INT_MAX;
    if (!good)
        PyErr_Format(PyExc_OSError, "%s() argument 1 is too long", function);
    good = good && buffers_fill(b, sequence, format);
    Py_DECREF(sequence);
    if (!good)
        buffers_release(b);
    return good;
}

/* ---- Receiving ---- */

/* One item of a list, or NULL with an exception; *last: what follows cannot be read. */
static PyObject *make_item(const skt_cmsg *item)
{
    if (item->truncated &&
        PyErr_WarnEx(PyExc_RuntimeWarning, "received malformed or improperly-truncated ancillary data", 1) < 0)
        return NULL;
    return Py_BuildValue("(iiy#)", item->level, item->type, item->data, (Py_ssize_t)item->len);
}

static PyObject *make_ancillary(const skt_msg *msg)
{
    skt_cmsg item = { 0 };
    PyObject *list = PyList_New(0);
    while (list && skt_next_cmsg(msg, &item)) {
        PyObject *tuple = make_item(&item);
        if (!tuple || PyList_Append(list, tuple) < 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
        if (item.truncated)
            break;
    }
    return list;
}

/* (first, ancillary data, flags, address); takes first over, which may be NULL after an exception. */
static PyObject *make_result(socket_object *s, PyObject *first, const skt_msg *msg)
{
    PyObject *ancillary = first ? make_ancillary(msg) : NULL;
    PyObject *address = ancillary ? address_to_python(msg->addr, s->proto) : NULL;
    PyObject *result = address ? Py_BuildValue("(OOiO)", first, ancillary, msg->flags, address) : NULL;
    Py_XDECREF(address);
    Py_XDECREF(ancillary);
    Py_XDECREF(first);
    if (!result)
        skt_close_rights(msg);
    return result;
}

static bool control_alloc(skt_msg *msg, Py_ssize_t size)
{
    if (size < 0 || size > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "invalid ancillary data buffer length");
        return false;
    }
    msg->controlsize = (size_t)size;
    if (size > 0 && !(msg->control = PyMem_Malloc((size_t)size)))
        PyErr_NoMemory();
    return size == 0 || msg->control;
}

static Py_ssize_t receive(socket_object *s, skt_msg *msg, int flags)
{
    Py_ssize_t n = -1;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(n = skt_recvmsg(h, msg, flags));
    if (n < 0)
        raise_for(s);
    return n;
}

/* [ancbufsize[, flags]], the arguments behind the first. */
static bool read_rest(const char *function, PyObject *const *args, Py_ssize_t n, Py_ssize_t *ancbufsize, int *flags)
{
    *ancbufsize = *flags = 0;
    return args_count(function, n, 1, 3) && (n < 2 || args_size(args[1], ancbufsize)) &&
           (n < 3 || args_int(args[2], flags));
}

static PyObject *recvmsg_bytes(socket_object *s, Py_ssize_t size, Py_ssize_t ancbufsize, int flags)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size), *result = NULL;
    if (!bytes)
        return NULL;
    skt_addr addr;
    struct iovec iov = { PyBytes_AS_STRING(bytes), (size_t)size };
    skt_msg msg = { .iov = &iov, .iovlen = 1, .addr = &addr };
    Py_ssize_t n = control_alloc(&msg, ancbufsize) ? receive(s, &msg, flags) : -1;
    if (n < 0)
        Py_CLEAR(bytes);
    else {
        if (n < size) /* more with MSG_TRUNC */
            _PyBytes_Resize(&bytes, n);
        result = make_result(s, bytes, &msg);
    }
    PyMem_Free(msg.control);
    return result;
}

METHOD(socket_recvmsg)
{
    Py_ssize_t size, ancbufsize;
    int flags;
    if (!read_rest("recvmsg", args, n, &ancbufsize, &flags) || !args_size(args[0], &size))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffer size in recvmsg()");
        return NULL;
    }
    return recvmsg_bytes((socket_object *)self, size, ancbufsize, flags);
}

METHOD(socket_recvmsg_into)
{
    socket_object *s = (socket_object *)self;
    Py_ssize_t ancbufsize;
    int flags;
    struct buffers buffers;
    skt_addr addr;
    if (!read_rest("recvmsg_into", args, n, &ancbufsize, &flags) ||
        !buffers_get(&buffers, args[0], WRITABLE, "recvmsg_into"))
        return NULL;
    skt_msg msg = { .iov = buffers.iov, .iovlen = buffers.n, .addr = &addr };
    Py_ssize_t got = control_alloc(&msg, ancbufsize) ? receive(s, &msg, flags) : -1;
    PyObject *result = got < 0 ? NULL : make_result(s, PyLong_FromSsize_t(got), &msg);
    PyMem_Free(msg.control);
    buffers_release(&buffers);
    return result;
}

/* ---- Sending ---- */

/* Bytes that the items of ancillary data take; 0 with an exception, if it is set. */
static size_t control_size(PyObject *items)
{
    size_t sum = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        int level, type;
        Py_buffer data;
        if (!PyArg_Parse(PySequence_Fast_GET_ITEM(items, i), "(iiy*):[sendmsg() ancillary data items]", &level, &type,
                         &data))
            return 0;
        size_t len = (size_t)data.len;
        PyBuffer_Release(&data);
        if (len > INT_MAX - 1024) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return 0;
        }
        sum += CMSG_SPACE(len);
        if (sum > INT_MAX) {
            PyErr_SetString(PyExc_OSError, "too much ancillary data");
            return 0;
        }
    }
    return sum;
}

static bool put_item(skt_msg *msg, PyObject *item)
{
    int level, type;
    Py_buffer data;
    if (!PyArg_Parse(item, "(iiy*):[sendmsg() ancillary data items]", &level, &type, &data))
        return false;
    bool good = skt_put_cmsg(msg, level, type, data.buf, (size_t)data.len) == 0;
    PyBuffer_Release(&data);
    if (!good) /* it has grown since it was measured */
        PyErr_SetString(PyExc_RuntimeError, "ancillary data does not fit in calculated space");
    return good;
}

static bool put_items(skt_msg *msg, PyObject *items)
{
    msg->controlsize = control_size(items);
    if (PyErr_Occurred())
        return false;
    if (msg->controlsize == 0)
        return true;
    msg->control = PyMem_Calloc(1, msg->controlsize);
    if (!msg->control) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++)
        if (!put_item(msg, PySequence_Fast_GET_ITEM(items, i)))
            return false;
    return true;
}

static bool read_ancillary(skt_msg *msg, PyObject *arg)
{
    PyObject *items = args_items(arg, "sendmsg() argument 2 must be an iterable");
    bool good = items && put_items(msg, items);
    Py_XDECREF(items);
    return good;
}

/* Of [ancillary data[, flags[, address]]], the arguments behind the first, the last two. */
static bool read_target(socket_object *s, PyObject *const *args, Py_ssize_t n, skt_msg *msg, int *flags, skt_addr *addr)
{
    PyObject *target = n > 3 ? args[3] : Py_None;
    *flags = 0;
    if (n > 2 && !args_int(args[2], flags))
        return false;
    if (target != Py_None) {
        if (!address_from_python(s, target, "sendmsg", addr))
            return false;
        msg->addr = addr;
    }
    return PySys_Audit("socket.sendmsg", "OO", s, target) == 0;
}

METHOD(socket_sendmsg)
{
    socket_object *s = (socket_object *)self;
    struct buffers buffers;
    skt_addr addr;
    int flags;
    Py_ssize_t sent = -1;
    skt_msg msg = { 0 };
    if (!args_count("sendmsg", n, 1, 4) || !read_target(s, args, n, &msg, &flags, &addr) ||
        !buffers_get(&buffers, args[0], READABLE, "sendmsg"))
        return NULL;
    msg.iov = buffers.iov;
    msg.iovlen = buffers.n;
    if (n < 2 || read_ancillary(&msg, args[1])) {
        skt *h = handle_of(s);
        if (h)
            WITHOUT_GIL(sent = skt_sendmsg(h, &msg, flags));
        if (sent < 0)
            raise_for(s);
    }
    PyMem_Free(msg.control);
    buffers_release(&buffers);
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}

/* ---- AF_ALG ---- */

static PyObject *send_afalg(socket_object *s, PyObject *pieces, int op, const Py_buffer *iv, int assoclen, int flags)
{
    struct buffers buffers = { 0 };
    Py_ssize_t sent = -1;
    if (pieces && !buffers_get(&buffers, pieces, READABLE, "sendmsg_afalg"))
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(sent = skt_sendmsg_afalg(h, buffers.iov, buffers.n, op, iv->buf, (size_t)iv->len, assoclen, flags));
    buffers_release(&buffers);
    return sent < 0 ? raise_for(s) : PyLong_FromSsize_t(sent);
}

/* What it needs, and CPython's words where it is not there. */
static bool read_afalg(int op, PyObject *assoc, int *assoclen)
{
    *assoclen = -1;
    if (assoc && (!args_int(assoc, assoclen) || *assoclen < 0)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "assoclen must be positive");
    } else if (op < 0)
        PyErr_SetString(PyExc_TypeError, "Invalid or missing argument 'op'");
    else
        return true;
    return false;
}

METHOD_KEYWORDS(socket_sendmsg_afalg)
{
    static const char *const names[] = { "msg", "op", "iv", "assoclen", "flags", NULL };
    socket_object *s = (socket_object *)self;
    PyObject *pieces = NULL, *assoc = NULL, *result = NULL;
    int op = -1, assoclen, flags = 0;
    Py_buffer iv = { 0 };
    if (s->family != AF_ALG)
        return PyErr_Format(PyExc_OSError, "algset is only supported for AF_ALG");
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O$iy*Oi:sendmsg_afalg", (char **)names, &pieces, &op, &iv,
                                     &assoc, &flags))
        return NULL;
    if (read_afalg(op, assoc, &assoclen))
        result = send_afalg(s, pieces, op, &iv, assoclen, flags);
    if (iv.obj)
        PyBuffer_Release(&iv);
    return result;
}
