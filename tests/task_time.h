/* task_time.h - fake_time.h for tasks, and a note of who was when. */
#ifndef TASK_TIME_H
#define TASK_TIME_H

#include "fake_time.h"

/* fake_time_begin, and the same for the wait of a thread whose tasks all wait. */
void task_time_begin(void);
void task_time_end(void);

/* The letters in the order in which they came. */
extern char steps[1024];
void steps_begin(void);
void step(char letter);

/* skt_run that succeeds. */
void run_tasks(void (*fn)(void *arg), void *arg);

/* skt_go that succeeds. */
void go(void (*fn)(void *arg), void *arg);

/* Returns when every other task of this thread waits, for something that has not come yet. */
void settle(void);

#endif
