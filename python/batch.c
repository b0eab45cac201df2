/* batch.c - datagrams in batches, which CPython's sockets lack: recvmmsg and sendmmsg. */
#include "module.h"
#include <limits.h>
#include <string.h>

/* ---- Receiving ---- */

struct batch {
    size_t n;
    skt_datagram *list;
    skt_addr *addrs; /* one for each */
    char *buf;
};

static void batch_free(struct batch *b)
{
    PyMem_Free(b->list);
    PyMem_Free(b->addrs);
    PyMem_Free(b->buf);
}

static bool batch_alloc(struct batch *b, size_t n, size_t size)
{
    *b = (struct batch){ n, PyMem_New(skt_datagram, n), PyMem_New(skt_addr, n), PyMem_Malloc(size) };
    if (!b->list || !b->addrs || !b->buf) {
        batch_free(b);
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < n; i++)
        b->list[i] = (skt_datagram){ .addr = &b->addrs[i] };
    return true;
}

/* The tuple of a sender; many datagrams have the same one. */
static PyObject *sender(socket_object *s, const skt_addr *addr, const skt_addr *before, PyObject *tuple)
{
    if (tuple && addr->len == before->len && memcmp(&addr->as, &before->as, addr->len) == 0)
        return Py_NewRef(tuple);
    return address_to_python(addr, s->proto);
}

static PyObject *make_pair(const skt_datagram *d, PyObject *address)
{
    PyObject *data = PyBytes_FromStringAndSize(d->data, (Py_ssize_t)d->len);
    PyObject *pair = data ? PyTuple_Pack(2, data, address) : NULL;
    Py_XDECREF(data);
    return pair;
}

static PyObject *make_list(socket_object *s, const skt_datagram *list, Py_ssize_t n)
{
    PyObject *result = PyList_New(n), *address = NULL;
    for (Py_ssize_t i = 0; result && i < n; i++) {
        PyObject *next = sender(s, list[i].addr, list[i ? i - 1 : 0].addr, address);
        Py_XDECREF(address);
        address = next;
        PyObject *pair = address ? make_pair(&list[i], address) : NULL;
        if (pair)
            PyList_SET_ITEM(result, i, pair);
        else
            Py_CLEAR(result);
    }
    Py_XDECREF(address);
    return result;
}

static PyObject *receive(socket_object *s, size_t count, size_t size, int flags)
{
    struct batch b;
    Py_ssize_t n = -1;
    if (!batch_alloc(&b, count, count * size))
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(n = skt_recvmmsg(h, b.list, count, b.buf, count * size, flags));
    PyObject *result = n < 0 ? raise_for(s) : make_list(s, b.list, n);
    batch_free(&b);
    return result;
}

METHOD(socket_recvmmsg)
{
    Py_ssize_t count, size;
    int flags = 0;
    if (!args_count("recvmmsg", n, 2, 3) || !args_size(args[0], &count) || !args_size(args[1], &size) ||
        (n == 3 && !args_int(args[2], &flags)))
        return NULL;
    if (count < 1 || size < 1 || count > INT_MAX || size > INT_MAX / count)
        return PyErr_Format(PyExc_ValueError, "recvmmsg(): count and bufsize must be at least 1, and not too large");
    return receive((socket_object *)self, (size_t)count, (size_t)size, flags);
}

/* ---- Sending ---- */

struct outgoing {
    size_t n; /* those that are held */
    skt_datagram *list;
    Py_buffer *buffers;
    skt_addr *addrs;
};

static void outgoing_release(struct outgoing *o)
{
    for (size_t i = 0; i < o->n; i++)
        PyBuffer_Release(&o->buffers[i]);
    PyMem_Free(o->list);
    PyMem_Free(o->buffers);
    PyMem_Free(o->addrs);
}

/* The address of an item; the same object as in the item before needs no second reading. */
static bool read_address(socket_object *s, struct outgoing *o, PyObject *address, PyObject *before)
{
    if (address == before)
        o->list[o->n].addr = o->list[o->n - 1].addr;
    else if (address_from_python(s, address, "sendmmsg", &o->addrs[o->n]) &&
             PySys_Audit("socket.sendto", "OO", s, address) == 0)
        o->list[o->n].addr = &o->addrs[o->n];
    else
        return false;
    return true;
}

/* data, or (data, address); *before: the address of the item before this one, or NULL. */
static bool read_item(socket_object *s, struct outgoing *o, PyObject *item, PyObject **before)
{
    PyObject *data = item, *address = NULL;
    o->list[o->n] = (skt_datagram){ 0 };
    if (PyTuple_Check(item) &&
        !PyArg_ParseTuple(item, "OO;a datagram must be data or a pair (data, address)", &data, &address))
        return false;
    if (address && !read_address(s, o, address, *before))
        return false;
    *before = address;
    if (PyObject_GetBuffer(data, &o->buffers[o->n], PyBUF_SIMPLE) < 0)
        return false;
    o->list[o->n].data = o->buffers[o->n].buf;
    o->list[o->n].len = (size_t)o->buffers[o->n].len;
    o->n++;
    return true;
}

static bool read_items(socket_object *s, struct outgoing *o, PyObject *items)
{
    size_t n = (size_t)PySequence_Fast_GET_SIZE(items);
    PyObject *before = NULL;
    *o = (struct outgoing){ 0, PyMem_New(skt_datagram, n), PyMem_New(Py_buffer, n), PyMem_New(skt_addr, n) };
    if (!o->list || !o->buffers || !o->addrs) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!read_item(s, o, PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i), &before))
            return false;
    return true;
}

METHOD(socket_sendmmsg)
{
    socket_object *s = (socket_object *)self;
    struct outgoing o;
    int flags = 0;
    Py_ssize_t sent = -1;
    if (!args_count("sendmmsg", n, 1, 2) || (n == 2 && !args_int(args[1], &flags)))
        return NULL;
    PyObject *items = args_items(args[0], "sendmmsg() argument 1 must be an iterable");
    if (!items)
        return NULL;
    if (read_items(s, &o, items)) {
        skt *h = handle_of(s);
        if (h)
            WITHOUT_GIL(sent = skt_sendmmsg(h, o.list, o.n, flags));
        if (sent < 0)
            raise_for(s);
    }
    outgoing_release(&o);
    Py_DECREF(items);
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}
