/* names.c - hosts: getaddrinfo and its older relatives. */
#include "module.h"
#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>

/* code: an EAI_ for what the library did not even look up, because it can be no name or port. */
static PyObject *raise_look_up(PyObject *module, int code)
{
    if (skt_error_record()->domain == SKT_ERROR_ARGUMENT)
        return raise_gaierror(state_of(module), code, NULL);
    return raise_failure(state_of(module));
}

/* ---- getaddrinfo ---- */

/* An int in decimal, as the C library wants a port; from 3.12 on Python leaves it to that to refuse large ones. */
static PyObject *decimal(PyObject *number)
{
#if PY_VERSION_HEX < 0x030c0000
    if (PyLong_AsLong(number) == -1 && PyErr_Occurred())
        return NULL;
#endif
    return PyObject_Str(number);
}

/* A service as text: of an int, str, bytes or None (NULL).  *owner is to be released. */
static bool read_service(PyObject *arg, const char **text, PyObject **owner)
{
    *text = NULL;
    *owner = NULL;
    if (arg == Py_None)
        return true;
    if (PyLong_CheckExact(arg)) {
        *owner = decimal(arg);
    } else if (PyUnicode_Check(arg) || PyBytes_Check(arg)) {
        *owner = Py_NewRef(arg);
    } else {
        PyErr_SetString(PyExc_OSError, "Int or String expected");
    }
    if (*owner)
        *text = PyBytes_Check(*owner) ? PyBytes_AS_STRING(*owner) : PyUnicode_AsUTF8(*owner);
    if (!*text)
        Py_CLEAR(*owner);
    return *text;
}

/* None is NULL, str is encoded by IDNA whatever is in it, bytes stay. */
static bool read_host(PyObject *arg, const char **text, PyObject **owner)
{
    *text = NULL;
    *owner = NULL;
    if (arg == Py_None)
        return true;
    if (PyUnicode_Check(arg))
        *owner = PyUnicode_AsEncodedString(arg, "idna", NULL);
    else if (PyBytes_Check(arg))
        *owner = Py_NewRef(arg);
    else
        PyErr_SetString(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
    if (*owner)
        *text = PyBytes_AS_STRING(*owner);
    return *text;
}

static PyObject *make_row(const skt_addrinfo *row)
{
    PyObject *address = address_to_python(&row->addr, row->proto);
    return address ? Py_BuildValue("(iiisN)", row->family, row->type, row->proto, row->canonname, address) : NULL;
}

static PyObject *make_rows(const skt_addrinfo *rows, Py_ssize_t n)
{
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *row = make_row(&rows[i]);
        if (row)
            PyList_SET_ITEM(list, i, row);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *look_up(PyObject *module, const char *host, const char *service, const int *numbers)
{
    skt_addrinfo *rows;
    Py_ssize_t n;
    WITHOUT_GIL(
        n = skt_getaddrinfo(host, service, numbers[0], numbers[1], numbers[2], numbers[3], SKT_NO_TIMEOUT, &rows));
    if (n < 0)
        return raise_look_up(module, EAI_SERVICE);
    PyObject *list = make_rows(rows, n);
    skt_freeaddrinfo(rows);
    return list;
}

static METHOD_KEYWORDS(names_getaddrinfo)
{
    static const char *const names[] = { "host", "port", "family", "type", "proto", "flags", NULL };
    PyObject *host_arg, *port_arg, *host_owner = NULL, *service_owner = NULL, *result = NULL;
    const char *host, *service;
    int numbers[4] = { 0 };
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|iiii:getaddrinfo", (char **)names, &host_arg, &port_arg,
                                     &numbers[0], &numbers[1], &numbers[2], &numbers[3]))
        return NULL;
    if ((read_host(host_arg, &host, &host_owner) || !PyErr_Occurred()) &&
        (read_service(port_arg, &service, &service_owner) || !PyErr_Occurred()) &&
        PySys_Audit("socket.getaddrinfo", "OOiii", host_arg, port_arg, numbers[0], numbers[1], numbers[2]) == 0)
        result = look_up(self, host, service, numbers);
    Py_XDECREF(host_owner);
    Py_XDECREF(service_owner);
    return result;
}

/* ---- getnameinfo ---- */

/* (host, port[, flowinfo[, scope_id]]) */
struct numeric {
    const char *host;
    int port;
    unsigned flowinfo, scope_id;
};

static bool read_numeric(PyObject *tuple, struct numeric *a)
{
    *a = (struct numeric){ 0 };
    if (!PyArg_ParseTuple(tuple, "si|II;getnameinfo(): illegal sockaddr argument", &a->host, &a->port, &a->flowinfo,
                          &a->scope_id))
        return false;
    if (a->flowinfo > 0xfffff)
        PyErr_SetString(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
    return a->flowinfo <= 0xfffff;
}

/* A host in any form that getaddrinfo takes for a number; the zone is scope_id's. */
static bool make_numeric(PyObject *module, const struct numeric *a, Py_ssize_t members, skt_addr *addr)
{
    char service[16];
    skt_addrinfo *found;
    snprintf(service, sizeof service, "%d", a->port < 0 ? a->port : a->port & 0xffff);
    if (skt_getaddrinfo(a->host, service, AF_UNSPEC, SOCK_DGRAM, 0, AI_NUMERICHOST, SKT_NO_TIMEOUT, &found) < 0) {
        raise_look_up(module, a->port < 0 ? EAI_SERVICE : EAI_NONAME);
        return false;
    }
    *addr = found[0].addr;
    skt_freeaddrinfo(found);
    if (addr->family == AF_INET6) {
        addr->as.inet6.sin6_flowinfo = htonl(a->flowinfo);
        addr->as.inet6.sin6_scope_id = a->scope_id;
    } else if (members != 2)
        PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
    return !PyErr_Occurred();
}

static METHOD(names_getnameinfo)
{
    char host[NI_MAXHOST], service[NI_MAXSERV];
    int flags, result;
    skt_addr addr;
    struct numeric a;
    if (!args_count("getnameinfo", n, 2, 2) || !args_int(args[1], &flags))
        return NULL;
    if (!PyTuple_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
    if (!read_numeric(args[0], &a) || PySys_Audit("socket.getnameinfo", "(O)", args[0]) < 0 ||
        !make_numeric(self, &a, PyTuple_GET_SIZE(args[0]), &addr))
        return NULL;
    WITHOUT_GIL(result = skt_getnameinfo(addr, flags, host, sizeof host, service, sizeof service, SKT_NO_TIMEOUT));
    if (result < 0)
        return raise_failure(state_of(self));
    PyObject *name = PyUnicode_DecodeFSDefault(host);
    return name ? Py_BuildValue("(Ns)", name, service) : NULL;
}

/* ---- The older ones ---- */

/* As args_host, but all str is encoded by IDNA, and what cannot be is a UnicodeError. */
static bool read_name(PyObject *arg, struct host *host)
{
    if (!PyUnicode_Check(arg))
        return args_host(arg, host);
    PyObject *bytes = PyUnicode_AsEncodedString(arg, "idna", NULL);
    bool good = bytes && args_host(bytes, host);
    Py_XDECREF(bytes);
    return good;
}

static METHOD_ONE(names_gethostbyname)
{
    struct host host;
    char text[INET_ADDRSTRLEN], *result = NULL;
    if (!read_name(arg, &host))
        return NULL;
    if (PySys_Audit("socket.gethostbyname", "O", arg) == 0) {
        WITHOUT_GIL(result = skt_gethostbyname(host.text, text, sizeof text, SKT_NO_TIMEOUT));
        if (!result)
            raise_look_up(self, EAI_NONAME);
    }
    host_release(&host);
    return result ? PyUnicode_FromString(text) : NULL;
}

static PyObject *make_list(char **texts)
{
    PyObject *list = PyList_New(0);
    for (; list && *texts; texts++) {
        PyObject *text = PyUnicode_DecodeFSDefault(*texts);
        if (!text || PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

/* (name, aliases, addresses) */
static PyObject *make_hostent(const skt_hostent *host)
{
    PyObject *name = PyUnicode_DecodeFSDefault(host->name);
    PyObject *aliases = name ? make_list(host->aliases) : NULL;
    PyObject *addresses = aliases ? make_list(host->addresses) : NULL;
    PyObject *result = addresses ? PyTuple_Pack(3, name, aliases, addresses) : NULL;
    Py_XDECREF(addresses);
    Py_XDECREF(aliases);
    Py_XDECREF(name);
    return result;
}

static PyObject *look_up_host(PyObject *module, PyObject *arg, const char *event,
                              skt_hostent *(*function)(const char *name, double timeout))
{
    struct host host;
    skt_hostent *found = NULL;
    PyObject *result = NULL;
    if (!read_name(arg, &host))
        return NULL;
    if (PySys_Audit(event, "O", arg) == 0) {
        WITHOUT_GIL(found = function(host.text, SKT_NO_TIMEOUT));
        result = found ? make_hostent(found) : raise_look_up(module, EAI_NONAME);
    }
    if (found)
        skt_freehostent(found);
    host_release(&host);
    return result;
}

/* A name that is not found is a gaierror, as of gethostbyname. */
static skt_hostent *host_by_name(const char *name, double timeout)
{
    char text[INET_ADDRSTRLEN];
    return skt_gethostbyname(name, text, sizeof text, timeout) ? skt_gethostbyname_ex(name, timeout) : NULL;
}

static METHOD_ONE(names_gethostbyname_ex)
{
    return look_up_host(self, arg, "socket.gethostbyname", host_by_name);
}

static METHOD_ONE(names_gethostbyaddr)
{
    return look_up_host(self, arg, "socket.gethostbyaddr", skt_gethostbyaddr);
}

/* ---- This machine ---- */

static METHOD_ONE(names_gethostname)
{
    char name[HOST_NAME_MAX + 1];
    (void)arg;
    int result;
    if (PySys_Audit("socket.gethostname", NULL) < 0)
        return NULL;
    WITHOUT_GIL(result = skt_gethostname(name, sizeof name));
    return result < 0 ? raise_failure(state_of(self)) : PyUnicode_DecodeFSDefault(name);
}

static METHOD_ONE(names_sethostname)
{
    PyObject *bytes;
    int result = -1;
    if (PyBytes_Check(arg))
        bytes = Py_NewRef(arg);
    else if (!PyUnicode_FSConverter(arg, &bytes))
        return NULL;
    if (PySys_Audit("socket.sethostname", "(O)", bytes) == 0) {
        WITHOUT_GIL(result = skt_sethostname(PyBytes_AS_STRING(bytes)));
        if (result < 0)
            raise_failure(state_of(self));
    }
    Py_DECREF(bytes);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef names_methods[] = {
    { "getaddrinfo", FAST(names_getaddrinfo), METH_VARARGS | METH_KEYWORDS,
      "getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)\n"
      "    -> [(family, type, proto, canonname, address), ...]\n\nThe addresses of a name." },
    { "getnameinfo", FAST(names_getnameinfo), METH_FASTCALL,
      "getnameinfo(address, flags) -> (host, service)\n\nThe names of a numeric address." },
    { "gethostbyname", names_gethostbyname, METH_O, "gethostbyname(name) -> address\n\nIts first IPv4 address." },
    { "gethostbyname_ex", names_gethostbyname_ex, METH_O,
      "gethostbyname_ex(name) -> (name, aliases, addresses)\n\nAll its names and IPv4 addresses." },
    { "gethostbyaddr", names_gethostbyaddr, METH_O,
      "gethostbyaddr(address) -> (name, aliases, addresses)\n\nThe same, of an address." },
    { "gethostname", names_gethostname, METH_NOARGS, "gethostname() -> name\n\nThis machine's name." },
    { "sethostname", names_sethostname, METH_O, "sethostname(name)\n\nNames this machine." },
    { NULL, NULL, 0, NULL },
};
