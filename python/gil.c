/* gil.c - signals, when a call has given up the GIL.
 *
 * The library asks its one hook whenever a signal has interrupted a call.  Python's
 * handlers run there, in the thread of the call, with the GIL taken back for as long. */
#include "module.h"

_Thread_local PyThreadState *gil_left;

static int run_handlers(void *unused)
{
    (void)unused;
    if (!gil_left)
        return 0; /* a call of somebody else's, in this process */
    PyEval_RestoreThread(gil_left);
    int raised = PyErr_CheckSignals();
    gil_left = PyEval_SaveThread();
    return raised;
}

void gil_watch_signals(void)
{
    skt_on_interrupt(run_handlers, NULL);
}
