/* inet.c - numbers and addresses in the form in which they travel, and the sizes of ancillary data. */
#include "module.h"
#include <arpa/inet.h>
#include <limits.h>

/* ---- Byte order ---- */

/* 16 bits; anything else is an OverflowError. */
static PyObject *swap16(PyObject *arg, const char *function, uint16_t (*swap)(uint16_t))
{
    int number;
    if (!args_int(arg, &number))
        return NULL;
    if (number < 0)
        return PyErr_Format(PyExc_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer",
                            function);
    if (number > 0xffff)
        return PyErr_Format(PyExc_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer",
                            function);
    return PyLong_FromLong(swap((uint16_t)number));
}

static PyObject *swap32(PyObject *arg, uint32_t (*swap)(uint32_t))
{
    if (!PyLong_Check(arg))
        return PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(arg)->tp_name);
    unsigned long number = PyLong_AsUnsignedLong(arg);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    if (number > UINT32_MAX)
        return PyErr_Format(PyExc_OverflowError, "int larger than 32 bits");
    return PyLong_FromUnsignedLong(swap((uint32_t)number));
}

static METHOD_ONE(inet_py_ntohs)
{
    (void)self;
    return swap16(arg, "ntohs", ntohs);
}

static METHOD_ONE(inet_py_htons)
{
    (void)self;
    return swap16(arg, "htons", htons);
}

static METHOD_ONE(inet_py_ntohl)
{
    (void)self;
    return swap32(arg, ntohl);
}

static METHOD_ONE(inet_py_htonl)
{
    (void)self;
    return swap32(arg, htonl);
}

/* ---- Addresses ---- */

static METHOD_ONE(inet_py_aton)
{
    struct in_addr packed;
    const char *text;
    (void)self;
    if (!PyArg_Parse(arg, "s:inet_aton", &text))
        return NULL;
    if (skt_inet_aton(text, &packed) == 0)
        return PyBytes_FromStringAndSize((char *)&packed, sizeof packed);
    PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_aton");
    return NULL;
}

static METHOD_ONE(inet_py_ntoa)
{
    struct in_addr packed;
    char text[INET_ADDRSTRLEN];
    Py_buffer buffer;
    (void)self;
    if (PyObject_GetBuffer(arg, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    bool fits = buffer.len == sizeof packed;
    if (fits)
        memcpy(&packed, buffer.buf, sizeof packed);
    PyBuffer_Release(&buffer);
    if (fits)
        return PyUnicode_FromString(skt_inet_ntoa(packed, text, sizeof text));
    PyErr_SetString(PyExc_OSError, "packed IP wrong length for inet_ntoa");
    return NULL;
}

static METHOD(inet_py_pton)
{
    int family;
    const char *text;
    char packed[sizeof(struct in6_addr)];
    (void)self;
    if (!args_count("inet_pton", n, 2, 2) || !args_int(args[0], &family) || !PyArg_Parse(args[1], "s", &text))
        return NULL;
    if (skt_inet_pton(family, text, packed) == 0)
        return PyBytes_FromStringAndSize(packed, family == AF_INET ? 4 : 16);
    if (errno == EAFNOSUPPORT)
        return raise_errno(EAFNOSUPPORT);
    PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_pton");
    return NULL;
}

static PyObject *to_text(int family, const Py_buffer *packed)
{
    char text[INET6_ADDRSTRLEN];
    if (family != AF_INET && family != AF_INET6)
        return PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
    if (packed->len != (family == AF_INET ? 4 : 16))
        return PyErr_Format(PyExc_ValueError, "invalid length of packed IP address string");
    return PyUnicode_FromString(skt_inet_ntop(family, packed->buf, (size_t)packed->len, text, sizeof text));
}

static METHOD(inet_py_ntop)
{
    int family;
    Py_buffer packed;
    (void)self;
    if (!args_count("inet_ntop", n, 2, 2) || !args_int(args[0], &family) ||
        PyObject_GetBuffer(args[1], &packed, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *text = to_text(family, &packed);
    PyBuffer_Release(&packed);
    return text;
}

/* ---- Ancillary data ---- */

/* What leaves room for the rest in a length that the kernel takes. */
static bool read_length(PyObject *arg, const char *function, size_t rest, size_t *length)
{
    Py_ssize_t number;
    if (!args_size(arg, &number))
        return false;
    *length = (size_t)number;
    if (number >= 0 && (size_t)number <= INT_MAX - rest)
        return true;
    PyErr_Format(PyExc_OverflowError, "%s() argument out of range", function);
    return false;
}

static METHOD_ONE(inet_cmsg_len)
{
    size_t length;
    (void)self;
    return read_length(arg, "CMSG_LEN", CMSG_LEN(0), &length) ? PyLong_FromSize_t(CMSG_LEN(length)) : NULL;
}

static METHOD_ONE(inet_cmsg_space)
{
    size_t length;
    (void)self;
    return read_length(arg, "CMSG_SPACE", CMSG_SPACE(1), &length) ? PyLong_FromSize_t(CMSG_SPACE(length)) : NULL;
}

PyMethodDef inet_methods[] = {
    { "ntohs", inet_py_ntohs, METH_O, "ntohs(x) -> int\n\n16 bits from network to host order." },
    { "htons", inet_py_htons, METH_O, "htons(x) -> int\n\n16 bits from host to network order." },
    { "ntohl", inet_py_ntohl, METH_O, "ntohl(x) -> int\n\n32 bits from network to host order." },
    { "htonl", inet_py_htonl, METH_O, "htonl(x) -> int\n\n32 bits from host to network order." },
    { "inet_aton", inet_py_aton, METH_O, "inet_aton(text) -> bytes\n\nAn IPv4 address, also in short forms (127.1)." },
    { "inet_ntoa", inet_py_ntoa, METH_O, "inet_ntoa(bytes) -> text" },
    { "inet_pton", FAST(inet_py_pton), METH_FASTCALL,
      "inet_pton(family, text) -> bytes\n\nAn IPv4 or IPv6 address, in its one form." },
    { "inet_ntop", FAST(inet_py_ntop), METH_FASTCALL, "inet_ntop(family, bytes) -> text" },
    { "CMSG_LEN", inet_cmsg_len, METH_O,
      "CMSG_LEN(length) -> int\n\nBytes of an item of ancillary data with so many of its own." },
    { "CMSG_SPACE", inet_cmsg_space, METH_O, "CMSG_SPACE(length) -> int\n\nThe same with what fills it up." },
    { NULL, NULL, 0, NULL },
};
