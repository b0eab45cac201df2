/* module.h - what the files of Python's `_socket` made of libskt share.
 *
 * The module is a thin layer: it reads Python's arguments, gives up the GIL, calls skt.h,
 * and raises what failed.  Waiting, timeouts, addresses as text, look-ups and
 * words for errors are the library's. */
#ifndef MODULE_H
#define MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <errno.h>
#include <skt.h>
#ifdef __GLIBC__
#include <sys/single_threaded.h>
#endif

/* A function whose arguments come as an array (PEP 590), or with keywords, for a table of methods. */
#define FAST(function) ((PyCFunction)(void (*)(void))(function))

struct module_state {
    PyTypeObject *type; /* _socket.socket */
    PyObject *herror, *gaierror;
};

/* _socket.socket.  _ssl reads the object itself: up to `module` this is CPython's layout
 * (PySocketSockObject), at the same offsets in every version. */
typedef struct {
    PyObject_HEAD int fd; /* -1: closed or detached */
    int family, type, proto;
    PyObject *(*errorhandler)(void); /* raises errno */
    int64_t timeout;                 /* nanoseconds; -1: None.  What Python was told: see object.c */
    struct module_state *module;
    skt *s; /* NULL: closed, detached or not begun; see handle_of */
} socket_object;

#define OFFSET(member) (offsetof(socket_object, member) - sizeof(PyObject))
_Static_assert(OFFSET(fd) == 0 && OFFSET(proto) == 12 && OFFSET(errorhandler) == 16 && OFFSET(timeout) == 24 &&
                   OFFSET(module) == 32,
               "the layout that _ssl relies on");
#undef OFFSET

/* ---- module.c ---- */

struct module_state *state_of(PyObject *module);
struct module_state *state_of_type(PyTypeObject *type);

/* ---- constants.c ---- */

struct constant {
    const char *name;
    long long value;
};
extern const struct constant constants[]; /* a NULL name ends it */

/* ---- gil.c: calls that may wait ---- */

/* The call that this thread is in. */
struct gil_call {
    bool begun;
    PyThreadState *left; /* the thread's state, which it left with the GIL; NULL: the GIL was kept */
};
extern _Thread_local struct gil_call gil_call __attribute__((tls_model("initial-exec")));

/* Gives up the GIL, unless there is no thread that could want it: two switches of it cost as much as a short call. */
static inline void gil_begin(void)
{
#ifdef __GLIBC__
    bool keep = __libc_single_threaded;
#else
    bool keep = false;
#endif
    gil_call = (struct gil_call){ true, keep ? NULL : PyEval_SaveThread() };
}

static inline void gil_end(void)
{
    if (gil_call.left)
        PyEval_RestoreThread(gil_call.left);
    gil_call.begun = false;
}

/* Runs a statement so; it may read nothing of Python's, nor of an object (whose skt handle_of has given before: another
 * thread may close it meanwhile).  A signal that interrupts it runs Python's handlers (PEP 475); if one of them
 * raises, the call fails with EINTR and the exception is set. */
#define WITHOUT_GIL(statement)                                                                                         \
    do {                                                                                                               \
        gil_begin();                                                                                                   \
        statement;                                                                                                     \
        gil_end();                                                                                                     \
    } while (0)

/* From now on signals are handled so. */
void gil_watch_signals(void);

/* ---- error.c: what failed, as an exception ---- */

/* Raise, and return NULL.  After a failed call of the library: its record. */
PyObject *raise_failure(struct module_state *module);
PyObject *raise_errno(int code);
PyObject *raise_gaierror(struct module_state *module, int code, PyObject *name);

/* For a socket that is closed (s->s is NULL), and for one whose call has failed. */
PyObject *raise_for(socket_object *s);

/* ---- args.c: arguments that come as an array ---- */

/* Each: false with an exception. */
bool args_count(const char *function, Py_ssize_t n, Py_ssize_t least, Py_ssize_t most);
bool args_int(PyObject *arg, int *value);
bool args_size(PyObject *arg, Py_ssize_t *value);

/* What an iterable gives, for PySequence_Fast_GET_ITEM; never the caller's own list, which Python code may change while
 * its items are read.  NULL with an exception: the message, if it is not iterable. */
PyObject *args_items(PyObject *iterable, const char *message);

/* A host name, as Python takes it: bytes, bytearray or str (which IDNA encodes if it is not ASCII). */
struct host {
    const char *text;
    PyObject *owner; /* of the bytes at text; release with host_release */
};
bool args_host(PyObject *arg, struct host *host);
void host_release(struct host *host);

/* O& for PyArg_ParseTuple. */
int args_host_converter(PyObject *arg, void *host);

/* A timeout: None or seconds. */
bool args_timeout(PyObject *arg, double *seconds);

/* Seconds as Python shows them: None for SKT_NO_TIMEOUT. */
PyObject *timeout_to_python(double seconds);

/* ---- address.c, address_out.c: Python's tuples ---- */

/* The address for a socket's call `caller`; false with an exception. */
bool address_from_python(socket_object *s, PyObject *arg, const char *caller, skt_addr *addr);

/* AF_BLUETOOTH's protocols, each with a form of address of its own; its headers are not everywhere. */
enum { BTPROTO_L2CAP = 0, BTPROTO_HCI = 1, BTPROTO_SCO = 2, BTPROTO_RFCOMM = 3 };

/* A new reference, None where there is no address; NULL with an exception. */
PyObject *address_to_python(const skt_addr *addr, int proto);

/* ---- object.c ---- */

extern PyType_Spec object_spec;

/* A new object for a descriptor, which it owns; NULL with an exception (and fd is closed).  It gets an skt when it is
 * used: Lib/socket.py takes the descriptors of a socketpair out again at once. */
PyObject *object_new(struct module_state *module, int fd, int family, int type, int proto);

/* The skt of an object, NULL where it is closed. */
skt *object_begin_use(socket_object *s);
static inline skt *handle_of(socket_object *s)
{
    return s->s || s->fd < 0 ? s->s : object_begin_use(s);
}

/* ---- The methods, by subject; the tables are in object.c and module.c ---- */

#define METHOD(name) PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t n)
#define METHOD_KEYWORDS(name) PyObject *name(PyObject *self, PyObject *args, PyObject *keywords)
#define METHOD_ONE(name) PyObject *name(PyObject *self, PyObject *arg)

METHOD_ONE(socket_bind); /* bind.c */
METHOD_ONE(socket_connect);
METHOD_ONE(socket_connect_ex);
METHOD(socket_listen);
METHOD_ONE(socket_accept);
METHOD_ONE(socket_shutdown);
METHOD_ONE(socket_getsockname);
METHOD_ONE(socket_getpeername);
METHOD(socket_recv); /* io.c */
METHOD(socket_recvfrom);
METHOD_KEYWORDS(socket_recv_into);
METHOD_KEYWORDS(socket_recvfrom_into);
METHOD(socket_send);
METHOD(socket_sendall);
METHOD(socket_sendto);
METHOD(socket_recvmsg); /* message.c */
METHOD(socket_recvmsg_into);
METHOD(socket_sendmsg);
METHOD_KEYWORDS(socket_sendmsg_afalg);
METHOD(socket_recvmmsg); /* batch.c */
METHOD(socket_sendmmsg);
METHOD(socket_setsockopt); /* option.c */
METHOD(socket_getsockopt);
METHOD_ONE(socket_settimeout);
METHOD_ONE(socket_gettimeout);
METHOD_ONE(socket_setblocking);
METHOD_ONE(socket_getblocking);

extern PyMethodDef names_methods[];     /* names.c: hosts and addresses */
extern PyMethodDef service_methods[];   /* service.c: services, protocols, interfaces */
extern PyMethodDef inet_methods[];      /* inet.c: numbers and addresses in their packed forms */
extern PyMethodDef functions_methods[]; /* functions.c: descriptors, pairs, connections, the default timeout */

#endif
