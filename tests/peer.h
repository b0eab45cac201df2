/* peer.h - the other end of a test: a thread, or in a task another task, and how to know what it
 * is doing. */
#ifndef PEER_H
#define PEER_H

#include "watch.h"
#include <pthread.h>
#include <skt.h>

struct peer {
    void (*run)(void *arg);
    void *arg;
    bool threaded;
    bool ended;
    pthread_t thread;       /* threaded */
    int tid;                /* threaded: 0 until it runs */
    struct skti_task *task; /* else: NULL until it runs */
    struct skti_waitlist joining;
};

/* Runs fn(arg) beside the caller: in a task, in another task of its thread, and else in another thread. */
void start_peer(struct peer *peer, void (*run)(void *arg), void *arg);

/* Always in another thread. */
void start_thread_peer(struct peer *peer, void (*run)(void *arg), void *arg);

/* Waits until it has returned. */
void join_peer(struct peer *peer);

/* Waits until it sleeps in a wait of the library's.  A thread: in the kernel in a system call that waits, poll or a
 * blocking call on a socket (not a lock); a task: until it is parked, and no event wakes it. */
void wait_until_blocked(struct peer *peer);

/* Lets others run, and whatever has happened be seen, for about so many seconds. */
void let_pass(double seconds);

/* How many peers there have been since the last call. */
unsigned peers_started(void);

/* A server on 127.0.0.1, its address in *addr; and a connection to it, both ends. */
skt *local_server(skt_addr *addr);
void tcp_pair(skt *pair[2]);

bool has_ipv6(void);

/* Makes send block soon: buffers of 64 KiB (much smaller ones make TCP on lo crawl by
 * its timers). */
void small_buffers(skt *pair[2]);

/* Sends until nothing more fits; how many bytes went. */
size_t fill_up(skt *s);

/* From now on, and until release_resolver, name servers are silent: a look-up of a name, or of an
 * address's name, does not end.  release_resolver waits until the helpers that were abandoned in it have gone;
 * look-ups after it are answered again. */
void silence_resolver(void);
void release_resolver(void);

#endif
