/* run.h - the engines that are at work, by number, and this thread's own. */
#ifndef SKTI_RUN_H
#define SKTI_RUN_H

#include "engine.h"
#include <signal.h>

/* The engine of this thread's tasks. */
struct skti_engine *skti_run_engine(void);

bool skti_engine_lives(uint32_t number);

/* Has an errand run by that engine's thread; false: it is no longer there. */
bool skti_reach_engine(uint32_t number, struct skti_errand *errand);

/* Sends a signal to every other thread that runs tasks, and tells such a one from any other (also raise(3)'s).  For
 * signal handlers: it takes no lock. */
void skti_signal_schedulers(int signo);
bool skti_is_passed_on(const siginfo_t *info);

/* skt_go, into a group or NULL. */
int skti_go(const char *call, void (*fn)(void *arg), void *arg, struct skti_group *group);

/* That engine is no longer to watch fd, if it is still there. */
void skti_forget_descriptor(uint32_t number, int fd);

#endif
