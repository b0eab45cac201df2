/* module.c - the module `_socket`: its functions, exceptions and constants, and the capsule by which
 * _ssl finds the type. */
#include "module.h"

/* What _ssl asks of the capsule _socket.CAPI. */
struct capi {
    PyTypeObject *type;
    PyObject *error, *timeout_error;
};

static PyModuleDef definition;

struct module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

struct module_state *state_of_type(PyTypeObject *type)
{
    return state_of(PyType_GetModuleByDef(type, &definition));
}

/* ---- What the module holds ---- */

static bool add_type(PyObject *module, struct module_state *state)
{
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &object_spec, NULL);
    return state->type && PyModule_AddObjectRef(module, "socket", (PyObject *)state->type) == 0 &&
           PyModule_AddObjectRef(module, "SocketType", (PyObject *)state->type) == 0;
}

static bool add_exceptions(PyObject *module, struct module_state *state)
{
    state->herror = PyErr_NewException("socket.herror", PyExc_OSError, NULL);
    state->gaierror = PyErr_NewException("socket.gaierror", PyExc_OSError, NULL);
    return state->herror && state->gaierror && PyModule_AddObjectRef(module, "error", PyExc_OSError) == 0 &&
           PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) == 0 &&
           PyModule_AddObjectRef(module, "herror", state->herror) == 0 &&
           PyModule_AddObjectRef(module, "gaierror", state->gaierror) == 0;
}

static void free_capi(PyObject *capsule)
{
    struct capi *capi = PyCapsule_GetPointer(capsule, "_socket.CAPI");
    Py_XDECREF(capi->type);
    PyMem_Free(capi);
}

static bool add_capi(PyObject *module, struct module_state *state)
{
    struct capi *capi = PyMem_Malloc(sizeof *capi);
    if (!capi) {
        PyErr_NoMemory();
        return false;
    }
    *capi = (struct capi){ (PyTypeObject *)Py_NewRef(state->type), PyExc_OSError, PyExc_TimeoutError };
    PyObject *capsule = PyCapsule_New(capi, "_socket.CAPI", free_capi);
    if (!capsule) {
        Py_DECREF(capi->type);
        PyMem_Free(capi);
        return false;
    }
    int result = PyModule_AddObjectRef(module, "CAPI", capsule);
    Py_DECREF(capsule);
    return result == 0;
}

static bool add_constants(PyObject *module)
{
    for (const struct constant *c = constants; c->name; c++) {
        PyObject *value = PyLong_FromLongLong(c->value);
        int result = value ? PyModule_AddObjectRef(module, c->name, value) : -1;
        Py_XDECREF(value);
        if (result < 0)
            return false;
    }
    return PyModule_AddStringConstant(module, "BDADDR_ANY", "00:00:00:00:00:00") == 0 &&
           PyModule_AddStringConstant(module, "BDADDR_LOCAL", "00:00:00:FF:FF:FF") == 0 &&
           PyModule_AddObjectRef(module, "has_ipv6", Py_True) == 0 &&
           PyModule_AddStringConstant(module, "_skt_version", SKT_VERSION) == 0;
}

static int begin(PyObject *module)
{
    struct module_state *state = state_of(module);
    gil_watch_signals();
    bool done = add_type(module, state) && add_exceptions(module, state) && add_capi(module, state) &&
                PyModule_AddFunctions(module, names_methods) == 0 &&
                PyModule_AddFunctions(module, service_methods) == 0 &&
                PyModule_AddFunctions(module, inet_methods) == 0 &&
                PyModule_AddFunctions(module, functions_methods) == 0 && add_constants(module);
    return done ? 0 : -1;
}

/* ---- The module itself ---- */

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = state_of(module);
    Py_VISIT(state->type);
    Py_VISIT(state->herror);
    Py_VISIT(state->gaierror);
    return 0;
}

static int clear(PyObject *module)
{
    struct module_state *state = state_of(module);
    Py_CLEAR(state->type);
    Py_CLEAR(state->herror);
    Py_CLEAR(state->gaierror);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    { Py_mod_exec, begin },
#ifdef Py_MOD_PER_INTERPRETER_GIL_SUPPORTED
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
#endif
    { 0, NULL },
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "Sockets, made of libskt's: what Python's module socket stands on.",
    .m_size = sizeof(struct module_state),
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__socket(void); /* Python finds it by this name */

PyMODINIT_FUNC PyInit__socket(void)
{
    return PyModuleDef_Init(&definition);
}
