/* connect.h - what the two ways to connect share. */
#ifndef SKTI_CONNECT_H
#define SKTI_CONNECT_H

/* How a connection attempt ended that fd is ready after: 0, or its errno. */
int skti_connect_result(int fd);

#endif
