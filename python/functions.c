/* functions.c - what is made without an object: descriptors, pairs, connections; and the default timeout. */
#include "module.h"
#include <fcntl.h>
#include <unistd.h>

/* ---- Descriptors ---- */

static METHOD_ONE(functions_close)
{
    int fd, result;
    (void)self;
    if (!args_int(arg, &fd))
        return NULL;
    WITHOUT_GIL(result = close(fd));
    if (result < 0 && errno != ECONNRESET)
        return raise_errno(errno);
    Py_RETURN_NONE;
}

static METHOD_ONE(functions_dup)
{
    int fd;
    (void)self;
    if (!args_int(arg, &fd))
        return NULL;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? raise_errno(errno) : PyLong_FromLong(fd);
}

static METHOD_KEYWORDS(functions_socketpair)
{
    int family = AF_UNIX, type = SOCK_STREAM, proto = 0, result, pair[2];
    (void)keywords;
    struct module_state *state = state_of(self);
    if (!PyArg_ParseTuple(args, "|iii:socketpair", &family, &type, &proto))
        return NULL;
    WITHOUT_GIL(result = socketpair(family, type | SOCK_CLOEXEC, proto, pair));
    if (result < 0)
        return raise_errno(errno);
    PyObject *first = object_new(state, pair[0], family, type, proto);
    PyObject *second = object_new(state, pair[1], family, type, proto);
    PyObject *both = first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return both;
}

/* Python's create_connection with one deadline over everything: the descriptor of a connected socket. */
static METHOD(functions_connect)
{
    struct host host, source = { 0 };
    int port, source_port, fd = -1;
    double timeout;
    if (!args_count("_skt_create_connection", n, 5, 5) || !args_int(args[1], &port) ||
        !args_timeout(args[2], &timeout) || !args_int(args[4], &source_port) || !args_host(args[0], &host))
        return NULL;
    bool bound = args[3] != Py_None;
    if (!bound || args_host(args[3], &source)) {
        skt *s;
        WITHOUT_GIL(s = bound ? skt_create_connection_from(host.text, port, timeout, skt_name(source.text, source_port))
                              : skt_create_connection(host.text, port, timeout);
                    fd = s ? skt_detach(s) : -1);
        if (!s)
            raise_failure(state_of(self));
    }
    host_release(&source);
    host_release(&host);
    return fd < 0 ? NULL : PyLong_FromLong(fd);
}

/* ---- Time ---- */

static METHOD_ONE(functions_getdefaulttimeout)
{
    (void)self, (void)arg;
    return timeout_to_python(skt_getdefaulttimeout());
}

static METHOD_ONE(functions_setdefaulttimeout)
{
    double seconds;
    if (!args_timeout(arg, &seconds))
        return NULL;
    if (skt_setdefaulttimeout(seconds) < 0)
        return raise_failure(state_of(self));
    Py_RETURN_NONE;
}

PyMethodDef functions_methods[] = {
    { "close", functions_close, METH_O, "close(fd)\n\nClose a descriptor." },
    { "dup", functions_dup, METH_O, "dup(fd) -> fd\n\nAnother descriptor for the same socket, not inheritable." },
    { "socketpair", FAST(functions_socketpair), METH_VARARGS,
      "socketpair([family[, type[, proto]]]) -> (socket, socket)\n\nTwo sockets, connected to each other." },
    { "_skt_create_connection", FAST(functions_connect), METH_FASTCALL,
      "_skt_create_connection(host, port, timeout, source host or None, source port) -> fd\n\n"
      "What skt.create_connection is made of." },
    { "getdefaulttimeout", functions_getdefaulttimeout, METH_NOARGS, "getdefaulttimeout() -> seconds or None" },
    { "setdefaulttimeout", functions_setdefaulttimeout, METH_O,
      "setdefaulttimeout(seconds)\n\nThe timeout of sockets that are made from now on." },
    { NULL, NULL, 0, NULL },
};
