/* overflow.h - a task that outgrows its stack ends the program with a sentence that names it. */
#ifndef SKTI_OVERFLOW_H
#define SKTI_OVERFLOW_H

/* While a thread runs tasks.  What SIGSEGV did before is done for every other fault. */
void skti_overflow_watch(void);
void skti_overflow_unwatch(void);

#endif
