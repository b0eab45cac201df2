/* gil.c - calls without the GIL, and signals in them.
 *
 * The library asks its one hook whenever a signal has interrupted a call.  Python's
 * handlers run there, in the thread of the call, with the GIL.  They may start the program's second
 * thread, for which a GIL that was kept has to be given up too. */
#include "module.h"

_Thread_local struct gil_call gil_call;

static int run_handlers(void *unused)
{
    (void)unused;
    struct gil_call call = gil_call;
    if (!call.begun)
        return 0; /* a call of somebody else's, in this process */
    if (call.left)
        PyEval_RestoreThread(call.left);
    int raised = PyErr_CheckSignals();
    gil_begin();
    return raised;
}

void gil_watch_signals(void)
{
    skt_on_interrupt(run_handlers, NULL);
}
