/* args.c - arguments that come as an array (PEP 590), and the kinds of value that Python's
 * socket takes: numbers, host names, timeouts.  The exceptions are CPython's. */
#include "module.h"
#include <math.h>
#include <string.h>

bool args_count(const char *function, Py_ssize_t n, Py_ssize_t least, Py_ssize_t most)
{
    if (n >= least && n <= most)
        return true;
    const char *how = least == most ? "exactly" : n < least ? "at least" : "at most";
    Py_ssize_t limit = n < least ? least : most;
    PyErr_Format(PyExc_TypeError, "%s() takes %s %zd argument%s (%zd given)", function, how, limit,
                 limit == 1 ? "" : "s", n);
    return false;
}

bool args_int(PyObject *arg, int *value)
{
    long number = PyLong_AsLong(arg);
    if (number == -1 && PyErr_Occurred())
        return false;
    if (number > INT_MAX || number < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError,
                        number > 0 ? "signed integer is greater than maximum" : "signed integer is less than minimum");
        return false;
    }
    *value = (int)number;
    return true;
}

bool args_size(PyObject *arg, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(arg);
    *value = index ? PyLong_AsSsize_t(index) : -1;
    Py_XDECREF(index);
    return *value != -1 || !PyErr_Occurred();
}

PyObject *args_items(PyObject *iterable, const char *message)
{
    return PyList_Check(iterable) ? PyList_AsTuple(iterable) : PySequence_Fast(iterable, message);
}

/* ---- Host names ---- */

static bool has_nul(const char *text, Py_ssize_t len)
{
    if (strlen(text) == (size_t)len)
        return false;
    PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
    return true;
}

static bool host_of_str(PyObject *arg, struct host *host, Py_ssize_t *len)
{
    if (PyUnicode_IS_ASCII(arg)) {
        host->text = PyUnicode_AsUTF8AndSize(arg, len);
        host->owner = Py_NewRef(arg);
        return host->text;
    }
    host->owner = PyUnicode_AsEncodedString(arg, "idna", NULL);
    if (!host->owner) {
        PyErr_SetString(PyExc_TypeError, "encoding of hostname failed");
        return false;
    }
    host->text = PyBytes_AS_STRING(host->owner);
    *len = PyBytes_GET_SIZE(host->owner);
    return true;
}

bool args_host(PyObject *arg, struct host *host)
{
    Py_ssize_t len = 0;
    *host = (struct host){ 0 };
    if (PyUnicode_Check(arg)) {
        if (!host_of_str(arg, host, &len)) {
            host_release(host);
            return false;
        }
    } else if (PyBytes_Check(arg) || PyByteArray_Check(arg)) {
        bool is_bytes = PyBytes_Check(arg);
        host->owner = is_bytes ? Py_NewRef(arg) : PyBytes_FromObject(arg);
        if (!host->owner)
            return false;
        host->text = PyBytes_AS_STRING(host->owner);
        len = PyBytes_GET_SIZE(host->owner);
    } else {
        PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s", Py_TYPE(arg)->tp_name);
        return false;
    }
    if (!has_nul(host->text, len))
        return true;
    host_release(host);
    return false;
}

void host_release(struct host *host)
{
    Py_CLEAR(host->owner);
}

int args_host_converter(PyObject *arg, void *host)
{
    if (!arg) {
        host_release(host);
        return 1;
    }
    return args_host(arg, host) ? Py_CLEANUP_SUPPORTED : 0;
}

/* ---- Time ---- */

#define MOST_SECONDS 9e9 /* what skt_settimeout takes */

static bool is_timeout(double seconds)
{
    if (isnan(seconds))
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
    else if (fabs(seconds) >= 0x1p63 / 1e9)
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
    else if (seconds < 0)
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
    else if (seconds > MOST_SECONDS)
        PyErr_SetString(PyExc_OverflowError, "timeout doesn't fit into C timeval");
    else
        return true;
    return false;
}

bool args_timeout(PyObject *arg, double *seconds)
{
    *seconds = SKT_NO_TIMEOUT;
    if (arg == Py_None)
        return true;
    if (PyFloat_Check(arg)) {
        *seconds = PyFloat_AS_DOUBLE(arg);
        return is_timeout(*seconds);
    }
    PyObject *index = PyNumber_Index(arg);
    if (!index)
        return false;
    *seconds = PyLong_AsDouble(index);
    Py_DECREF(index);
    if (PyErr_Occurred()) { /* not even a double holds it */
        PyErr_Clear();
        *seconds = HUGE_VAL;
    }
    return is_timeout(*seconds);
}

PyObject *timeout_to_python(double seconds)
{
    if (seconds < 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble(seconds);
}
