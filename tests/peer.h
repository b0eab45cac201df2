/* peer.h - the other end of a test: a thread, and how to know what it is doing.
 *
 * Kept apart so that it can be something else than a thread one day. */
#ifndef PEER_H
#define PEER_H

#include <pthread.h>
#include <skt.h>

struct peer {
    void (*run)(void *arg);
    void *arg;
    pthread_t thread;
    int tid; /* 0 until it runs */
};

/* Runs fn(arg) beside the caller. */
void start_peer(struct peer *peer, void (*run)(void *arg), void *arg);

/* Waits until it has returned. */
void join_peer(struct peer *peer);

/* Waits until it sleeps in the kernel in a system call that waits: poll or a blocking call on a
 * socket (not a lock). */
void wait_until_blocked(struct peer *peer);

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
