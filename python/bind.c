/* bind.c - a socket's place among others: bind, listen, accept, connect, shutdown and
 * the names of both ends. */
#include "module.h"
#include <unistd.h>

static PyObject *none_or_raise(socket_object *s, int result)
{
    if (result < 0)
        return raise_for(s);
    Py_RETURN_NONE;
}

METHOD_ONE(socket_bind)
{
    socket_object *s = (socket_object *)self;
    skt_addr addr;
    int result = -1;
    if (!address_from_python(s, arg, "bind", &addr) || PySys_Audit("socket.bind", "OO", self, arg) < 0)
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = skt_bind(h, addr));
    return none_or_raise(s, result);
}

METHOD_ONE(socket_connect)
{
    socket_object *s = (socket_object *)self;
    skt_addr addr;
    int result = -1;
    if (!address_from_python(s, arg, "connect", &addr) || PySys_Audit("socket.connect", "OO", self, arg) < 0)
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = skt_connect(h, addr));
    return none_or_raise(s, result);
}

/* The errors that Python returns are the connection's; a name that is not found, and what a handler
 * of signals raises, are raised. */
static PyObject *connect_result(socket_object *s, int code)
{
    if (PyErr_Occurred())
        return NULL;
    bool no_interface = code == ENODEV && (s->family == AF_PACKET || s->family == AF_CAN); /* a name as well */
    if (code && code != EAGAIN && (no_interface || skt_error_record()->domain != SKT_ERROR_SYSTEM))
        return raise_failure(s->module);
    return PyLong_FromLong(code);
}

METHOD_ONE(socket_connect_ex)
{
    socket_object *s = (socket_object *)self;
    skt_addr addr;
    int code;
    if (!address_from_python(s, arg, "connect_ex", &addr) || PySys_Audit("socket.connect", "OO", self, arg) < 0)
        return NULL;
    skt *h = handle_of(s);
    if (!h)
        return PyLong_FromLong(EBADF);
    WITHOUT_GIL(code = skt_connect_ex(h, addr));
    return connect_result(s, code);
}

METHOD(socket_listen)
{
    socket_object *s = (socket_object *)self;
    int backlog = -1, result = -1;
    if (!args_count("listen", n, 0, 1) || (n == 1 && !args_int(args[0], &backlog)))
        return NULL;
    if (n == 1 && backlog < 0)
        backlog = 0; /* skt's own meaning of it is the default */
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = skt_listen(h, backlog));
    return none_or_raise(s, result);
}

METHOD_ONE(socket_accept)
{
    socket_object *s = (socket_object *)self;
    skt_addr peer;
    (void)arg;
    int fd = -1;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(fd = skt_accept_fd(h, &peer));
    if (fd < 0)
        return raise_for(s);
    PyObject *address = address_to_python(&peer, s->proto);
    PyObject *result = address ? Py_BuildValue("(iN)", fd, address) : NULL;
    if (!result)
        close(fd);
    return result;
}

METHOD_ONE(socket_shutdown)
{
    socket_object *s = (socket_object *)self;
    int how, result = -1;
    if (!args_int(arg, &how))
        return NULL;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = skt_shutdown(h, how));
    return none_or_raise(s, result);
}

static PyObject *name_of(socket_object *s, int (*get)(skt *s, skt_addr *addr))
{
    skt_addr addr;
    int result = -1;
    skt *h = handle_of(s);
    if (h)
        WITHOUT_GIL(result = get(h, &addr));
    return result < 0 ? raise_for(s) : address_to_python(&addr, s->proto);
}

METHOD_ONE(socket_getsockname)
{
    (void)arg;
    return name_of((socket_object *)self, skt_getsockname);
}

METHOD_ONE(socket_getpeername)
{
    (void)arg;
    return name_of((socket_object *)self, skt_getpeername);
}
