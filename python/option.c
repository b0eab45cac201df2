/* option.c - socket options, and the timeout. */
#include "module.h"
#include <limits.h>
#include <linux/vm_sockets.h>
#include <math.h>

/* The level AF_VSOCK has numbers of 64 bits. */
static bool is_wide(const socket_object *s, int level)
{
    return s->family == AF_VSOCK && level == AF_VSOCK;
}

static PyObject *set(socket_object *s, int level, int name, const void *value, size_t len)
{
    if (!handle_of(s) || skt_setsockopt(handle_of(s), level, name, value, (socklen_t)len) < 0)
        return raise_for(s);
    Py_RETURN_NONE;
}

union number {
    int narrow;
    uint64_t wide;
};

/* Its size; 0 with an exception. */
static size_t read_number(const socket_object *s, int level, PyObject *arg, union number *number)
{
    if (!is_wide(s, level))
        return args_int(arg, &number->narrow) ? sizeof number->narrow : 0;
    number->wide = PyLong_AsUnsignedLongLongMask(arg);
    return PyErr_Occurred() ? 0 : sizeof number->wide;
}

/* setsockopt(level, option, None, optlen) */
static PyObject *set_nothing(socket_object *s, int level, int name, PyObject *value, PyObject *optlen)
{
    if (value != Py_None) {
        PyErr_Format(PyExc_TypeError, "setsockopt() argument 3 must be None, not %s", Py_TYPE(value)->tp_name);
        return NULL;
    }
    unsigned long len = PyLong_AsUnsignedLongMask(optlen);
    return PyErr_Occurred() ? NULL : set(s, level, name, NULL, (unsigned)len);
}

static PyObject *set_bytes(socket_object *s, int level, int name, PyObject *value)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(value, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *result = NULL;
    if (buffer.len > INT_MAX)
        PyErr_Format(PyExc_OverflowError, "socket option is larger than %i bytes", INT_MAX);
    else
        result = set(s, level, name, buffer.buf, (size_t)buffer.len);
    PyBuffer_Release(&buffer);
    return result;
}

/* A number that does not fit is no bytes either, which is what Python says of it. */
static PyObject *set_value(socket_object *s, int level, int name, PyObject *value)
{
    union number number;
    size_t len = read_number(s, level, value, &number);
    if (len)
        return set(s, level, name, &number, len);
    PyErr_Clear();
    return set_bytes(s, level, name, value);
}

METHOD(socket_setsockopt)
{
    socket_object *s = (socket_object *)self;
    int level, name;
    if (!args_count("setsockopt", n, 3, 4) || !args_int(args[0], &level) || !args_int(args[1], &name))
        return NULL;
    return n == 4 ? set_nothing(s, level, name, args[2], args[3]) : set_value(s, level, name, args[2]);
}

static PyObject *get_number(socket_object *s, int level, int name)
{
    int number = 0;
    uint64_t wide = 0;
    socklen_t len = is_wide(s, level) ? sizeof wide : sizeof number;
    if (!handle_of(s) ||
        skt_getsockopt(handle_of(s), level, name, is_wide(s, level) ? (void *)&wide : &number, &len) < 0)
        return raise_for(s);
    return is_wide(s, level) ? PyLong_FromUnsignedLongLong(wide) : PyLong_FromLong(number);
}

#define MOST_BYTES 1024

METHOD(socket_getsockopt)
{
    socket_object *s = (socket_object *)self;
    int level, name, buflen = 0;
    char value[MOST_BYTES];
    if (!args_count("getsockopt", n, 2, 3) || !args_int(args[0], &level) || !args_int(args[1], &name) ||
        (n == 3 && !args_int(args[2], &buflen)))
        return NULL;
    if (buflen == 0)
        return get_number(s, level, name);
    if (buflen < 0 || buflen > MOST_BYTES || is_wide(s, level)) {
        PyErr_SetString(PyExc_OSError,
                        is_wide(s, level) ? "getsockopt string buffer not allowed" : "getsockopt buflen out of range");
        return NULL;
    }
    socklen_t len = (socklen_t)buflen;
    if (!handle_of(s) || skt_getsockopt(handle_of(s), level, name, value, &len) < 0)
        return raise_for(s);
    return PyBytes_FromStringAndSize(value, len);
}

/* ---- Time ---- */

static PyObject *set_timeout(socket_object *s, double seconds)
{
    if (!handle_of(s) || skt_settimeout(handle_of(s), seconds) < 0)
        return raise_for(s);
    s->timeout = seconds < 0 ? -1 : llrint(skt_gettimeout(handle_of(s)) * 1e9);
    Py_RETURN_NONE;
}

METHOD_ONE(socket_settimeout)
{
    double seconds;
    return args_timeout(arg, &seconds) ? set_timeout((socket_object *)self, seconds) : NULL;
}

METHOD_ONE(socket_gettimeout)
{
    (void)arg;
    int64_t ns = ((socket_object *)self)->timeout;
    return timeout_to_python(ns < 0 ? SKT_NO_TIMEOUT : (double)ns / 1e9);
}

METHOD_ONE(socket_setblocking)
{
    int blocking = PyObject_IsTrue(arg);
    return blocking < 0 ? NULL : set_timeout((socket_object *)self, blocking ? SKT_NO_TIMEOUT : 0);
}

METHOD_ONE(socket_getblocking)
{
    (void)arg;
    return PyBool_FromLong(((socket_object *)self)->timeout != 0);
}
