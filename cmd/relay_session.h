/* relay_session.h - what a thread of relay_datagrams.c has: its socket, and its clients. */
#ifndef CMD_RELAY_SESSION_H
#define CMD_RELAY_SESSION_H

#include "relay.h"
#include <pthread.h>

enum { RELAY_SLOTS = 1024 }; /* of the table of clients */

struct session;

struct thread {
    struct relay *relay;
    skt *server;
    skt_group *tasks;
    struct session *slots[RELAY_SLOTS];
    unsigned clients;
    bool full_told;
    pthread_t id;
};

/* A datagram has come: to the client's link, which is made if he is new. */
void session_take(struct thread *t, const struct cmd_peer *from, const char *buf, size_t len);

#endif
