/* io.c - bytes: recv, send and their like. */
#include "module.h"
#include <string.h>

/* What is at most so long is received on the stack: a bytes object of just the right
 * size costs less than a large one that is cut. */
#define SHORT 8192

static PyObject *negative(const char *function)
{
    return PyErr_Format(PyExc_ValueError, "negative buffersize in %s", function);
}

/* (bufsize[, flags]) */
static bool read_size(const char *function, PyObject *const *args, Py_ssize_t n, Py_ssize_t *size, int *flags)
{
    *flags = 0;
    if (!args_count(function, n, 1, 2) || !args_size(args[0], size) || (n == 2 && !args_int(args[1], flags)))
        return false;
    if (*size < 0)
        negative(function);
    return *size >= 0;
}

/* As skt_recv; from NULL: no address is wanted. */
static Py_ssize_t receive(socket_object *s, void *buf, size_t len, int flags, skt_addr *from)
{
    Py_ssize_t n = -1;
    if (len == 0 && !from)
        return 0; /* of a closed socket too */
    skt *h = handle_of(s);
    if (!h)
        return -1;
    if (from)
        WITHOUT_GIL(n = skt_recvfrom(h, buf, len, flags, from));
    else
        WITHOUT_GIL(n = skt_recv(h, buf, len, flags));
    return n;
}

/* With MSG_TRUNC a datagram's length may be more than was asked for: as in CPython the result has that length, and here
 * zeros behind what was received. */
static PyObject *fill_up(const char *received, Py_ssize_t size, Py_ssize_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (bytes) {
        memcpy(PyBytes_AS_STRING(bytes), received, (size_t)size);
        memset(PyBytes_AS_STRING(bytes) + size, 0, (size_t)(n - size));
    }
    return bytes;
}

static PyObject *receive_short(socket_object *s, Py_ssize_t size, int flags, skt_addr *from)
{
    char buf[SHORT];
    Py_ssize_t n = receive(s, buf, (size_t)size, flags, from);
    if (n > size)
        return fill_up(buf, size, n);
    return n < 0 ? raise_for(s) : PyBytes_FromStringAndSize(buf, n);
}

static PyObject *receive_bytes(socket_object *s, Py_ssize_t size, int flags, skt_addr *from)
{
    if (size <= SHORT)
        return receive_short(s, size, flags, from);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes)
        return NULL;
    Py_ssize_t n = receive(s, PyBytes_AS_STRING(bytes), (size_t)size, flags, from);
    if (n < 0) {
        raise_for(s);
        Py_CLEAR(bytes);
    } else if (n > size) {
        Py_SETREF(bytes, fill_up(PyBytes_AS_STRING(bytes), size, n));
    } else if (n < size) {
        _PyBytes_Resize(&bytes, n);
    }
    return bytes;
}

METHOD(socket_recv)
{
    Py_ssize_t size;
    int flags;
    return read_size("recv", args, n, &size, &flags) ? receive_bytes((socket_object *)self, size, flags, NULL) : NULL;
}

/* (first, address); takes first over. */
static PyObject *with_address(socket_object *s, PyObject *first, const skt_addr *addr)
{
    PyObject *address = address_to_python(addr, s->proto);
    PyObject *pair = address ? PyTuple_New(2) : NULL;
    if (!pair) {
        Py_DECREF(first);
        Py_XDECREF(address);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, first);
    PyTuple_SET_ITEM(pair, 1, address);
    return pair;
}

METHOD(socket_recvfrom)
{
    socket_object *s = (socket_object *)self;
    Py_ssize_t size;
    int flags;
    skt_addr from;
    if (!read_size("recvfrom", args, n, &size, &flags))
        return NULL;
    PyObject *bytes = receive_bytes(s, size, flags, &from);
    return bytes ? with_address(s, bytes, &from) : NULL;
}

/* ---- Into a buffer ---- */

struct place {
    Py_buffer buffer;
    Py_ssize_t len; /* bytes of it that are wanted */
    int flags;
};

static bool place_fits(const char *function, const char *too_small, const struct place *place)
{
    if (place->len < 0)
        negative(function);
    else if (place->len > place->buffer.len)
        PyErr_SetString(PyExc_ValueError, too_small);
    else
        return true;
    return false;
}

/* (buffer[, nbytes[, flags]]); release place->buffer after success. */
static bool read_place(const char *function, const char *format, const char *too_small, PyObject *args,
                       PyObject *keywords, struct place *place)
{
    static const char *const names[] = { "buffer", "nbytes", "flags", NULL };
    *place = (struct place){ 0 };
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, (char **)names, &place->buffer, &place->len,
                                     &place->flags))
        return false;
    if (!place_fits(function, too_small, place)) {
        PyBuffer_Release(&place->buffer);
        return false;
    }
    if (place->len == 0)
        place->len = place->buffer.len;
    return true;
}

static Py_ssize_t receive_into(socket_object *s, struct place *place, skt_addr *from)
{
    Py_ssize_t n = receive(s, place->buffer.buf, (size_t)place->len, place->flags, from);
    if (n < 0)
        raise_for(s);
    PyBuffer_Release(&place->buffer);
    return n;
}

METHOD_KEYWORDS(socket_recv_into)
{
    struct place place;
    if (!read_place("recv_into", "w*|ni:recv_into", "buffer too small for requested bytes", args, keywords, &place))
        return NULL;
    Py_ssize_t n = receive_into((socket_object *)self, &place, NULL);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

METHOD_KEYWORDS(socket_recvfrom_into)
{
    socket_object *s = (socket_object *)self;
    struct place place;
    skt_addr from;
    if (!read_place("recvfrom_into", "w*|ni:recvfrom_into", "nbytes is greater than the length of the buffer", args,
                    keywords, &place))
        return NULL;
    Py_ssize_t n = receive_into(s, &place, &from);
    PyObject *count = n < 0 ? NULL : PyLong_FromSsize_t(n);
    return count ? with_address(s, count, &from) : NULL;
}

/* ---- Sending ---- */

/* (data[, flags]); release data after success. */
static bool read_data(const char *function, PyObject *const *args, Py_ssize_t n, Py_buffer *data, int *flags)
{
    *flags = 0;
    return args_count(function, n, 1, 2) && (n == 1 || args_int(args[1], flags)) &&
           PyObject_GetBuffer(args[0], data, PyBUF_SIMPLE) == 0;
}

METHOD(socket_send)
{
    socket_object *s = (socket_object *)self;
    Py_buffer data;
    int flags;
    Py_ssize_t sent = -1;
    if (!read_data("send", args, n, &data, &flags))
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(sent = skt_send(h, data.buf, (size_t)data.len, flags));
    PyBuffer_Release(&data);
    return sent < 0 ? raise_for(s) : PyLong_FromSsize_t(sent);
}

METHOD(socket_sendall)
{
    socket_object *s = (socket_object *)self;
    Py_buffer data;
    int flags, result = -1;
    if (!read_data("sendall", args, n, &data, &flags))
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = skt_sendall(h, data.buf, (size_t)data.len, flags));
    PyBuffer_Release(&data);
    if (result < 0)
        return raise_for(s);
    Py_RETURN_NONE;
}

static PyObject *send_to(socket_object *s, const Py_buffer *data, int flags, PyObject *address)
{
    skt_addr to;
    Py_ssize_t sent = -1;
    if (!address_from_python(s, address, "sendto", &to) || PySys_Audit("socket.sendto", "OO", s, address) < 0)
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(sent = skt_sendto(h, data->buf, (size_t)data->len, flags, to));
    return sent < 0 ? raise_for(s) : PyLong_FromSsize_t(sent);
}

METHOD(socket_sendto)
{
    Py_buffer data;
    int flags = 0;
    if (n < 2 || n > 3)
        return PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", n);
    if (PyObject_GetBuffer(args[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *result =
        n == 2 || args_int(args[1], &flags) ? send_to((socket_object *)self, &data, flags, args[n - 1]) : NULL;
    PyBuffer_Release(&data);
    return result;
}
