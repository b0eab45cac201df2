/* socket.h - what socket.c gives to the other files. */
#ifndef SKTI_SOCKET_H
#define SKTI_SOCKET_H

#include <skt.h>

/* A socket of the descriptor that the kernel has just made: with type's
 * SOCK_NONBLOCK or the default timeout.  NULL: fd is closed, the error reported. */
skt *skti_adopt(const char *call, int fd, int family, int type, int proto);

#endif
