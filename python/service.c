/* service.c - services, protocols and interfaces, by name and by number. */
#include "module.h"
#include <netinet/in.h>

static PyObject *not_found(const char *what)
{
    PyErr_SetString(PyExc_OSError, what);
    return NULL;
}

static METHOD_KEYWORDS(service_getservbyname)
{
    const char *name, *proto = NULL;
    int port;
    (void)self, (void)keywords;
    if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &proto) ||
        PySys_Audit("socket.getservbyname", "ss", name, proto) < 0)
        return NULL;
    WITHOUT_GIL(port = skt_getservbyname(name, proto));
    return port < 0 ? not_found("service/proto not found") : PyLong_FromLong(port);
}

static METHOD_KEYWORDS(service_getservbyport)
{
    const char *proto = NULL;
    char name[256];
    int port, result;
    (void)self, (void)keywords;
    if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &proto))
        return NULL;
    if (port < 0 || port > 0xffff) {
        PyErr_SetString(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
        return NULL;
    }
    if (PySys_Audit("socket.getservbyport", "is", port, proto) < 0)
        return NULL;
    WITHOUT_GIL(result = skt_getservbyport(port, proto, name, sizeof name));
    return result < 0 ? not_found("port/proto not found") : PyUnicode_FromString(name);
}

static METHOD_ONE(service_getprotobyname)
{
    int number;
    (void)self;
    const char *name;
    if (!PyArg_Parse(arg, "s:getprotobyname", &name))
        return NULL;
    WITHOUT_GIL(number = skt_getprotobyname(name));
    return number < 0 ? not_found("protocol not found") : PyLong_FromLong(number);
}

/* ---- Interfaces ---- */

static PyObject *make_interfaces(const skt_interface *interfaces)
{
    PyObject *list = PyList_New(0);
    for (; list && interfaces->index; interfaces++) {
        PyObject *pair = Py_BuildValue("IO&", interfaces->index, PyUnicode_DecodeFSDefault, interfaces->name);
        if (!pair || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static METHOD_ONE(service_if_nameindex)
{
    (void)arg;
    skt_interface *interfaces;
    WITHOUT_GIL(interfaces = skt_if_nameindex());
    if (!interfaces)
        return raise_failure(state_of(self));
    PyObject *list = make_interfaces(interfaces);
    skt_freenameindex(interfaces);
    return list;
}

static METHOD_ONE(service_if_nametoindex)
{
    PyObject *name;
    unsigned index;
    (void)self;
    if (!PyUnicode_FSConverter(arg, &name))
        return NULL;
    WITHOUT_GIL(index = skt_if_nametoindex(PyBytes_AS_STRING(name)));
    Py_DECREF(name);
    return index == 0 ? not_found("no interface with this name") : PyLong_FromUnsignedLong(index);
}

static METHOD_ONE(service_if_indextoname)
{
    char name[16];
    int result;
    unsigned long index = PyLong_AsUnsignedLong(arg);
    if (index == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    WITHOUT_GIL(result = skt_if_indextoname(index > UINT_MAX ? 0 : (unsigned)index, name, sizeof name));
    return result < 0 ? raise_failure(state_of(self)) : PyUnicode_DecodeFSDefault(name);
}

PyMethodDef service_methods[] = {
    { "getservbyname", FAST(service_getservbyname), METH_VARARGS,
      "getservbyname(name[, protocol]) -> port\n\nprotocol: \"tcp\" or \"udp\", else any." },
    { "getservbyport", FAST(service_getservbyport), METH_VARARGS,
      "getservbyport(port[, protocol]) -> name\n\nThe other way round." },
    { "getprotobyname", service_getprotobyname, METH_O, "getprotobyname(name) -> number" },
    { "if_nameindex", service_if_nameindex, METH_NOARGS, "if_nameindex() -> [(index, name), ...]" },
    { "if_nametoindex", service_if_nametoindex, METH_O, "if_nametoindex(name) -> index" },
    { "if_indextoname", service_if_indextoname, METH_O, "if_indextoname(index) -> name" },
    { NULL, NULL, 0, NULL },
};
