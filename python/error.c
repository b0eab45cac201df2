/* error.c - what the library put on record, as Python's exceptions.
 *
 * They are CPython's in type, arguments and text, and beside that they tell the address:
 * an OSError as its filename, which its text ends with
 *
 *     ConnectionRefusedError: [Errno 111] Connection refused: '127.0.0.1:81'
 *
 * and TimeoutError, whose text has to be "timed out", in a note (PEP 678).  So is what was wrong with an argument. */
#include "module.h"
#include <netdb.h>
#include <string.h>

PyObject *raise_errno(int code)
{
    errno = code;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* "example.org (93.184.216.34:81)", "127.0.0.1:81", "example.org", or NULL: no address is known, or no memory. */
static PyObject *address_text(const skt_error *e)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (!e->has_addr)
        return e->name[0] ? PyUnicode_DecodeFSDefault(e->name) : NULL;
    skt_addr_text(&e->addr, text, sizeof text);
    if (!e->name[0])
        return PyUnicode_DecodeFSDefault(text);
    return PyUnicode_FromFormat("%s (%s)", e->name, text);
}

/* Raises type(args..., address), where OSError's constructor makes of an errno its subclass. */
static PyObject *raise_args(PyObject *type, PyObject *args)
{
    if (args)
        PyErr_SetObject(type, args);
    Py_XDECREF(args);
    return NULL;
}

/* "Not now" is no trouble to be told, and comes often. */
static bool is_not_now(int code)
{
    return code == EAGAIN || code == EINPROGRESS || code == EALREADY;
}

static PyObject *raise_system(const skt_error *e)
{
    PyObject *address = is_not_now(e->code) ? NULL : address_text(e);
    PyErr_Clear();
    errno = e->code;
    if (!address)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, address);
    Py_DECREF(address);
    return NULL;
}

/* Raises an exception, which it takes over (NULL: none could be made), with the library's sentence as a note. */
static PyObject *raise_noted(PyObject *error)
{
    PyObject *notes = error ? Py_BuildValue("[s]", skt_strerror()) : NULL;
    if (notes && PyObject_SetAttrString(error, "__notes__", notes) == 0)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(notes);
    Py_XDECREF(error);
    return NULL;
}

static PyObject *raise_timeout(void)
{
    return raise_noted(PyObject_CallFunction(PyExc_TimeoutError, "s", "timed out"));
}

/* What was wrong with an argument is no part of Python's arguments either. */
static PyObject *raise_argument(const skt_error *e)
{
    return raise_noted(PyObject_CallFunction(PyExc_OSError, "is", e->code, strerror(e->code)));
}

PyObject *raise_gaierror(struct module_state *module, int code, PyObject *name)
{
    if (!name)
        return raise_args(module->gaierror, Py_BuildValue("(is)", code, gai_strerror(code)));
    return raise_args(module->gaierror, Py_BuildValue("(isO)", code, gai_strerror(code), name));
}

static PyObject *raise_name(struct module_state *module, const skt_error *e)
{
    PyObject *name = address_text(e);
    PyErr_Clear();
    raise_gaierror(module, e->code, name);
    Py_XDECREF(name);
    return NULL;
}

static PyObject *raise_host(struct module_state *module, const skt_error *e)
{
    return raise_args(module->herror, Py_BuildValue("(is)", e->code, hstrerror(e->code)));
}

PyObject *raise_failure(struct module_state *module)
{
    const skt_error *e = skt_error_record();
    if (PyErr_Occurred()) /* a signal's handler raised */
        return NULL;
    switch (e->domain) {
    case SKT_ERROR_TIMEOUT:
        return raise_timeout();
    case SKT_ERROR_NAME:
        return raise_name(module, e);
    case SKT_ERROR_HOST:
        return raise_host(module, e);
    case SKT_ERROR_ARGUMENT:
        return raise_argument(e);
    default:
        return raise_system(e);
    }
}

PyObject *raise_for(socket_object *s)
{
    return handle_of(s) ? raise_failure(s->module) : raise_errno(EBADF);
}
