/* kernels.h - what the tests of the families share.
 *
 * The same programs run on the machine's own kernel, which lacks most of the
 * families (such a case skips, and says so), and in user-mode-linux, which has
 * them (tests/kernels/run): there a family that cannot be opened is a
 * failure, so that a module which did not load cannot pass for a success. */
#ifndef KERNELS_H
#define KERNELS_H

#include "../check.h"
#include <skt.h>

/* The timeout of every socket here: 10 s, far more than any call needs, so that nothing hangs; or none with
 * SKT_KERNELS_BLOCKING in the environment, for then it is the kernel that waits, in each family by code of its own. */
double patience(void);

/* Whether this is user-mode-linux. */
bool in_uml(void);

/* Gives the process a network of its own, with lo up, so that nothing it does to
 * the network can be seen outside, and without it being root.  Where that is
 * forbidden it stays where it is, and false is returned. Call it before there are threads. */
bool private_network(void);

/* Runs a command of iproute2 quietly; whether it succeeded. */
bool command(const char *line);

/* A socket with the timeout patience(), of a family that user-mode-linux has.
 * Elsewhere, NULL if it is missing, with the case marked as skipped. */
skt *open_family(int family, int type, int proto);

/* The same as a declaration, which leaves the case where there is none. */
#define OPEN(s, family, type, proto)                                                                                   \
    skt *(s) = open_family(family, type, proto);                                                                       \
    if (!(s))                                                                                                          \
        return;

/* A socket of a family that even user-mode-linux may lack: NULL if so, after
 * checking that the failure is the kernel's own, in a sentence; skipped. */
skt *open_rare(int family, int type, int proto);

/* Checks a call of ours that is 0 or a count, and shows our own sentence if not. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            check_failed(__FILE__, __LINE__, "%s: %s", #call, skt_strerror());                                         \
    } while (0)

/* The same for a call that returns a socket. */
#define OK_SOCKET(s)                                                                                                   \
    do {                                                                                                               \
        if (!(s))                                                                                                      \
            check_failed(__FILE__, __LINE__, "%s: %s", #s, skt_strerror());                                            \
        OK(skt_settimeout(s, patience()));                                                                             \
    } while (0)

/* The address that s has now. */
skt_addr own_address(skt *s);
skt_addr peer_address(skt *s);

/* Checks an address' text, and that the text leads back to the address. */
void check_text(const skt_addr *a, const char *expected);

/* The same for an address whose numbers the kernel chose: only its beginning is known. */
void check_text_begins(const skt_addr *a, const char *expected);

/* Checks that the two are the same address. */
void check_same(const skt_addr *a, const skt_addr *b);

/* Receives one message, which is to be this text, and returns its sender. */
skt_addr expect(skt *s, const char *text);

/* Sends a text to an address, whole. */
void send_text(skt *s, const char *text, skt_addr to);

/* What a connection is good for: two texts there and back, and its end seen. */
void converse(skt *client, skt *server);

/* A connection to a listening socket over which both ends converse(): the server
 * accepts beside the client (peer.h), since for some families connect waits for it.
 * client and server are closed; *peer is who the server saw. */
void connect_and_converse(skt *client, skt *server, skt_addr to, skt_addr *peer);

#endif
