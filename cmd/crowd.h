/* crowd.h - the clients of one listener (listen --keep), what is theirs and what is everybody's.
 *
 *     standard input ---> all of them
 *     each of them   ---> standard output, and with --broadcast all the others
 *
 * All run as tasks of one thread, so nothing here has a lock; but wherever a task waits, others may come and go:
 * who keeps a client over a wait holds it. */
#ifndef CMD_CROWD_H
#define CMD_CROWD_H

#include "cmd.h"

struct chunk;

struct client {
    struct client *next;
    struct crowd *crowd;
    struct cmd_peer peer;
    char name[SKT_ADDR_TEXT_MAX];
    skt *program;  /* datagrams: the other end of what --exec runs for this peer; or NULL */
    double active; /* when something last came from it or went to it */
    int holders;   /* the list, and tasks; the last one frees it */
    bool listed;

    struct chunk *first, **end; /* what is to be sent to it, by a task that lives as long as there is something */
    size_t waiting;             /* bytes of it */
    bool sending;
};

struct crowd {
    skt *server;
    const struct cmd_settings *settings;
    struct client *clients;
    size_t n;
    bool input_ended;
};

/* clients.c */

/* A new client in the list, held by it; NULL, having said so, where there is no memory (the peer's socket is the
 * caller's then). */
struct client *crowd_add(struct crowd *crowd, const struct cmd_peer *peer);

/* Out of the list; it lives on for those who hold it. */
void crowd_remove(struct client *c);

void crowd_release(struct client *c);

/* Sends to one client, after all that it is still to get, or to all but one (NULL: to all).  Waits where a client does
 * not take what it gets; one that takes nothing for long is dropped, so that it does not hold up the others for ever.
 */
void crowd_send(struct client *c, const void *buf, size_t len);
void crowd_send_all(struct crowd *crowd, const struct client *but, const void *buf, size_t len);

/* Standard input has ended: tells a client so once it has got all. */
void crowd_end_output(struct client *c);

/* Waits until a client has got what is waiting for it; one that does not take it is dropped. */
void crowd_let_finish(struct client *c);

/* Whether a client is still to get something. */
bool crowd_is_sending(const struct crowd *crowd);

#endif
